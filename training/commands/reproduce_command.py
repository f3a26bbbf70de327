"""`adaptpose-reproduce`: the paper's tables and figures, on the user's copies of its data sets."""

from __future__ import annotations

import os

import tyro

from sdk.commands.command_line import require_packages, run_command
from training.settings.reproduce import Reproduce


def reproduce_command(settings: Reproduce) -> None:
    """Reproduce, and print where the files are."""
    require_packages("torch", "roma", "lightning_fabric", "tensorboard", extra="train", purpose="adaptpose-reproduce")
    if settings.rehearse:
        require_packages("cdflib", "scipy", "h5py", extra="datasets", purpose="adaptpose-reproduce --rehearse")

    from training.reproduction.reproduction import reproduce

    for path in reproduce(settings):
        print(f"written   {path}")


def main() -> None:
    """Console script."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch is loaded; why: training/commands/command.py
    run_command(lambda: reproduce_command(tyro.cli(Reproduce, prog="adaptpose-reproduce")))


if __name__ == "__main__":
    main()
