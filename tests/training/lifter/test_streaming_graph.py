"""lifter.stream.onnx as a contract, and equal to the dilated network, frame after frame."""

import dataclasses
import json

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from sdk.errors import BadModelFile
from sdk.lifting.model_metadata import LifterMetadata
from tests.lifters import random_lifter
from training.lifter.onnx_graphs import OPSET, streaming_graph, write_streaming_onnx
from training.lifter.streaming_lifter import StreamingLifter

METADATA = LifterMetadata(name="a random lifter", checkpoint_sha256="ab" * 32)


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    network = random_lifter(channels=32)
    path = tmp_path_factory.mktemp("graph") / "lifter.stream.onnx"
    write_streaming_onnx(network, METADATA, path)
    return network, path


def push_all(path, keypoints):
    """(B, T, J, C) pushed frame by frame from zeros: (B, T, J, 3), and the states that were handed on."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    names = [value.name for value in session.get_inputs()]
    states = [np.zeros((len(keypoints), *value.shape[1:]), np.float32) for value in session.get_inputs()[1:]]
    poses = []
    for frame in np.moveaxis(keypoints, 1, 0):
        joints, *states = session.run(None, dict(zip(names, [frame, *states], strict=True)))
        poses.append(joints)
    return np.stack(poses, 1)


@pytest.mark.parametrize("filter_widths", [(1,), (3,), (3, 3), (3, 3, 3), (1, 3), (3, 1, 5), (5, 3)])
def test_module_is_the_dilated_network(filter_widths):
    """In double precision, so that nothing but the folded weights' rounding is left."""
    network = random_lifter(filter_widths, channels=16).double()
    field = network.receptive_field
    keypoints = torch.rand(2, field + 9, 16, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    module = StreamingLifter(network).double()
    states = tuple(state.double() for state in module.start(2))
    poses = []
    with torch.no_grad():
        for frame in keypoints.unbind(1):
            pose, *states = module(frame, *states)
            poses.append(pose)
        expected = network.forward_sequence(keypoints)
    assert expected.std() > 0.1
    torch.testing.assert_close(torch.stack(poses, 1)[:, field - 1 :], expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("batch", [1, 5])
def test_onnx_runtime_gives_the_dilated_networks_poses(exported, batch):
    network, path = exported
    keypoints = torch.rand(batch, 40, 16, 2, generator=torch.Generator().manual_seed(batch)) * 2 - 1
    with torch.no_grad():
        expected = network.forward_sequence(keypoints).numpy()
    np.testing.assert_allclose(push_all(path, keypoints.numpy())[:, 26:], expected, rtol=0, atol=1e-5)


def test_edges_are_the_window_graphs_by_the_rule_in_the_file(exported):
    """The first and the last frame pushed 13 more times: the windows of a recording whose edge frames are repeated."""
    network, path = exported
    keypoints = torch.rand(1, 8, 16, 2, generator=torch.Generator().manual_seed(3))
    padded = torch.cat(
        [keypoints[:, :1].expand(-1, 13, -1, -1), keypoints, keypoints[:, -1:].expand(-1, 13, -1, -1)], 1
    )
    with torch.no_grad():
        expected = torch.stack([network(padded[:, t : t + 27]) for t in range(8)], 1).numpy()
    np.testing.assert_allclose(push_all(path, padded.numpy())[:, 26:], expected, rtol=0, atol=1e-5)
    edges = json.loads(onnx.load(path).metadata_props[1].value)["edges"]
    assert "the first frame 13 more times before it and the last one 13 more times after it" in edges
    assert "the first 26 mean nothing, and answer n is the pose of push n - 13" in edges


def test_graph_contract(exported):
    model = onnx.load(exported[1])
    onnx.checker.check_model(model, full_check=True)

    def shape(value):
        assert value.type.tensor_type.elem_type == onnx.TensorProto.FLOAT
        return [d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim]

    states = [("state_0", ["batch", 2, 32]), ("state_1", ["batch", 6, 32]), ("state_2", ["batch", 18, 32])]
    assert [(v.name, shape(v)) for v in model.graph.input] == [("keypoints", ["batch", 16, 2]), *states]
    assert [(v.name, shape(v)) for v in model.graph.output] == [
        ("joints", ["batch", 16, 3]),
        *((f"next_{name}", sizes) for name, sizes in states),
    ]
    assert [(o.domain, o.version) for o in model.opset_import] == [("", OPSET)] == [("", 18)]
    assert sum(node.op_type == "Gemm" for node in model.graph.node) == 6
    assert all(tensor.data_location == onnx.TensorProto.DEFAULT for tensor in model.graph.initializer)
    metadata = {p.key: p.value for p in model.metadata_props}
    assert list(metadata) == ["adaptpose_lifter", "adaptpose_graph"]
    assert LifterMetadata.from_metadata(metadata, "test") == METADATA
    described = json.loads(metadata["adaptpose_graph"])
    assert (described["kind"], described["precision"], described["lookahead_frames"]) == ("streaming", "fp32", 13)
    assert b".py" not in exported[1].read_bytes()
    assert [p.name for p in exported[1].parent.iterdir()] == ["lifter.stream.onnx"]


def test_a_frame_costs_one_column_a_layer():
    """One row through every matrix, whatever the receptive field: 8.5 million products at 27 x 1024."""
    model = streaming_graph(random_lifter((3,) * 4, channels=8))
    sizes = {tensor.name: tensor.dims for tensor in model.graph.initializer}
    products = [tuple(sizes[node.input[1]]) for node in model.graph.node if node.op_type == "Gemm"]
    assert products == [(8, 96), *[(8, 24), (8, 8)] * 3, (48, 8)]


def test_same_weights_same_bytes():
    network = random_lifter(channels=16)
    assert streaming_graph(network).SerializeToString() == streaming_graph(network).SerializeToString()


def test_metadata_of_another_network_is_refused(tmp_path):
    metadata = dataclasses.replace(METADATA, receptive_field=9)
    with pytest.raises(BadModelFile, match=r"the metadata says 9 frames .* the network takes 27 frames"):
        write_streaming_onnx(random_lifter(channels=16), metadata, tmp_path / "lifter.stream.onnx")
    assert not list(tmp_path.iterdir())
