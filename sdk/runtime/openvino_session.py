"""Runs an ONNX file on the CPU in OpenVINO, with the methods of an ONNX Runtime session.

OpenVINO computes in bfloat16 on processors that have it in hardware (Intel's since 2023, AMD's since Zen 4): a detector
takes little more than half of ONNX Runtime's time there, and its joints move by 0.2 to 1% of a person's height.
Elsewhere it computes in single precision.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sdk.errors import BadModelFile, MissingDependency
from sdk.runtime.external_data import checked_model
from sdk.runtime.sessions import SessionMetadata, SessionPort

if TYPE_CHECKING:
    import openvino


class OpenVinoSession:
    """Runs an ONNX file. It has the methods of `onnxruntime.InferenceSession` that this project uses.

    Args:
        path: The file.
        threads: CPU threads of a call; 0: OpenVINO decides.
        callers: How many threads call it at the same time. More than that wait for each other.

    Attributes:
        precision: What it computes in, in OpenVINO's words: `bf16` or `f32`.

    Raises:
        BadModelFile: OpenVINO can't read or compile the file.
        MissingDependency: OpenVINO is not installed.
    """

    def __init__(self, path: Path, threads: int = 0, callers: int = 1) -> None:
        core = _import_openvino().Core()
        # Pinned threads of several processes, as of several workers, would all sit on the same cores.
        config: dict[str, object] = {"NUM_STREAMS": callers, "ENABLE_CPU_PINNING": False}
        if threads:
            config["INFERENCE_NUM_THREADS"] = threads * callers
        try:
            self._compiled = core.compile_model(core.read_model(checked_model(path)), "CPU", config)
        except (ValueError, RuntimeError) as error:  # of checked_model; all that OpenVINO raises
            if isinstance(error, BadModelFile):
                raise
            reason = str(error).strip().splitlines()[-1]
            raise BadModelFile(f"{path}: OpenVINO can't open it: {reason}") from error
        self.precision = self._compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name()
        self._requests = threading.local()

    def get_inputs(self) -> list[SessionPort]:
        """The inputs, in the order of the graph."""
        return [_port(port) for port in self._compiled.inputs]

    def get_outputs(self) -> list[SessionPort]:
        """The outputs, in the order of the graph."""
        return [_port(port) for port in self._compiled.outputs]

    def get_modelmeta(self) -> SessionMetadata:
        """No metadata: OpenVINO does not pass on what an ONNX file states."""
        return SessionMetadata({})

    def get_providers(self) -> list[str]:
        """What runs it, and in which precision."""
        return [f"OpenVINO ({self.precision})"]

    def run(self, names: Sequence[str] | None, feeds: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        """Run the model. Returns the named outputs, or all, as arrays of their own."""
        wanted = self._compiled.outputs if names is None else [self._compiled.output(name) for name in names]
        if not hasattr(self._requests, "own"):
            self._requests.own = self._compiled.create_infer_request()
        answers = self._requests.own.infer(dict(feeds))
        return [np.array(answers[port]) for port in wanted]


def _import_openvino() -> openvino:
    """OpenVINO, without its telemetry: else each import is reported to Google Analytics, and nobody is asked."""
    if "openvino" not in sys.modules:
        sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # what is None can't be imported
    try:
        import openvino
    except ImportError:
        raise MissingDependency("openvino", "openvino", "device 'openvino'") from None
    # Its binding sets numpy up when it is first used. Two threads that do so at once wait for each other for ever.
    _ = openvino.Tensor(np.zeros(1, np.float32)).data
    return openvino


_TYPES = {"f32": "float", "f16": "float16", "i32": "int32", "i64": "int64", "u8": "uint8"}


def _port(port: openvino.ConstOutput) -> SessionPort:
    shape = [size.get_length() if size.is_static else None for size in port.get_partial_shape()]
    kind = port.get_element_type().get_type_name()
    return SessionPort(port.get_any_name(), shape, f"tensor({_TYPES.get(kind, kind)})")
