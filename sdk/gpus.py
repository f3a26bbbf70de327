"""The NVIDIA GPU that an engine would run on, as the driver's own library names it."""

from __future__ import annotations

import importlib.util
import os
from dataclasses import dataclass

from sdk.errors import DeviceUnavailable, MissingDependency


@dataclass(frozen=True)
class Gpu:
    """A GPU of this machine.

    Attributes:
        name: As NVIDIA calls it.
        architecture: Its compute capability as engines name it, such as `SM86`.
        driver: Version of the driver.
    """

    name: str
    architecture: str
    driver: str

    def __str__(self) -> str:
        return f"{self.name} ({self.architecture}, driver {self.driver})"


def first_gpu() -> Gpu:
    """The GPU that CUDA uses where nothing else is said: the first one that CUDA_VISIBLE_DEVICES leaves.

    CUDA is told to number GPUs as the driver does (CUDA_DEVICE_ORDER), unless that is set already.

    Raises:
        MissingDependency: without nvidia-ml-py.
        DeviceUnavailable: no driver, or no GPU; with the driver library's own reason.
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
