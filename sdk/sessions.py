"""ONNX Runtime sessions on the device that was asked for, and on no other."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from sdk.errors import BadModelFile, DeviceUnavailable, UnknownDevice

if TYPE_CHECKING:
    import onnxruntime

_PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}
DEVICES = ("cpu", "cuda", "cuda:N", "auto")


def open_session(path: Path, device: str = "cpu", threads: int = 0) -> onnxruntime.InferenceSession:
    """Open an ONNX file.

    Args:
        path: The file.
        device: `cpu`, `cuda`, `cuda:N`, or `auto`: CUDA where ONNX Runtime can start it, else the CPU;
            `session.get_providers()[0]` tells which.
        threads: Of one operator on the CPU; 0 leaves it to ONNX Runtime.

    Raises:
        BadModelFile: the file is missing, or not an ONNX model.
        UnknownDevice: a word that is none of the above.
        DeviceUnavailable: ONNX Runtime has no such device here, or fell back to another.
    """
    import onnxruntime

    path = Path(path)
    if not path.is_file():
        raise BadModelFile(f"no model file at {path}.")
    kind, number = parse_device(device)
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
    options.intra_op_num_threads = threads
    # Spinning threads win microseconds and lose milliseconds wherever a detector or a decoder wants the cores as well.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    choice: list[str | tuple[str, dict[str, str]]] = (
        [(provider, {"device_id": str(number)})] if kind == "cuda" else [provider]
    )
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=choice)
    except Exception as error:  # onnxruntime raises its own untyped exceptions
        raise BadModelFile(f"{path}: ONNX Runtime can't open it on {device!r}: {error}") from error
    if session.get_providers()[0] != provider and not either:
        raise DeviceUnavailable(
            f"device {device!r} was asked for, but ONNX Runtime opened {path} with {session.get_providers()[0]}: "
            f"{provider} can't start here (driver or CUDA libraries missing). Use device='cpu', or repair CUDA."
        )
    return session


def parse_device(device: str) -> tuple[str, int]:
    """Split a device word into its kind (`cpu`, `cuda` or `auto`) and its number.

    Raises:
        UnknownDevice: a word that is none of `DEVICES`.
    """
    match = re.fullmatch(r"(cpu|cuda|auto)(?:(?<=cuda):([0-9]+))?", device)
    if match is None:
        raise UnknownDevice(device, DEVICES)
    return match[1], int(match[2] or 0)
