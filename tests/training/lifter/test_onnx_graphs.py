"""lifter.onnx as a contract: numbers, names, shapes, opset, metadata; written whole or not at all."""

import dataclasses
import importlib.util
import json
import logging

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from sdk.errors import BadModelFile
from sdk.lifting import graph_metadata
from sdk.lifting import lifter as sdk_lifter
from sdk.lifting.model_metadata import METADATA_KEY, LifterMetadata
from tests.lifters import random_lifter
from training.lifter.folded_lifter import FoldedLifter, fold_norm
from training.lifter.onnx_graphs import OPSET, lifter_graph, write_lifter_onnx

METADATA = LifterMetadata(name="a random lifter", checkpoint_sha256="ab" * 32)


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    network = random_lifter(channels=32)
    path = tmp_path_factory.mktemp("graph") / "lifter.onnx"
    write_lifter_onnx(network, METADATA, path)
    return network, path


def run(path, windows):
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(["joints"], {"keypoints": windows.numpy()})[0]


@pytest.mark.parametrize("batch", [1, 7, 512])
def test_onnx_runtime_gives_the_networks_poses(exported, batch):
    network, path = exported
    windows = torch.rand(batch, 27, 16, 2, generator=torch.Generator().manual_seed(batch)) * 2 - 1
    with torch.no_grad():
        expected = network(windows).numpy()
    assert expected.std() > 0.1  # a constant would be easy to match
    np.testing.assert_allclose(run(path, windows), expected, atol=1e-5)


@pytest.mark.parametrize("filter_widths", [(1,), (1, 1, 1), (3, 3), (3, 3, 3), (1, 3), (3, 1, 5)])
def test_every_architecture_exports(tmp_path, filter_widths):
    network = random_lifter(filter_widths, channels=16)
    metadata = dataclasses.replace(METADATA, receptive_field=network.receptive_field)
    write_lifter_onnx(network, metadata, tmp_path / "lifter.onnx")
    windows = torch.rand(5, network.receptive_field, 16, 2, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected = network(windows).numpy()
    np.testing.assert_allclose(run(tmp_path / "lifter.onnx", windows), expected, atol=1e-5)


def test_graph_contract(exported):
    model = onnx.load(exported[1])
    onnx.checker.check_model(model, full_check=True)

    def shape(value):
        assert value.type.tensor_type.elem_type == onnx.TensorProto.FLOAT
        return [d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim]

    assert [(v.name, shape(v)) for v in model.graph.input] == [("keypoints", ["batch", 27, 16, 2])]
    assert [(v.name, shape(v)) for v in model.graph.output] == [("joints", ["batch", 16, 3])]
    assert [(o.domain, o.version) for o in model.opset_import] == [("", OPSET)] == [("", 18)]
    # Batch normalisation is folded, and every layer is two-dimensional.
    assert [node.op_type for node in model.graph.node] == [
        *["Reshape", "Gemm", "Relu"],
        *["Reshape", "Slice", "Gemm", "Relu", "Gemm", "Relu", "Add"] * 2,
        *["Gemm", "Reshape"],
    ]
    assert all(tensor.data_location == onnx.TensorProto.DEFAULT for tensor in model.graph.initializer)


def test_file_carries_the_metadata_and_nothing_of_the_machine(exported):
    model = onnx.load(exported[1])
    entries = {p.key: p.value for p in model.metadata_props}
    assert list(entries) == [METADATA_KEY, graph_metadata.METADATA_KEY] == ["adaptpose_lifter", "adaptpose_graph"]
    assert LifterMetadata.from_metadata(entries, "test") == METADATA
    # Also for readers that are not this project: what goes in, and what comes out.
    described = json.loads(entries["adaptpose_graph"])
    assert (described["kind"], described["precision"], described["lookahead_frames"]) == ("window", "fp32", 13)
    assert described["input"].startswith("x = (x_px - width / 2) * 2 / max(width, height)")
    assert described["output"] == "metres, relative to the pelvis (joint 0), camera axes x right, y down, z forward"
    assert "that frame is repeated" in described["edges"]
    metadata = json.loads(entries["adaptpose_lifter"])
    assert {key: metadata[key] for key in ("skeleton", "normalisation", "frame_rate_hz", "checkpoint_sha256")} == {
        "skeleton": "h36m16",
        "normalisation": "screen",
        "frame_rate_hz": 25.0,
        "checkpoint_sha256": "ab" * 32,
    }
    assert metadata["project_version"]
    assert b".py" not in exported[1].read_bytes()
    assert [p.name for p in exported[1].parent.iterdir()] == ["lifter.onnx"]  # no external data, no temporary file


def test_sdk_opens_it(exported):
    network, path = exported
    lifter = sdk_lifter.Lifter(path)
    assert lifter.metadata == METADATA
    windows = torch.rand(3, 27, 16, 2, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        np.testing.assert_allclose(lifter.lift_windows(windows.numpy()), network(windows).numpy(), atol=1e-5)


def test_the_exporter_does_not_speak_of_packages_that_are_not_needed(tmp_path, monkeypatch):
    """Where torchvision is missing, torch names four of its operators at each export."""
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *more: None if name == "torchvision" else found(name))
    told = []
    handler = logging.Handler()
    handler.emit = told.append
    logger = logging.getLogger("torch.onnx._internal.exporter._registration")
    logger.addHandler(handler)
    try:
        write_lifter_onnx(random_lifter(channels=16), METADATA, tmp_path / "lifter.onnx")
        assert not told
        logger.warning("others may")
        assert len(told) == 1
    finally:
        logger.removeHandler(handler)


def test_same_weights_same_bytes():
    network = random_lifter(channels=16)
    assert lifter_graph(network).SerializeToString() == lifter_graph(network).SerializeToString()


def test_export_leaves_the_network_alone(tmp_path):
    network = random_lifter(channels=16).train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    write_lifter_onnx(network, METADATA, tmp_path / "lifter.onnx")
    assert network.training
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())


