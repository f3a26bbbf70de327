"""Weights kept in half precision within a graph that computes in single precision: half the file, the same speed.

Each weight is followed by a Cast to float32, which ONNX Runtime and TensorRT do once, when they load the graph.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import onnx

_SMALLEST = 1024
"""Numbers in a weight that is worth it: biases stay as they are."""


def store_in_half(model: onnx.ModelProto) -> None:
    """Round a graph's float32 weights to float16 where they are kept; inputs, outputs and arithmetic stay float32.

    Args:
        model: Changed in place.
    """
    import onnx

    graph = model.graph
    casts = []
    for weight in graph.initializer:
        values = onnx.numpy_helper.to_array(weight)
        if values.dtype != np.float32 or values.size < _SMALLEST:
            continue
        name = weight.name
        weight.CopyFrom(onnx.numpy_helper.from_array(values.astype(np.float16), f"{name}_half"))
        casts.append(onnx.helper.make_node("Cast", [f"{name}_half"], [name], f"{name}_cast", to=onnx.TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
