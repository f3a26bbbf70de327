"""A lifter for tests that is one matrix: 3D poses that differ from frame to frame, without torch or trained weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from sdk.lifting.model_metadata import LifterMetadata


def write_linear_lifter(path: Path, metadata: LifterMetadata | None = None, seed: int = 0) -> np.ndarray:
    """Write `path`, an ONNX lifter that multiplies the flattened window by a random matrix.

    Returns:
        The matrix, (receptive_field * 16 * 2, 16 * 3).
    """
    metadata = metadata or LifterMetadata(name="linear")
    inputs = metadata.receptive_field * 16 * 2
    matrix = np.random.default_rng(seed).normal(0, inputs**-0.5, (inputs, 48)).astype(np.float32)
    graph = helper.make_graph(
        [
            helper.make_node("Reshape", ["windows", "flat"], ["rows"]),
            helper.make_node("MatMul", ["rows", "matrix"], ["product"]),
            helper.make_node("Reshape", ["product", "pose"], ["joints"]),
        ],
        "linear_lifter",
        [helper.make_tensor_value_info("windows", TensorProto.FLOAT, ["B", metadata.receptive_field, 16, 2])],
        [helper.make_tensor_value_info("joints", TensorProto.FLOAT, ["B", 16, 3])],
        [
            numpy_helper.from_array(matrix, "matrix"),
            numpy_helper.from_array(np.array([-1, inputs]), "flat"),
            numpy_helper.from_array(np.array([-1, 16, 3]), "pose"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, metadata.to_metadata())
    onnx.save(model, str(path))
    return matrix
