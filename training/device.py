"""The device that was asked for, through Lightning Fabric."""

from __future__ import annotations

import torch
from lightning_fabric import Fabric

from sdk.errors import DeviceUnavailable, UnknownDevice

DEVICES = ("cpu", "cuda", "cuda:N", "auto")


def open_device(device: str, threads: int = 0) -> Fabric:
    """A Fabric on that device.

    Args:
        device: `cpu`, `cuda`, `cuda:N`, or `auto` for CUDA where there is one; `fabric.device` tells which.
        threads: CPU threads of torch; 0 leaves them alone.

    Raises:
        UnknownDevice, DeviceUnavailable: nothing else is used in its place.
    """
    kind, _, number = device.partition(":")
    if kind not in ("cpu", "cuda", "auto") or (number and (kind != "cuda" or not number.isdigit())):
        raise UnknownDevice(device, DEVICES)
    if threads:
        torch.set_num_threads(threads)
    found = torch.cuda.device_count()
    if kind == "auto":
        kind = "cuda" if found else "cpu"
    if kind == "cpu":
        return Fabric(accelerator="cpu", devices=1)
    if int(number or 0) >= found:
        reason = f"torch {torch.__version__} sees {found} CUDA devices"
        raise DeviceUnavailable(f"device {device!r} is not there: {reason}. Use --device cpu or auto.")
    return Fabric(accelerator="cuda", devices=[int(number or 0)])
