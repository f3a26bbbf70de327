"""ONNX files in OpenVINO: the answers of ONNX Runtime, and refusals that name the way out."""

import os
import subprocess
import sys
import threading
from importlib.metadata import version

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from sdk.detectors.onnx_models import OnnxModel, open_onnx_detector
from sdk.errors import BadModelFile, DeviceUnavailable, MissingDependency
from sdk.lifting.lifter import Lifter
from sdk.runtime import openvino_session
from sdk.runtime.sessions import open_session
from tests.sdk.openvino_at_hand import needs_openvino

IMAGES = np.random.default_rng(0).normal(size=(2, 3, 8, 8)).astype(np.float32)


@pytest.fixture
def convolution(tmp_path):
    """A graph with an open batch and two outputs."""
    weights = np.random.default_rng(1).normal(size=(4, 3, 3, 3)).astype(np.float32) / 5
    images = helper.make_tensor_value_info("images", TensorProto.FLOAT, ["batch", 3, 8, 8])
    outputs = [
        helper.make_tensor_value_info("all", TensorProto.FLOAT, ["batch", 4, 6, 6]),
        helper.make_tensor_value_info("most", TensorProto.FLOAT, ["batch", 4, 1, 1]),
    ]
    nodes = [
        helper.make_node("Conv", ["images", "w"], ["all"]),
        helper.make_node("GlobalMaxPool", ["all"], ["most"]),
    ]
    graph = helper.make_graph(nodes, "g", [images], outputs, [numpy_helper.from_array(weights, "w")])
    path = tmp_path / "convolution.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8), path)
    return path


def test_without_openvino_the_extra_is_named(convolution, monkeypatch):
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(MissingDependency, match=r"device 'openvino' needs .* pip install 'adaptpose\[openvino\]'"):
        open_session(convolution, "openvino")


def test_a_lifter_stays_in_single_precision():
    with pytest.raises(DeviceUnavailable, match=r"device 'openvino' runs 2D detectors.*device='cpu'"):
        Lifter("fast", device="openvino")


@needs_openvino
class TestWithOpenVino:
    def test_answers_are_onnx_runtimes(self, convolution):
        session = open_session(convolution, "openvino", threads=1)
        wanted = onnxruntime.InferenceSession(convolution).run(None, {"images": IMAGES})
        found = session.run(None, {"images": IMAGES})
        assert session.get_providers() == [f"OpenVINO ({session.precision})"]
        tolerance = {"f32": 1e-5, "bf16": 2e-2}[session.precision]
        for one, other in zip(found, wanted, strict=True):
            np.testing.assert_allclose(one, other, atol=tolerance)

    def test_ports_are_onnx_runtimes(self, convolution):
        session, other = open_session(convolution, "openvino"), onnxruntime.InferenceSession(convolution)
        for found, wanted in (
            (session.get_inputs(), other.get_inputs()),
            (session.get_outputs(), other.get_outputs()),
        ):
            assert [(port.name, port.type) for port in found] == [(port.name, port.type) for port in wanted]
            assert [port.shape[1:] for port in found] == [port.shape[1:] for port in wanted]
            assert [port.shape[0] for port in found] == [None] * len(found)

    def test_named_outputs_come_in_the_order_asked_for(self, convolution):
        session = open_session(convolution, "openvino")
        every = session.run(None, {"images": IMAGES})
        most, al = session.run(["most", "all"], {"images": IMAGES})
        np.testing.assert_array_equal(most, every[1])
        np.testing.assert_array_equal(al, every[0])

    def test_an_answer_is_not_overwritten_by_the_next(self, convolution):
        session = open_session(convolution, "openvino")
        (first, _) = session.run(None, {"images": IMAGES})
        kept = first.copy()
        session.run(None, {"images": -IMAGES})
        np.testing.assert_array_equal(first, kept)

    def test_two_threads_at_once(self, convolution):
        session = open_session(convolution, "openvino", 1, callers=2)
        wanted = {sign: session.run(None, {"images": sign * IMAGES})[0] for sign in (1, -1)}
        wrong = []

        def look(sign):
            for _ in range(100):
                if not np.array_equal(session.run(None, {"images": sign * IMAGES})[0], wanted[sign]):
                    wrong.append(sign)

        threads = [threading.Thread(target=look, args=(sign,)) for sign in wanted]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not wrong

    def test_two_threads_from_the_first_call_on(self, convolution):
        """OpenVINO 2026.4 hangs in a quarter of such runs, unless numpy was set up before."""
        program = (
            "import sys, threading, numpy, pathlib\n"
            "from sdk.runtime.sessions import open_session\n"
            "sys.setswitchinterval(1e-6)\n"
            "session = open_session(pathlib.Path(sys.argv[1]), 'openvino', 1, callers=2)\n"
            "images, both = numpy.zeros((1, 3, 8, 8), numpy.float32), threading.Barrier(2)\n"
            "look = lambda: (both.wait(), session.run(None, {'images': images}))\n"
            "threads = [threading.Thread(target=look) for _ in range(2)]\n"
            "[thread.start() for thread in threads], [thread.join() for thread in threads]\n"
        )
        for _ in range(3):
            subprocess.run([sys.executable, "-c", program, str(convolution)], check=True, timeout=60)

    def test_nothing_is_sent(self, convolution, tmp_path):
        """The import alone reports to Google Analytics, and writes a number for this user to ~/intel."""
        version("openvino-telemetry")  # is installed
        program = (
            "import pathlib, socket, sys\n"
            "def connect(*_): raise SystemExit('something is sent')\n"
            "socket.socket.connect = socket.getaddrinfo = connect\n"
            "from sdk.runtime.sessions import open_session\n"
            "open_session(pathlib.Path(sys.argv[1]), 'openvino')\n"
            "assert not any(name.startswith('openvino_telemetry.') for name in sys.modules)\n"
        )
        home = tmp_path / "home"
        home.mkdir()
        environment = {**os.environ, "HOME": str(home)}
        for name in ("CI", "TF_BUILD", "JENKINS_URL"):  # where it sends nothing
            environment.pop(name, None)
        subprocess.run([sys.executable, "-c", program, str(convolution)], check=True, timeout=60, env=environment)
        assert not list(home.iterdir())

    def test_a_model_names_its_precision(self, convolution):
        model, on_cpu = OnnxModel(convolution, "openvino"), OnnxModel(convolution)
        assert model.device == "openvino"
        assert model.identity.startswith(f"{on_cpu.identity}-openvino-")
        twin = model.for_two_threads
        assert twin is not None
        np.testing.assert_array_equal(twin.run(IMAGES)[0], model.run(IMAGES)[0])

    def test_a_damaged_file_is_named(self, tmp_path):
        path = tmp_path / "broken.onnx"
        path.write_bytes(b"\x08\x08\x12\x03abc")
        with pytest.raises(BadModelFile, match=r"broken\.onnx"):
            open_session(path, "openvino")

    def test_weights_in_other_files_are_refused(self, convolution):
        onnx.save(onnx.load(convolution), convolution, save_as_external_data=True, location="w.bin", size_threshold=0)
        with pytest.raises(BadModelFile, match="keeps weights in other files"):
            open_session(convolution, "openvino")

    def test_no_detector(self, convolution):
        with pytest.raises(BadModelFile, match="holds no known detector"):
            open_onnx_detector(convolution, None, "openvino")

    def test_threads_are_those_of_a_call(self, convolution):
        session = openvino_session.OpenVinoSession(convolution, 1, callers=2)
        assert session._compiled.get_property("INFERENCE_NUM_THREADS") == 2
        assert session._compiled.get_property("NUM_STREAMS") == 2
