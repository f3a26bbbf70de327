"""Opens models on exactly the requested device: ONNX files in ONNX Runtime or OpenVINO, engines in TensorRT."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from sdk.errors import BadModelFile, BadSetting, DeviceUnavailable, UnknownDevice
from sdk.runtime.external_data import checked_model
from sdk.runtime.threads import thread_limit

_PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}
DEVICES = ("cpu", "openvino", "cuda", "cuda:N", "tensorrt", "auto")
ENGINE_SUFFIX = ".engine"
_MOST_THREADS = 256
"""Larger numbers are refused as mistakes. With a million threads, all memory was used before any error came."""


class Session(Protocol):
    """The methods of `onnxruntime.InferenceSession` that this project uses. An engine's session has them too."""

    def get_inputs(self) -> Sequence[Any]:
        """The inputs, each with `name`, `shape` and `type`."""

    def get_outputs(self) -> Sequence[Any]:
        """The outputs, each with `name`, `shape` and `type`."""

    def get_modelmeta(self) -> Any:
        """The metadata of the model, as `custom_metadata_map`."""

    def get_providers(self) -> Sequence[str]:
        """Execution providers. The first one runs the model."""

    def run(self, names: Sequence[str] | None, feeds: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        """Run the model. Returns the named outputs, or all."""


@dataclass(frozen=True)
class SessionPort:
    """A tensor of another library's session, with ONNX Runtime's attribute names. An open size is a name or None."""

    name: str
    shape: Sequence[int | str | None]
    type: str = "tensor(float)"


@dataclass(frozen=True)
class SessionMetadata:
    """Like ONNX Runtime's ModelMetadata."""

    custom_metadata_map: dict[str, str]


def open_session(path: Path, device: str = "cpu", threads: int = 0, callers: int = 1) -> Session:
    """Open an ONNX file or an engine.

    Args:
        path: The file. A file that ends in .engine is an engine; its metadata must be in the same folder.
        device: `cpu`, `cuda`, `cuda:N`, or `auto` (CUDA if ONNX Runtime can start it, else the CPU;
            `session.get_providers()[0]` is the chosen one); `openvino`, the CPU in another library and in the precision
            that is fastest on it (`sdk.runtime.openvino_session`). For an engine, only `tensorrt`.
        threads: CPU threads per operator. With 0, the limit of this process (`limit_threads`); without one, the library
            decides.
        callers: How many threads will call it at the same time. OpenVINO has to know it before.

    Raises:
        BadSetting: no machine has this number of threads.
        BadModelFile: the file is missing or not a model, or an engine is for another GPU, version or model.
        UnknownDevice: the device is none of the above.
        DeviceUnavailable: the device is not there, or the file can't run on it.
        MissingDependency: a package to run an engine, or OpenVINO, is not installed.
    """
    path = Path(path)
    kind, number = parse_device(device)
    most = max(_MOST_THREADS, os.cpu_count() or 1)
    if isinstance(threads, bool) or not isinstance(threads, int) or not 0 <= threads <= most:
        raise BadSetting(f"threads is a whole number from 0 (the library chooses) to {most}, not {threads!r}.")
    if not path.is_file():
        raise BadModelFile(f"no model file at {path}.")
    if path.suffix == ENGINE_SUFFIX:
        if kind != "tensorrt":
            raise DeviceUnavailable(
                f"{path} is an engine: it runs with device='tensorrt', not {device!r}. On other devices, run the .onnx "
                "file that it was built from."
            )
        from sdk.runtime.engine_session import EngineSession

        return EngineSession(path)
    if kind == "tensorrt":
        raise DeviceUnavailable(
            f"device 'tensorrt' runs engines, and {path} is none. Build one with adaptpose-export --trt, and open it."
        )
    if kind == "openvino":
        from sdk.runtime.openvino_session import OpenVinoSession

        return OpenVinoSession(path, threads or thread_limit(), callers)
    return _open_onnx(path, device, kind, number, threads)


def _open_onnx(path: Path, device: str, kind: str, number: int, threads: int) -> Session:
    import onnxruntime

    offered = onnxruntime.get_available_providers()
    either = kind == "auto"
    if either:
        kind = "cuda" if _PROVIDERS["cuda"] in offered else "cpu"
    provider = _PROVIDERS[kind]
    if provider not in offered:
        raise DeviceUnavailable(
            f"device {device!r} needs ONNX Runtime's {provider}, which this installation does not have (it has "
            f"{', '.join(offered)}). Install adaptpose[gpu] in place of onnxruntime, or use device='cpu'."
        )
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = threads or thread_limit()
    # Spinning threads save microseconds, but cost milliseconds when a detector or a decoder also needs the cores.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    choice: list[str | tuple[str, dict[str, str]]] = (
        [(provider, {"device_id": str(number)})] if kind == "cuda" else [provider]
    )
    said: list[str] = []
    try:
        path = checked_model(path)
        if kind == "cpu":
            session = onnxruntime.InferenceSession(str(path), options, providers=choice)
        else:  # ONNX Runtime only prints why CUDA does not start, and continues
            from sdk.runtime.captured_stderr import captured_stderr

            with captured_stderr() as said:
                session = onnxruntime.InferenceSession(str(path), options, providers=choice)
    except BadModelFile:
        raise
    except Exception as error:  # onnxruntime raises its own untyped exceptions
        raise BadModelFile(f"{path}: ONNX Runtime can't open it on {device!r}: {error}") from error
    if session.get_providers()[0] == provider:
        print("\n".join(said), end="\n" * bool(said), file=sys.stderr)
    elif not either:
        # Of several lines, this one has the reason: "[ONNXRuntimeError] : 1 : FAIL : reason".
        failures = [line.rpartition(" : ")[2] for line in said if "FAIL" in line]
        reason = (failures or said[-1:] or ["no reason given"])[0]
        raise DeviceUnavailable(
            f"device {device!r} was asked for, but ONNX Runtime opened {path} with {session.get_providers()[0]}: "
            f"{provider} can't start here. ONNX Runtime says: {reason.strip()}. Use device='cpu', or repair CUDA."
        )
    return session


def parse_device(device: str) -> tuple[str, int]:
    """Split a device word into its kind (`cpu`, `openvino`, `cuda`, `tensorrt` or `auto`) and its number.

    Raises:
        UnknownDevice: the word is not in `DEVICES`.
    """
    match = re.fullmatch(r"(cpu|openvino|cuda|tensorrt|auto)(?:(?<=cuda):([0-9]+))?", device)
    if match is None:
        raise UnknownDevice(device, DEVICES)
    return match[1], int(match[2] or 0)
