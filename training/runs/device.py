"""Opens the device that the user asked for, with Lightning Fabric."""

from __future__ import annotations

import torch
from lightning_fabric import Fabric

from sdk.errors import DeviceUnavailable
from sdk.runtime.sessions import parse_device


def open_device(device: str, threads: int = 0) -> Fabric:
    """A Fabric on that device.

    Args:
        device: `cpu`, `cuda`, `cuda:N`, or `auto` (CUDA if there is any). `fabric.device` is the chosen one.
        threads: CPU threads of torch; with 0, torch decides.

    Raises:
        UnknownDevice, DeviceUnavailable: no other device is used in its place.
    """
    kind, number = parse_device(device)
    if threads:
        torch.set_num_threads(threads)
    found = torch.cuda.device_count()
    if kind == "auto":
        kind = "cuda" if found else "cpu"
    if kind == "tensorrt":
        raise DeviceUnavailable("device 'tensorrt' runs engines; training needs --device cpu, cuda or auto.")
    if kind == "cpu":
        return Fabric(accelerator="cpu", devices=1)
    if number >= found:
        reason = f"torch {torch.__version__} sees {found} CUDA devices"
        raise DeviceUnavailable(f"device {device!r} is not there: {reason}. Use --device cpu or auto.")
    return Fabric(accelerator="cuda", devices=[number])
