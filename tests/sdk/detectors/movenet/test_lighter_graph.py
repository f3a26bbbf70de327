"""Arrays of equal numbers become scalars, and turns of channels cancel out; the answers stay the same, bit for bit."""

import os
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from sdk.detectors.movenet.lighter_graph import lighter_graph


def written(path, constants, nodes, shape=(1, 4, 5, 3)):
    image = helper.make_tensor_value_info("x", TensorProto.FLOAT, list(shape))
    answer = helper.make_tensor_value_info("y", TensorProto.FLOAT, [None] * 4)
    arrays = [numpy_helper.from_array(np.asarray(value, np.float32), name) for name, value in constants.items()]
    made = [helper.make_node(op, ins, [out], **({"perm": perm[0]} if perm else {})) for op, ins, out, *perm in nodes]
    graph = helper.make_graph(made, "g", [image], [answer], arrays)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8), path)
    return path


def answer(path, shape=(1, 4, 5, 3)):
    image = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    return onnxruntime.InferenceSession(path).run(None, {"x": image})[0]


def ranks(path):
    """Axes of the constants that the nodes take."""
    graph = onnx.load(path).graph
    axes = {one.name: len(one.dims) for one in graph.initializer}
    return [axes[name] for node in graph.node for name in node.input if name in axes]


def test_equal_numbers_become_one(tmp_path):
    rows = np.full((1, 1, 1, 3), 0.00784302)
    nodes = [("Mul", ["x", "a"], "b"), ("Sub", ["b", "c"], "d"), ("Div", ["c", "d"], "y")]
    path = written(tmp_path / "m.onnx", {"a": rows, "c": [0.3, 0.3, 0.3]}, nodes)
    lighter = lighter_graph(path)
    assert (ranks(path), ranks(lighter)) == ([4, 1, 1], [0, 0, 0])
    np.testing.assert_array_equal(answer(lighter), answer(path))


@pytest.mark.parametrize(
    ("constant", "shape"),
    [
        (np.array([1.0, 2.0, 1.0]), (1, 4, 5, 3)),  # other numbers
        (np.ones((1, 1, 1, 3)), (1, 4, 5, 1)),  # the result gets three columns from it
        (np.ones((1, 1, 2, 3)), (1, 4, 1, 3)),  # and here two rows
    ],
)
def test_others_stay(tmp_path, constant, shape):
    path = written(tmp_path / "m.onnx", {"a": constant}, [("Add", ["x", "a"], "y")], shape)
    lighter = lighter_graph(path)
    assert ranks(lighter) == ranks(path)
    np.testing.assert_array_equal(answer(lighter, shape), answer(path, shape))


def test_it_is_made_once_and_again_for_another_content(tmp_path):
    path = written(tmp_path / "m.onnx", {"a": np.ones(3)}, [("Add", ["x", "a"], "y")])
    first = lighter_graph(path)
    before = first.stat().st_mtime_ns
    assert lighter_graph(path) == first
    assert first.stat().st_mtime_ns == before
    written(path, {"a": np.zeros(3)}, [("Add", ["x", "a"], "y")])
    assert lighter_graph(path) != first
    np.testing.assert_array_equal(answer(lighter_graph(path)), answer(path))


def test_channels_are_turned_once(tmp_path):
    """Two convolutions in TensorFlow's layout, each between two turns: the inner ones cancel out."""
    weights = np.random.default_rng(1).normal(size=(3, 3, 1, 1))
    path = written(
        tmp_path / "m.onnx",
        {"a": weights, "b": -weights},
        [
            ("Transpose", ["x"], "front", (0, 3, 1, 2)),
            ("Conv", ["front", "a"], "first"),
            ("Transpose", ["first"], "back", (0, 2, 3, 1)),
            ("Transpose", ["back"], "again", (0, 3, 1, 2)),
            ("Conv", ["again", "b"], "second"),
            ("Transpose", ["second"], "y", (0, 2, 3, 1)),
        ],
    )
    lighter = lighter_graph(path)
    assert [node.op_type for node in onnx.load(lighter).graph.node] == ["Transpose", "Conv", "Conv", "Transpose"]
    np.testing.assert_array_equal(answer(lighter), answer(path))


def test_without_permission_the_file_itself_runs(tmp_path, monkeypatch):
    path = written(tmp_path / "m.onnx", {"a": np.ones(3)}, [("Add", ["x", "a"], "y")])

    def refused(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "touch", refused)
    assert lighter_graph(path) == path
    assert [one.name for one in tmp_path.iterdir()] == ["m.onnx"]


@pytest.mark.parametrize("left", [0, 100])
def test_a_part_that_was_cut_off_is_not_kept(tmp_path, monkeypatch, left):
    path = written(tmp_path / "m.onnx", {"a": np.ones(300)}, [("Add", ["x", "a"], "y")], (1, 4, 5, 300))

    class FullDisk(onnxruntime.InferenceSession):
        def __init__(self, model, options=None, **rest):
            super().__init__(model, options, **rest)
            if options is not None:
                os.truncate(options.optimized_model_filepath, left)

    monkeypatch.setattr(onnxruntime, "InferenceSession", FullDisk)
    assert lighter_graph(path) == path
    assert [one.name for one in tmp_path.iterdir()] == ["m.onnx"]
