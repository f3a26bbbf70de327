"""Weights in half precision: half the file, inputs and arithmetic as they were, answers within its rounding."""

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from tests.lifters import random_lifter
from training.lifter.onnx_graphs import lifter_graph, store_in_half


@pytest.fixture(scope="module")
def graphs():
    network = random_lifter((3, 3), channels=64).eval()
    whole, half = lifter_graph(network), lifter_graph(network)
    store_in_half(half)
    onnx.checker.check_model(half, full_check=True)
    return whole, half


def run(graph, keypoints):
    session = onnxruntime.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: keypoints})[0]


def test_half_the_file(graphs):
    whole, half = (len(graph.SerializeToString()) for graph in graphs)
    assert half < 0.6 * whole


def test_inputs_and_outputs_stay(graphs):
    for side in ("input", "output"):
        assert [str(v) for v in getattr(graphs[0].graph, side)] == [str(v) for v in getattr(graphs[1].graph, side)]


def test_the_same_poses_but_for_rounding(graphs):
    keypoints = torch.rand(32, 9, 16, 2, generator=torch.Generator().manual_seed(0)).numpy() * 2 - 1
    whole, half = (run(graph, keypoints) for graph in graphs)
    assert not np.array_equal(whole, half)
    np.testing.assert_allclose(half, whole, atol=3e-3 * np.abs(whole).max())


def test_biases_are_not_rounded(graphs):
    kinds = {w.name: (w.data_type, np.prod(w.dims)) for w in graphs[1].graph.initializer}
    assert all(kind != onnx.TensorProto.FLOAT16 for kind, size in kinds.values() if size < 1024)
    assert sum(kind == onnx.TensorProto.FLOAT16 for kind, _ in kinds.values()) >= 3
