"""Measures how often a lifter is as exact as it says, and how exact its vertical is by the camera's elevation and roll.

    python -m benchmarks.reliability --exact HELD_OUT=benchmarks/held_out/feet.pt ADAPTED=OUT/lifter.pt \\
        --clips CLIPS.npz --feet FEET.npz --test TEST.npz --people 01 05 14 127 135 \\
        --real shipped=feet adapted=RUN/lifter.pt --data FOLDER --out OUT

A reliability curve compares the share of coordinates that should lie within so many told deviations (of a normal
distribution) with the share that does: of the body's joints on the test file of the cross-domain benchmark, feet seen,
and of limbs on real detections. The vertical is measured on 2,000 windows of left-out people through drawn cameras,
feet not seen: the median angle over windows.
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import NormalDist

import numpy as np
import torch
import tyro

from benchmarks.feet import (
    LIMBS,
    answers_on_benchmark,
    answers_on_real,
    open_lifter,
    sequences_with_feet,
)
from sdk import Lifter
from sdk.commands.command_line import run_command
from sdk.errors import BadSetting
from sdk.skeletons.skeleton import H36M16, H36M20
from training.cameras.random_cameras import CameraRanges, film
from training.motion.readers.motion import load_motion
from training.motion.source_windows import SourceWindows

LEVELS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.683, 0.8, 0.9, 0.954)
ELEVATIONS_DEG = (-30, -15, 0, 15, 30, 45, 60, 75, 85)
ROLLS_DEG = (0, 10, 20, 45, 90, 135, 180)
_WINDOWS, _SEED = 2000, 5


@dataclass(frozen=True)
class Reliability:
    """Draw reliability curves, and measure the vertical."""

    exact: tuple[str, ...] = ()
    """Lifters for the benchmark, NAME=MODEL: a checkpoint (.pt), an .onnx file or a shipped lifter."""
    clips: Path | None = None
    """Motion of the benchmark's people."""
    feet: Path | None = None
    """Feet of the same clips."""
    test: Path | None = None
    """The labelled test file of the benchmark."""
    people: tuple[str, ...] = ()
    """People whose clips the vertical is measured on: left out by all lifters of --exact."""
    real: tuple[str, ...] = ()
    """Lifters for real detections, NAME=MODEL."""
    data: Path | None = None
    """Folder of real detections with truth."""
    out: Path = Path("runs/reliability")
    """Folder for reliability.png and reliability.json."""


def shares(errors: np.ndarray, deviations: np.ndarray) -> list[float]:
    """For each of `LEVELS`, the share of coordinates within as many deviations as should hold it."""
    far = np.abs(errors / deviations)
    return [float((far < NormalDist().inv_cdf((1 + level) / 2)).mean()) for level in LEVELS]


def vertical(lifter: Lifter, windows: SourceWindows) -> dict[str, dict[int, float]]:
    """Median angle in degrees between what it tells and the truth, by elevation and by roll."""
    by_elevation = {
        degrees: _angle(
            lifter, windows, CameraRanges(any_elevation_share=1.0, any_elevation_deg=(degrees - 5, degrees + 5)), 0
        )
        for degrees in ELEVATIONS_DEG
    }
    by_roll = {
        degrees: float(
            np.mean([_angle(lifter, windows, CameraRanges(roll_deg=0.0), side * degrees) for side in (1, -1)])
        )
        for degrees in ROLLS_DEG
    }
    return {"elevation": by_elevation, "roll": by_roll}


def _angle(lifter: Lifter, windows: SourceWindows, ranges: CameraRanges, roll_deg: float) -> float:
    random = torch.Generator().manual_seed(_SEED)
    seen = film(windows.sample(_WINDOWS, random), ranges, random)
    assert seen.up is not None
    turn = np.radians(roll_deg)
    flat = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]], np.float32)
    keypoints = np.full((_WINDOWS, seen.keypoints.shape[1], len(H36M20), 2), np.nan, np.float32)
    keypoints[:, :, : len(H36M16)] = seen.keypoints[:, :, : len(H36M16)].numpy() @ flat.T
    up = seen.up.numpy().copy()
    up[:, :2] = up[:, :2] @ flat.T
    told = lifter.form.unpacked(lifter.answer_windows(keypoints)).up
    assert told is not None
    cosine = (told * up).sum(-1) / np.linalg.norm(told, axis=-1) / np.linalg.norm(up, axis=-1)
    return float(np.degrees(np.median(np.arccos(np.clip(cosine, -1, 1)))))


