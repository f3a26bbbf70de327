"""What of a graph is in half precision."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, numpy_helper

from export.precision import write_precision


@pytest.fixture(scope="module", params=["lifter.onnx", "lifter.stream.onnx"])
def forms(request, graphs, tmp_path_factory):
    """A graph and its fp16 form."""
    path = tmp_path_factory.mktemp("half") / request.param
    write_precision(graphs / request.param, path, "fp16")
    return onnx.load(graphs / request.param), onnx.load(path)


def layer_weights(model):
    """Weight and bias of each layer, in order."""
    arrays = {one.name: numpy_helper.to_array(one) for one in model.graph.initializer}
    return [[arrays[name] for name in node.input[1:]] for node in model.graph.node if node.op_type == "Gemm"]


def test_first_and_last_layer_have_their_weights_unrounded_and_all_others_are_half(forms):
    exact, half = map(layer_weights, forms)
    assert len(exact) == len(half) > 2
    for layer in (0, -1):
        for before, after in zip(exact[layer], half[layer], strict=True):
            np.testing.assert_array_equal(after, before)
    for layer in half[1:-1]:
        assert all(array.dtype == np.float16 for array in layer)


def test_nothing_goes_through_half_precision_between_two_fp32_layers(forms):
    """What the first layer gives becomes half, and the states of the inner ones; nothing else."""
    _, half = forms
    casts = [node for node in half.graph.node if node.op_type == "Cast"]
    rounded = {node.output[0]: node.input[0] for node in casts if node.attribute[0].i == TensorProto.FLOAT16}
    assert not [node.name for node in casts if node.attribute[0].i == TensorProto.FLOAT and node.input[0] in rounded]
    first_layer = next(node for node in half.graph.node if node.op_type == "Gemm").output[0]
    of_frames = [one.name for one in half.graph.input][:2]  # keypoints, and the state that holds the last of them
    states = [one.name for one in half.graph.input][2:]
    assert sorted(rounded.values()) == sorted([first_layer, *states])
    assert not set(of_frames) & set(rounded.values())