@pytest.mark.parametrize("bias", [True, False])
def test_folded_layer_by_hand(bias):
    # y = ((2 x + b) - 3) / sqrt(15.75 + 0.25) * 8 + 1, b = 5 or 0
    linear, norm = torch.nn.Linear(1, 1, bias=bias), torch.nn.BatchNorm1d(1, eps=0.25)
    with torch.no_grad():
        linear.weight.fill_(2)
        if bias:
            linear.bias.fill_(5)
        norm.running_mean.fill_(3)
        norm.running_var.fill_(15.75)
        norm.weight.fill_(8)
        norm.bias.fill_(1)
    folded = fold_norm(linear, norm)
    assert folded.weight.item() == 4
    assert folded.bias.item() == (5 if bias else -5)


def test_folding_is_exact_in_double_precision():
    network = random_lifter(channels=16).double()
    windows = torch.rand(4, 27, 16, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        difference = FoldedLifter(network).double()(windows) - network(windows)
    assert difference.abs().max() < 1e-6  # float32 storage of the folded weights is all that is left


@pytest.mark.parametrize("changes", [{"receptive_field": 9}, {"skeleton": "h36m20"}])
def test_metadata_of_another_network_is_refused(tmp_path, changes):
    with pytest.raises(BadModelFile, match=r"the metadata says .* the network takes 27 frames of 16 joints"):
        write_lifter_onnx(
            random_lifter(channels=16), dataclasses.replace(METADATA, **changes), tmp_path / "lifter.onnx"
        )
    assert not list(tmp_path.iterdir())


def test_failed_write_keeps_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "lifter.onnx"
    path.write_bytes(b"old")

    def disk_full(self, content):
        with open(self, "wb") as file:
            file.write(content[:10])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", disk_full)
    with pytest.raises(OSError, match="No space left"):
        write_lifter_onnx(random_lifter(channels=16), METADATA, path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_nothing_is_printed(tmp_path, capfd):
    write_lifter_onnx(random_lifter(channels=16), METADATA, tmp_path / "lifter.onnx")
    assert capfd.readouterr() == ("", "")
