"""Measures where people are placed in the camera, and the effect of settling bone lengths, on a labelled file.

    python benchmarks/placement.py LIFTER.onnx --test TEST.npz

Each sequence is processed frame by frame, as live. It measures: MPJPE and PA-MPJPE of lifted poses, and of poses with
settling bone lengths; the distance of the solved pelvis from the true one, with the true focal length and with the
assumed field of view, in total and across the line of sight; how much the depth shakes from frame to frame beyond the
true depth, solved and smoothed.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import tyro

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # a script sees its own folder only
from sdk import Lifter, Pinhole, Placement
from sdk.camera.pinhole_camera import ASSUMED
from sdk.camera.root_translation import root_position
from sdk.commands.command_line import run_command
from sdk.errors import BadTarget
from training.evaluation.benchmark_data import load_labelled_sequences
from training.evaluation.metrics import mpjpe, procrustes_aligned
from training.files.array_file import read_arrays


@dataclass(frozen=True)
class Places:
    """Measure `Placement`."""

    lifter: tyro.conf.Positional[Path]
    """Lifter (.onnx, or a run folder)."""
    test: Path
    """Labelled file with `joints_camera_m` and `focal`."""
    lookahead: str = "offline"
    """Look-ahead of the lifter: live, balanced or offline."""


def measure(settings: Places) -> dict[str, float]:
    """Named numbers, in mm."""
    lifter = Lifter(settings.lifter, lookahead=settings.lookahead)
    labelled = load_labelled_sequences(settings.test)
    focal = read_arrays(settings.test, ("focal",), BadTarget)["focal"]
    found: dict[str, list[np.ndarray]] = {}

    def note(name: str, values: np.ndarray) -> None:
        found.setdefault(name, []).append(np.asarray(values, np.float64).reshape(-1))

    for i, (start, length) in enumerate(zip(labelled.start, labelled.length, strict=True)):
        keypoints = labelled.keypoints[start : start + length]
        truth = labelled.joints_m[start : start + length]
        root, body = truth[:, 0], truth - truth[:, :1]
        times = np.arange(length) / labelled.frame_rate_hz
        lifted = lifter.lift_prepared(keypoints, times)
        true_camera = Pinhole(float(np.broadcast_to(focal, labelled.start.shape)[i]))
        for name, camera in (("true focal length", true_camera), ("assumed view", ASSUMED)):
            place = Placement(camera)
            placed = np.array([place(p, k, t)[1] for p, k, t in zip(lifted, keypoints, times, strict=True)])
            note(f"root, {name}", np.linalg.norm(placed - root, axis=-1))
            note(f"root across the line of sight, {name}", np.linalg.norm((placed - root)[:, :2], axis=-1))
            if camera is true_camera:
                solved = root_position(lifted, keypoints, camera)
                for how, path in (("solved", solved), ("smoothed", placed)):
                    note(f"tremble of the depth, {how}", np.abs(np.diff((path - root)[:, 2])))
        settle = Placement(settle_bones=True)
        settled = np.array([settle(p, k, t)[0] for p, k, t in zip(lifted, keypoints, times, strict=True)])
        for name, poses in (("as lifted", lifted), ("bones settled", settled)):
            a, b = torch.from_numpy(poses).float(), torch.from_numpy(body).float()
            note(f"MPJPE, {name}", np.array([float(mpjpe(x, y)) for x, y in zip(a[::5], b[::5], strict=True)]))
            aligned = procrustes_aligned(a[::5], b[::5])
            note(f"PA-MPJPE, {name}", np.array([float(mpjpe(x, y)) for x, y in zip(aligned, b[::5], strict=True)]))
    return {name: float(np.nanmean(np.concatenate(values))) * 1000 for name, values in found.items()}


def main() -> None:
    """Measure and print."""
    settings = tyro.cli(Places, description=__doc__)

    def run() -> None:
        print("| | mm |\n|---|---:|")
        for name, value in measure(settings).items():
            print(f"| {name} | {value:.1f} |")

    run_command(run)


if __name__ == "__main__":
    main()
