"""Puts a lifter among the shipped ones: its checkpoint in half precision, and its two graphs, which share weights.

    python -m benchmarks.ship_lifter runs/feet/lifter.pt feet

It writes training/weights/NAME.pt, sdk/weights/NAME.onnx and sdk/weights/NAME.stream.onnx. The graphs are compared with
the checkpoint in half precision, as in adaptpose-export; how far that is from the given one is printed.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch

from export.command import Export, run_export
from export.real_windows import find_real_windows
from sdk.commands.command_line import run_command
from sdk.lifting.shipped_lifters import SHIPPED_LIFTERS
from sdk.lifting.windows import with_seen
from training.lifter.checkpoint import LifterCheckpoint, starting_checkpoint


def rounding_mm(given: LifterCheckpoint, rounded: LifterCheckpoint, windows: np.ndarray) -> np.ndarray:
    """Distances between the joints of two checkpoints of one architecture, (N, J) millimetres.

    Args:
        given: The checkpoint.
        rounded: The same in half precision.
        windows: (N, receptive_field, J, 2) float32; NaN where a joint is not seen.
    """
    batch = torch.from_numpy(with_seen(windows) if given.metadata.input_channels == 3 else windows)
    with torch.inference_mode():
        return (given.network(batch) - rounded.network(batch)).norm(dim=-1).numpy() * 1000


def ship(checkpoint_file: Path, name: str) -> None:
    """Write the three files of the shipped lifter `name`."""
    given, shipped = LifterCheckpoint.load(checkpoint_file), starting_checkpoint(Path(name))
    windows = find_real_windows(checkpoint_file.parent, given.metadata).windows
    given.save(shipped, half_storage=True)
    distances = rounding_mm(given, LifterCheckpoint.load(shipped), windows)
    print(f"half        {shipped}: {distances.max():.3f} mm at most, {distances.mean():.4f} in the mean from the given")
    run_export(Export(shipped, half_storage=True, share_weights=True, out=SHIPPED_LIFTERS[name]))


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path, help="the lifter.pt of a run")
    parser.add_argument("name", choices=SHIPPED_LIFTERS)
    settings = parser.parse_args()
    run_command(lambda: ship(settings.checkpoint, settings.name))


if __name__ == "__main__":
    main()
