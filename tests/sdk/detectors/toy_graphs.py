"""Tiny ONNX graphs with the ports of real detectors and answers that can be worked out by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def save_graph(path: Path, nodes: list, inputs: list, outputs: list, constants: dict[str, np.ndarray]) -> Path:
    initializers = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "toy", inputs, outputs, initializers)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), str(path))
    return path


def movenet_single(path: Path, fractions_yx: np.ndarray, size: int = 192) -> Path:
    """Always the same pose (17, 2); every score is the mean of the red channel."""
    nodes = [
        helper.make_node("Cast", ["input"], ["picture"], to=TensorProto.FLOAT),
        helper.make_node("Gather", ["picture", "red"], ["reds"], axis=3),
        helper.make_node("ReduceMean", ["reds"], ["mean"], axes=[1, 2, 3], keepdims=1),
        helper.make_node("Mul", ["mean", "ones"], ["score"]),
        helper.make_node("Concat", ["pose", "score"], ["Identity"], axis=3),
    ]
    constants = {
        "red": np.array([0]),
        "ones": np.full((1, 1, 17, 1), 1 / 255, np.float32),
        "pose": fractions_yx.reshape(1, 1, 17, 2).astype(np.float32),
    }
    image = helper.make_tensor_value_info("input", TensorProto.INT32, [1, size, size, 3])
    pose = helper.make_tensor_value_info("Identity", TensorProto.FLOAT, [1, 1, 17, 3])
    return save_graph(path, nodes, [image], [pose], constants)


def movenet_multi(path: Path, people: np.ndarray, size: tuple[int | str, int | str] = ("h", "w")) -> Path:
    """Always the same people (6, 56), moved by a thousandth of the input's (rows, columns) in the last box's corner."""
    nodes = [
        helper.make_node("Shape", ["input"], ["sizes"], start=1, end=3),
        helper.make_node("Cast", ["sizes"], ["float_sizes"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["float_sizes", "thousandth"], ["small"]),
        helper.make_node("Pad", ["small", "pads"], ["row"]),
        helper.make_node("Reshape", ["row", "shape"], ["last"]),
        helper.make_node("Pad", ["last", "rows_above"], ["moves"]),
        helper.make_node("Add", ["people", "moves"], ["Identity"]),
    ]
    constants = {
        "thousandth": np.float32([1e-3]),
        "pads": np.array([51, 3]),
        "shape": np.array([1, 1, 56]),
        "rows_above": np.array([0, 5, 0, 0, 0, 0]),
        "people": people.reshape(1, 6, 56).astype(np.float32),
    }
    image = helper.make_tensor_value_info("input", TensorProto.INT32, [1, *size, 3])
    found = helper.make_tensor_value_info("Identity", TensorProto.FLOAT, [1, 6, 56])
    return save_graph(path, nodes, [image], [found], constants)


def rtmpose(path: Path, joints: int, batch: int | str = "N", classes_per_pixel: int = 2, named: bool = True) -> Path:
    """Joint j lies where channel j % 3 is brightest; a pixel's first class gets its value, the others nothing."""
    height, width = 256, 192
    names = ("simcc_y", "simcc_x") if named else ("b", "a")  # by name in any order; by shape x comes first
    nodes = [helper.make_node("Gather", ["input", "channels"], ["picture"], axis=1)]
    for name, axis, length in ((names[1], 2, width), (names[0], 3, height)):
        nodes += [
            helper.make_node("ReduceMax", ["picture"], [f"{name}_profile"], axes=[axis], keepdims=0),
            helper.make_node("MatMul", [f"{name}_profile", f"spread_{length}"], [name]),
        ]
    constants = {"channels": np.arange(joints) % 3}
    for length in (width, height):
        spread = np.zeros((length, classes_per_pixel * length), np.float32)
        spread[np.arange(length), classes_per_pixel * np.arange(length)] = 1
        constants[f"spread_{length}"] = spread
    ports = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [batch, joints, classes_per_pixel * length])
        for name, length in zip(names, (height, width), strict=True)
    ]
    outputs = ports if named else ports[::-1]
    image = helper.make_tensor_value_info("input", TensorProto.FLOAT, [batch, 3, height, width])
    return save_graph(path, nodes, [image], outputs, constants)


def doubling(path: Path) -> Path:
    """No detector at all: (1, 5) -> (1, 5)."""
    ports = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 5]) for name in ("numbers", "doubled")]
    nodes = [helper.make_node("Add", ["numbers", "numbers"], ["doubled"])]
    return save_graph(path, nodes, ports[:1], ports[1:], {})


def with_answers(path: Path, answers: dict[str, np.ndarray], size: tuple[int | str, int | str] = ("h", "w")) -> Path:
    """A detector of whole images whose outputs are always the same, moved by the mean of the image.

    The mean over 255 is added to all outputs of floats, so that images of a batch differ.

    Args:
        path: Where it is written.
        answers: Of one image, without the axis of the batch, by the names of the outputs.
        size: Rows and columns of the input.
    """
    nodes = [
        helper.make_node("Mul", ["input", "small"], ["fractions"]),
        helper.make_node("ReduceMean", ["fractions"], ["mean"], axes=[1, 2, 3], keepdims=0),
        helper.make_node("Shape", ["mean"], ["batch"]),
    ]
    constants: dict[str, np.ndarray] = {"small": np.float32(1 / 255)}
    ports = []
    for name, answer in answers.items():
        whole = answer.dtype == np.int64
        constants |= {f"{name}_one": answer[None], f"{name}_shape": np.array([-1] + [1] * answer.ndim)}
        constants[f"{name}_ones"] = np.ones(answer.ndim, np.int64)
        nodes += [
            helper.make_node("Concat", ["batch", f"{name}_ones"], [f"{name}_all"], axis=0),
            helper.make_node("Expand", [f"{name}_one", f"{name}_all"], [name if whole else f"{name}_still"]),
        ]
        if not whole:
            nodes += [
                helper.make_node("Reshape", ["mean", f"{name}_shape"], [f"{name}_mean"]),
                helper.make_node("Add", [f"{name}_still", f"{name}_mean"], [name]),
            ]
        kind = TensorProto.INT64 if whole else TensorProto.FLOAT
        ports.append(helper.make_tensor_value_info(name, kind, ["batch", *answer.shape]))
    image = helper.make_tensor_value_info("input", TensorProto.FLOAT, ["batch", 3, *size])
    return save_graph(path, nodes, [image], ports, constants)
