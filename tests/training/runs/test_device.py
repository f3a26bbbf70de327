"""The device that was asked for, and no other."""

import pytest
import torch

from sdk.errors import DeviceUnavailable, UnknownDevice
from training.runs.device import open_device


def test_cpu():
    assert open_device("cpu").device == torch.device("cpu")


def test_auto_without_cuda_is_the_cpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    assert open_device("auto").device == torch.device("cpu")


@pytest.mark.parametrize(("device", "there"), [("cuda", 0), ("cuda:0", 0), ("cuda:2", 2)])
def test_cuda_that_is_not_there(monkeypatch, device, there):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: there)
    with pytest.raises(DeviceUnavailable, match=rf"device '{device}' is not there: .* sees {there} CUDA devices"):
        open_device(device)


@pytest.mark.parametrize("device", ["gpu", "cuda:", "cuda:x", "cpu:0", "mps", ""])
def test_unknown(device):
    with pytest.raises(
        UnknownDevice, match=r"is not a known device\. Known: cpu, openvino, cuda, cuda:N, tensorrt, auto"
    ):
        open_device(device)


@pytest.mark.parametrize(("device", "runs"), [("tensorrt", "engines"), ("openvino", "2D detectors")])
def test_devices_that_do_not_train(device, runs):
    with pytest.raises(DeviceUnavailable, match=f"device '{device}' runs {runs}; training needs --device cpu"):
        open_device(device)


def test_threads():
    before = torch.get_num_threads()
    try:
        open_device("cpu", threads=1)
        assert torch.get_num_threads() == 1
        open_device("cpu", threads=0)
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)
