"""The device that was asked for, and no other."""

import os

import onnxruntime
import pytest

from sdk.errors import BadModelFile, BadSetting, DeviceUnavailable, UnknownDevice
from sdk.lifting.model_metadata import LifterMetadata
from sdk.runtime import sessions
from sdk.runtime.sessions import open_session, parse_device
from tests.lifters import random_lifter
from training.lifter.onnx_graphs import write_lifter_onnx


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("sessions") / "lifter.onnx"
    write_lifter_onnx(random_lifter((3,), channels=8), LifterMetadata(3), path)
    return path


@pytest.mark.parametrize(
    ("word", "parts"),
    [
        ("cpu", ("cpu", 0)),
        ("cuda", ("cuda", 0)),
        ("cuda:3", ("cuda", 3)),
        ("auto", ("auto", 0)),
        ("openvino", ("openvino", 0)),
    ],
)
def test_device_words(word, parts):
    assert parse_device(word) == parts


@pytest.mark.parametrize(
    "word", ["gpu", "CPU", "cuda:x", "cuda:-1", "cpu:1", "auto:0", "openvino:0", "", "cuda:", "cpu:"]
)
def test_unknown_device_lists_the_known(word):
    with pytest.raises(
        UnknownDevice, match=r"is not a known device\. Known: cpu, openvino, cuda, cuda:N, tensorrt, auto\."
    ):
        parse_device(word)


def test_cpu_opens(model):
    assert open_session(model, "cpu").get_providers() == ["CPUExecutionProvider"]


@pytest.mark.parametrize("threads", [10**6, -1, 1.5, True, float("nan")])
def test_threads_that_no_machine_has(model, threads):
    with pytest.raises(BadSetting, match=r"threads is a whole number from 0 \(the library chooses\) to \d+, not"):
        open_session(model, "cpu", threads)


def test_unknown_device_before_anything_else(model):
    with pytest.raises(UnknownDevice, match="'tpu'"):
        open_session(model, "tpu")


@pytest.mark.parametrize("device", ["cuda", "cuda:1"])
def test_cuda_that_the_installation_lacks(model, device, monkeypatch):
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"])
    with pytest.raises(DeviceUnavailable, match=rf"device '{device}' needs .*CUDAExecutionProvider.*device='cpu'"):
        open_session(model, device)


def test_auto_without_cuda_is_the_cpu(model, monkeypatch):
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"])
    assert open_session(model, "auto").get_providers()[0] == "CPUExecutionProvider"


def test_a_session_that_fell_back_is_refused(model, monkeypatch):
    """ONNX Runtime lists CUDA, then opens the model on the CPU: a driver is missing."""

    class FellBack:
        def __init__(self, *_, **__):
            # As onnxruntime-gpu 1.31 does without CUDA.
            os.write(
                2,
                b"\x1b[1;31m2026 [E:onnxruntime:Default, provider_bridge_ort.cc:2458 operator()] /onnx.cc:2043 Get() "
                b"[ONNXRuntimeError] : 1 : FAIL : Failed to load library libonnxruntime_providers_cuda.so with error: "
                b"libcublasLt.so.13: cannot open shared object file\n\x1b[m\n",
            )

        def get_providers(self):
            return ["CPUExecutionProvider"]

    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: list(sessions._PROVIDERS.values()))
    monkeypatch.setattr(onnxruntime, "InferenceSession", FellBack)
    with pytest.raises(
        DeviceUnavailable,
        match=r"opened .* with CPUExecutionProvider.*ONNX Runtime says: Failed to load library .*libcublasLt\.so\.13",
    ):
        open_session(model, "cuda")
    assert open_session(model, "auto").get_providers() == ["CPUExecutionProvider"]  # that was asked for: either


def test_missing_file(tmp_path):
    with pytest.raises(BadModelFile, match=r"no model file at .*nowhere\.onnx"):
        open_session(tmp_path / "nowhere.onnx")


@pytest.mark.parametrize("content", [b"", b"not a model", b"\x08\x07" * 50])
def test_not_a_model(tmp_path, content):
    path = tmp_path / "bad.onnx"
    path.write_bytes(content)
    with pytest.raises(BadModelFile, match=r"bad\.onnx: ONNX Runtime can't open it on 'cpu'"):
        open_session(path)


def test_truncated_model(tmp_path, model):
    path = tmp_path / "half.onnx"
    path.write_bytes(model.read_bytes()[: model.stat().st_size // 2])
    with pytest.raises(BadModelFile, match=r"half\.onnx"):
        open_session(path)