def measure(settings: Reliability) -> None:
    """Print the tables, and write picture and numbers."""
    curves: dict[str, list[float]] = {}
    verticals: dict[str, dict[str, dict[int, float]]] = {}
    body = slice(1, len(H36M16))
    if settings.exact:
        if not (settings.clips and settings.feet and settings.test and settings.people):
            raise BadSetting("--exact needs --clips, --feet, --test and --people.")
        sequences = sequences_with_feet(settings.clips, settings.feet, settings.test)
        truth = np.concatenate([one.pose_m[::5] for one in sequences])
        clips = [one for one in load_motion(settings.clips) if one.name.split("_")[0] in settings.people]
        for name, lifter in map(_opened, settings.exact):
            answers = answers_on_benchmark(lifter, sequences, feet_seen=True)
            errors = np.concatenate([one.joints_m for one in answers]) - truth
            deviations = np.concatenate([_told(one.deviations_m) for one in answers])
            curves[f"{name}, exact 2D"] = shares(errors[:, body], deviations[:, body])
            step = 1 / lifter.metadata.frame_rate_hz
            verticals[name] = vertical(lifter, SourceWindows(clips, lifter.metadata.receptive_field, (step, step)))
    if settings.real:
        if settings.data is None:
            raise BadSetting("--real needs --data.")
        for name, lifter in map(_opened, settings.real):
            said = answers_on_real(lifter, settings.data)
            errors = (said.poses_m - said.truths_m)[:, LIMBS]
            curves[f"{name}, real detections"] = shares(errors, said.deviations_m[:, LIMBS])
    settings.out.mkdir(parents=True, exist_ok=True)
    print("| should hold |", *(f" {level:.0%} |" for level in LEVELS), sep="")
    print("|---" * (1 + len(LEVELS)), "|", sep="")
    for name, values in curves.items():
        print(f"| {name} |", *(f" {value:.0%} |" for value in values), sep="")
    for name, tables in verticals.items():
        for what, row in tables.items():
            print(f"{name}, up by {what}:", *(f"{degrees}: {error:.1f}" for degrees, error in row.items()))
    (settings.out / "reliability.json").write_text(json.dumps({"levels": LEVELS, "curves": curves, "up": verticals}))
    draw(curves, settings.out / "reliability.png")


def draw(curves: dict[str, list[float]], path: Path) -> None:
    """The curves beside the diagonal, on which a lifter knows exactly how sure it can be."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(5.2, 5), layout="constrained")
    axes.plot([0, 100], [0, 100], color="0.6", linewidth=1, label="as it should be")
    for name, values in curves.items():
        axes.plot(100 * np.array(LEVELS), 100 * np.array(values), marker="o", markersize=3, label=name)
    axes.set(xlabel="should lie within the told deviations, %", ylabel="do, %", xlim=(0, 100), ylim=(0, 100))
    axes.set_aspect("equal")
    axes.legend(loc="lower right", fontsize=8)
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


def _opened(named: str) -> tuple[str, Lifter]:
    name, _, model = named.partition("=")
    if not model:
        raise BadSetting(f"{named!r} names no lifter: write NAME=MODEL.")
    with tempfile.TemporaryDirectory() as folder:
        return name, open_lifter(model, Path(folder))


def _told(values: np.ndarray | None) -> np.ndarray:
    assert values is not None
    return values


def main() -> None:
    """Console script."""
    run_command(lambda: measure(tyro.cli(Reliability)))


if __name__ == "__main__":
    main()
