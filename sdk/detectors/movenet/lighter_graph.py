"""MoveNet's graphs with less to do: the same answers, bit for bit, in less time.

They bring pixels to -1..1 with constants of shape (1, 1, 1, 3), one number for each colour, all equal. ONNX Runtime
does that ten times slower than with a scalar: 1.5 of lightning's 9 ms. And round each convolution they turn channels to
the front and back. ONNX Runtime leaves that out by itself; OpenVINO keeps 39 of thunder's 154 turns, a fifth of its
time. So it gets the graph as ONNX Runtime simplified it, with five.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sdk.errors import BadOutput
from sdk.files.content_hash import file_sha256
from sdk.files.output_files import naming, part_beside, remove_abandoned_parts

if TYPE_CHECKING:
    import onnx

_ELEMENTWISE = ("Add", "Sub", "Mul", "Div")


def lighter_graph(path: Path) -> Path:
    """A file beside the given one that answers the same, sooner. It is made once, and named after the file's content.

    Where the folder can't be written to, the file itself: then it only takes longer.

    Args:
        path: One of MoveNet's ONNX files.
    """
    lighter = path.with_name(f".{path.stem}.lighter-{file_sha256(path)[:16]}.onnx")
    if lighter.is_file():
        return lighter
    try:
        _write(path, lighter)
    except BadOutput:
        return path
    return lighter


def _described(model: onnx.ModelProto) -> list[onnx.ValueInfoProto]:
    """What is known of the shapes of a graph's tensors."""
    import onnx

    graph = onnx.shape_inference.infer_shapes(model).graph
    return [*graph.input, *graph.value_info, *graph.output]


def _write(path: Path, lighter: Path) -> None:
    import onnx

    model = onnx.load(str(path), load_external_data=False)
    _take_scalars(model)
    part = part_beside(lighter)
    with naming(lighter):
        remove_abandoned_parts(lighter)
        try:
            part.touch()  # says why the folder can't be written to, as ONNX Runtime does not
            _simplify(model, part)
            part.replace(lighter)
        finally:
            part.unlink(missing_ok=True)


def _simplify(model: onnx.ModelProto, path: Path) -> None:
    """Write a graph as ONNX Runtime simplifies it, and see whether it is whole: a disk may be full."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    # Only what holds on every processor: no layouts or fusions of this one.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(path)
    try:
        onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises its own untyped exceptions
        raise BadOutput(f"ONNX Runtime can't write {path} whole: {error}") from error


def _take_scalars(model: onnx.ModelProto) -> None:
    """Put scalars in the place of arrays of equal numbers, where that changes no shape."""
    import onnx

    graph = model.graph
    constants = {one.name: one for one in graph.initializer}
    shapes = {one.name: [size.dim_value for size in one.type.tensor_type.shape.dim] for one in _described(model)}
    for node in graph.node:
        if node.op_type not in _ELEMENTWISE:
            continue
        for i, (name, other) in enumerate(zip(node.input, reversed(node.input), strict=True)):
            if name not in constants or other in constants:
                continue
            values = onnx.numpy_helper.to_array(constants[name])
            shape = shapes.get(other, [])
            row = 0 < values.ndim <= len(shape) and values.size == values.shape[-1] == shape[-1]
            if row and np.ptp(values) == 0:  # of other shapes, the result would get another one
                node.input[i] = f"{name}/scalar"
                if node.input[i] not in constants:
                    scalar = onnx.numpy_helper.from_array(values.reshape(-1)[0].reshape(()), node.input[i])
                    graph.initializer.append(scalar)
                    constants[scalar.name] = scalar
