"""Opens the device that the user asked for, with Lightning Fabric."""

from __future__ import annotations

import torch
from lightning_fabric import Fabric
from lightning_fabric.strategies import DDPStrategy

from sdk.errors import DeviceUnavailable
from sdk.runtime.sessions import parse_device


def open_device(device: str, threads: int = 0, *, devices: int = 1, num_nodes: int = 1) -> Fabric:
    """A Fabric on that device. With several processes, call its `launch` before anything is written.

    Args:
        device: `cpu`, `cuda`, `cuda:N`, or `auto` (CUDA if there is any). `fabric.device` is the chosen one.
        threads: CPU threads of torch in each process; with 0, torch decides.
        devices: Processes on each machine: one for each CUDA device, or so many on the CPU.
        num_nodes: Machines.

    Raises:
        UnknownDevice, DeviceUnavailable: no other device is used in its place.
    """
    kind, number = parse_device(device)
    if threads:
        torch.set_num_threads(threads)
    found = torch.cuda.device_count()
    if kind == "auto":
        kind = "cuda" if found else "cpu"
    if kind in ("tensorrt", "openvino"):
        runs = "engines" if kind == "tensorrt" else "2D detectors"
        raise DeviceUnavailable(f"device {kind!r} runs {runs}; training needs --device cpu, cuda or auto.")
    if devices * num_nodes > 1:
        return _several(kind, device, devices, num_nodes, found)
    if kind == "cpu":
        return Fabric(accelerator="cpu", devices=1)
    if number >= found:
        reason = f"torch {torch.__version__} sees {found} CUDA devices"
        raise DeviceUnavailable(f"device {device!r} is not there: {reason}. Use --device cpu or auto.")
    return Fabric(accelerator="cuda", devices=[number])


def _several(kind: str, device: str, devices: int, num_nodes: int, found: int) -> Fabric:
    if device.startswith("cuda:"):
        raise DeviceUnavailable(
            f"--device {device} names one device, and --devices {devices} --num-nodes {num_nodes} asks for "
            f"{devices * num_nodes} processes. Use --device cuda; CUDA_VISIBLE_DEVICES says which."
        )
    if kind == "cuda" and devices > found:
        raise DeviceUnavailable(
            f"--devices {devices}: torch {torch.__version__} sees {found} CUDA devices on this machine. Use --devices "
            f"{found}, or --device cpu."
            if found
            else f"--devices {devices} --device cuda: torch {torch.__version__} "
            "sees no CUDA device on this machine. Use --device cpu."
        )
    strategy = DDPStrategy(process_group_backend="nccl" if kind == "cuda" else "gloo")
    return Fabric(accelerator=kind, devices=devices, num_nodes=num_nodes, strategy=strategy)
