"""Imports one of the two TensorRT libraries (polygraphy must know it at import), and finds the GPU."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import os
from dataclasses import dataclass
from typing import Any, Literal, get_args

from sdk.errors import AdaptPoseError, DeviceUnavailable, MissingDependency, UnknownChoice

Builder = Literal["rtx", "tensorrt"]
"""`rtx`: TensorRT for RTX, which builds without a GPU, for consumer and workstation GPUs. `tensorrt`: standard
TensorRT, which builds only for the GPU of this machine."""

TITLES: dict[str, str] = {"rtx": "TensorRT for RTX", "tensorrt": "TensorRT"}
_MODULES = {"rtx": ("tensorrt_rtx", "tensorrt-rtx"), "tensorrt": ("tensorrt", "tensorrt")}
_SWITCH = "POLYGRAPHY_USE_TENSORRT_RTX"


class UnknownBuilder(UnknownChoice):
    """The name of a builder that does not exist."""

    kind = "builder of engines"


class OtherTensorRT(AdaptPoseError, RuntimeError):
    """This process already uses the other TensorRT."""


def import_tensorrt(builder: str) -> Any:
    """Import one TensorRT and have polygraphy use it.

    Args:
        builder: See `Builder`.

    Raises:
        UnknownBuilder: there is no such builder.
        MissingDependency: this TensorRT, or polygraphy, is not installed.
        OtherTensorRT: polygraphy already uses the other TensorRT in this process.
    """
    if builder not in get_args(Builder):
        raise UnknownBuilder(builder, get_args(Builder))
    module, package = _MODULES[builder]
    for name, needed in ((module, package), ("polygraphy", "polygraphy")):
        if importlib.util.find_spec(name) is None:
            raise MissingDependency(needed, "tensorrt" if builder == "rtx" else "tensorrt-proper", TITLES[builder])
    wanted = builder == "rtx"
    os.environ.setdefault(_SWITCH, str(int(wanted)))
    config = importlib.import_module("polygraphy.config")
    if bool(config.USE_TENSORRT_RTX) != wanted:
        raise OtherTensorRT(
            f"polygraphy is set to {TITLES['tensorrt' if wanted else 'rtx']} in this process, and {TITLES[builder]} "
            f"was asked for. Set {_SWITCH}={int(wanted)} before it is imported, or use another process for each."
        )
    return importlib.import_module(module)


def tensorrt_version(builder: str) -> str:
    """The installed version of a TensorRT.

    Raises:
        UnknownBuilder, MissingDependency, OtherTensorRT: as `import_tensorrt`.
    """
    return str(import_tensorrt(builder).__version__)


@dataclass(frozen=True)
class Gpu:
    """A GPU of this machine.

    Attributes:
        name: Name from NVIDIA.
        architecture: Compute capability in the form of engines, such as `SM86`.
        driver: Version of the driver.
    """

    name: str
    architecture: str
    driver: str

    def __str__(self) -> str:
        return f"{self.name} ({self.architecture}, driver {self.driver})"


def first_gpu() -> Gpu:
    """The GPU that CUDA uses by default: the first one in CUDA_VISIBLE_DEVICES.

    CUDA_DEVICE_ORDER is set so that CUDA numbers GPUs like the driver, unless it is set already.

    Raises:
        MissingDependency: nvidia-ml-py is not installed.
        DeviceUnavailable: there is no driver or no GPU; the message has the reason from the driver library.
    """
    if importlib.util.find_spec("pynvml") is None:
        raise MissingDependency("nvidia-ml-py", "tensorrt", "device 'tensorrt'")
    import pynvml

    os.environ.setdefault("CUDA_DEVICE_ORDER", "PCI_BUS_ID")
    visible = os.environ.get("CUDA_VISIBLE_DEVICES", "0").split(",")[0].strip()
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        raise DeviceUnavailable(
            f"device 'tensorrt' needs an NVIDIA GPU and its driver. NVIDIA's library says: {error}. Use lifter.onnx "
            "with device='cpu', or run it on a machine with a GPU."
        ) from error
    try:
        if visible.isdigit():
            handle = pynvml.nvmlDeviceGetHandleByIndex(int(visible))
        else:
            handle = pynvml.nvmlDeviceGetHandleByUUID(visible)
        major, minor = pynvml.nvmlDeviceGetCudaComputeCapability(handle)
        return Gpu(pynvml.nvmlDeviceGetName(handle), f"SM{major}{minor}", pynvml.nvmlSystemGetDriverVersion())
    except pynvml.NVMLError as error:
        raise DeviceUnavailable(
            f"device 'tensorrt': there is no GPU {visible!r} (the first of CUDA_VISIBLE_DEVICES) here. NVIDIA's "
            f"library says: {error}."
        ) from error
    finally:
        pynvml.nvmlShutdown()
