"""Describes the machine of a measurement."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from pathlib import Path

from sdk.errors import AdaptPoseError
from sdk.runtime.tensorrt_runtime import first_gpu

_PACKAGES = ("onnxruntime", "onnxruntime-gpu", "torch", "tensorrt-rtx", "tensorrt", "polygraphy", "numpy")


def describe_machine() -> dict[str, object]:
    """Processor, cores, GPU, system and versions, for a JSON file."""
    versions = {}
    for name in _PACKAGES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    try:
        gpu: str | None = str(first_gpu())
    except AdaptPoseError:  # no GPU, no driver, or no library to ask
        gpu = None
    return {
        "processor": cpu_name(),
        "cores": os.cpu_count(),
        "gpu": gpu,
        "system": platform.platform(),
        "python": platform.python_version(),
        "versions": versions,
    }


def cpu_name() -> str:
    """The name of the processor, from the system."""
    information = Path("/proc/cpuinfo")
    if information.is_file():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
