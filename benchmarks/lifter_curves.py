"""Measures a lifter's error against its input: look-ahead, noise, missing joints, frame rate, camera elevation, roll.

    python benchmarks/lifter_curves.py LIFTER.onnx [OTHER.onnx ...] --clips CLIPS.npz --people 01 05 14 127 135 \\
        --test TEST.npz --out runs/curves

Every lifter must be trained without the named people. The look-ahead is measured on the labelled file, by the
benchmark's protocol. The rest is measured on windows of the people's clips through varied cameras, the same for all
lifters; of a lifter with feet, the body is measured and no foot is seen. The last table has the distance between the
answer to a mirrored input and the mirrored answer. It writes curves.json, curves.md and curves.png into `out`;
`--curves roll` measures one curve anew.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")  # no display needed
import matplotlib.pyplot as plt
import numpy as np
import torch
import tyro
from torch import Tensor

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # a script sees its own folder only
from sdk import Lifter
from sdk.commands.command_line import run_command
from sdk.lifting.mirrored import mirror
from sdk.lifting.windows import sample_windows, without_feet
from training.cameras.detector_noise import add_detector_noise
from training.cameras.random_cameras import CameraRanges, CameraWindows, film
from training.evaluation.benchmark_data import load_labelled_sequences
from training.evaluation.evaluate import evaluate
from training.evaluation.metrics import mpjpe, procrustes_aligned
from training.motion.readers.motion import load_motion
from training.motion.source_windows import SourceWindows

LOOKAHEADS = (0, 1, 2, 3, 5, 8, 13, 20, 40)
NOISES = (0.0, 0.01, 0.02, 0.03, 0.05)
MISSING = (0.0, 0.05, 0.1, 0.2, 0.4)
RATES_HZ = (8.0, 10.0, 15.0, 20.0, 25.0, 30.0, 60.0)
ELEVATIONS_DEG = (-30.0, -15.0, 0.0, 15.0, 30.0, 45.0, 60.0, 75.0, 85.0)
ROLLS_DEG = (0.0, 5.0, 10.0, 20.0, 30.0, 45.0, 60.0, 90.0, 120.0, 150.0, 180.0)
ROLL = "roll, degrees"
MIRRORED_INPUT = "mirrored input, off the mirrored pose"
CURVES = (
    "look-ahead, frames",
    "noise, share of the person",
    "joints missing",
    "frame rate, Hz",
    "elevation, degrees",
    ROLL,
    MIRRORED_INPUT,
)
_WINDOWS = 2000
_SEED = 5

Errors = tuple[float, float]
"""MPJPE and PA-MPJPE, mm."""
Results = dict[str, dict[str, dict[str, Errors]]]
"""By lifter, by curve, by value."""


@dataclass(frozen=True)
class Curves:
    """Measure lifters with input as in real use."""

    lifters: tyro.conf.Positional[tuple[Path, ...]]
    """Lifters (.onnx, or run folders)."""
    clips: Path
    """Motion: npz of joint positions in metres, z up, clips named PERSON_NUMBER."""
    people: tuple[str, ...]
    """People whose clips are used. None of the lifters was trained on them."""
    test: Path
    """The benchmark's labelled file, with people that none of the lifters was trained on."""
    out: Path
    """Folder for the results."""
    curves: tuple[str, ...] = ()
    """Which curves to measure, by their first word: look-ahead, noise, joints, frame, elevation, roll, mirrored. All if
    none is given. What curves.json in `out` has of others is kept."""


def measure(settings: Curves) -> Results:
    """Errors by lifter, by curve, by value: what is asked for, beside what the folder already has."""
    clips = [clip for clip in load_motion(settings.clips) if clip.name.split("_")[0] in settings.people]
    results = read_results(settings.out)
    for path in settings.lifters:
        lifter = Lifter(path)
        name = path.parent.name if path.name == "lifter.onnx" else path.stem
        kept = results.setdefault(name, {})
        for curve, errors in _curves(lifter, path, clips, settings.test).items():
            if not settings.curves or curve.startswith(settings.curves):
                kept[curve] = errors()
        results[name] = {curve: kept[curve] for curve in CURVES if kept.get(curve)}
    return results


def _curves(lifter: Lifter, path: Path, clips: list, test: Path) -> dict[str, Callable[[], dict[str, Errors]]]:
    """What measures each curve of a lifter."""
    metadata = lifter.metadata
    step = 1 / metadata.frame_rate_hz
    windows = SourceWindows(clips, metadata.receptive_field, (step, step))

    def seen(**ranges: Any) -> CameraWindows:
        return _filmed(windows, CameraRanges(**ranges))

    def lookahead() -> dict[str, Errors]:
        labelled = load_labelled_sequences(test)
        shortest = metadata.window_reach if metadata.shortest_lookahead is None else metadata.shortest_lookahead
        possible = [*(n for n in LOOKAHEADS if shortest <= n < metadata.window_reach), metadata.window_reach]
        return {str(n): _of(evaluate(Lifter(path, lookahead=n), labelled)) for n in possible}

    def noise() -> dict[str, Errors]:
        everywhere = seen()
        noisy = {f"{n:g}": add_detector_noise(everywhere.keypoints, n, _random()) for n in NOISES}
        return {value: _errors(lifter, keypoints, everywhere) for value, keypoints in noisy.items()}

    def missing() -> dict[str, Errors]:
        everywhere = seen()
        shares = MISSING if metadata.input_channels == 3 else ()
        return {f"{n:g}": _errors(lifter, _without(everywhere.keypoints, n), everywhere) for n in shares}

    def elevation() -> dict[str, Errors]:
        filmed = {n: seen(any_elevation_share=1.0, any_elevation_deg=(n - 5, n + 5)) for n in ELEVATIONS_DEG}
        return {f"{n:g}": _errors(lifter, each.keypoints, each) for n, each in filmed.items()}

    def roll() -> dict[str, Errors]:
        level = seen(roll_deg=0.0)
        return {f"{n:g}": _rolled(lifter, level, n) for n in ROLLS_DEG}

    def mirrored() -> dict[str, Errors]:
        lifters = {"as it is": lifter, "mirrored=True": Lifter(path, mirrored=True)}
        return {name: _off_the_mirrored_pose(one, seen().keypoints) for name, one in lifters.items()}

    rate = {f"{n:g}": n for n in RATES_HZ}
    measures = (lookahead, noise, missing, lambda: {name: _at_rate(lifter, clips, n) for name, n in rate.items()})
    return dict(zip(CURVES, (*measures, elevation, roll, mirrored), strict=True))


def read_results(out: Path) -> Results:
    """What an earlier call left in the folder."""
    file = out / "curves.json"
    if not file.is_file():
        return {}
    return {
        name: {curve: {value: (both[0], both[1]) for value, both in points.items()} for curve, points in curves.items()}
        for name, curves in json.loads(file.read_text()).items()
    }


def _random() -> torch.Generator:
    return torch.Generator().manual_seed(_SEED)


def _filmed(windows: SourceWindows, ranges: CameraRanges) -> CameraWindows:
    random = _random()
    return film(windows.sample(_WINDOWS, random), ranges, random)


def _without(keypoints: Tensor, share: float) -> Tensor:
    """Keypoints with a share of them missing, drawn for each frame."""
    gone = torch.rand(keypoints.shape[:-1], generator=_random()) < share
    return keypoints.masked_fill(gone[..., None], float("nan"))


def _rolled(lifter: Lifter, seen: CameraWindows, degrees: float) -> Errors:
    """Mean of the errors through cameras that are turned about their optical axis, by this angle to both sides."""
    sides = []
    for angle in np.radians((degrees, -degrees)):
        turn = torch.tensor([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]], dtype=torch.float32)
        joints, position = (torch.cat([p[..., :2] @ turn, p[..., 2:]], -1) for p in (seen.joints_m, seen.position_m))
        turned = dataclasses.replace(seen, joints_m=joints, position_m=position, up=None)
        sides.append(_errors(lifter, turned.keypoints, turned))
    return (sides[0][0] + sides[1][0]) / 2, (sides[0][1] + sides[1][1]) / 2


def _at_rate(lifter: Lifter, clips: list, rate_hz: float) -> Errors:
    """Errors with frames at this rate, through the SDK's own windows."""
    reach = int(np.ceil(lifter.metadata.window_reach_s * rate_hz)) + 1
    filmed = _filmed(SourceWindows(clips, 2 * reach + 1, (1 / rate_hz, 1 / rate_hz)), CameraRanges())
    times = np.arange(2 * reach + 1) / rate_hz
    cut = [sample_windows(frames, times, times[[reach]], lifter.metadata)[0] for frames in filmed.keypoints.numpy()]
    return _errors(lifter, torch.from_numpy(np.stack(cut)), filmed)


def _off_the_mirrored_pose(lifter: Lifter, keypoints: Tensor) -> Errors:
    """Distance of the answers to mirrored keypoints from the mirrored answers."""
    return _apart(_body(lifter, mirror(keypoints.numpy())), mirror(_body(lifter, keypoints.numpy())))


def _errors(lifter: Lifter, keypoints: Tensor, truth: CameraWindows) -> Errors:
    return _apart(_body(lifter, keypoints.numpy()), truth.middle_pose_m.numpy())


def _body(lifter: Lifter, keypoints: np.ndarray) -> np.ndarray:
    """(B, 16, 3) poses of windows (B, T, 16, 2)."""
    return lifter.lift_windows(without_feet(keypoints, lifter.metadata))[:, : keypoints.shape[-2]]


def _apart(lifted_m: np.ndarray, poses_m: np.ndarray) -> Errors:
    lifted, poses = torch.from_numpy(lifted_m), torch.from_numpy(poses_m)
    return float(mpjpe(lifted, poses)) * 1000, float(mpjpe(procrustes_aligned(lifted, poses), poses)) * 1000


def _of(errors: object) -> Errors:
    values = dataclasses.asdict(errors)  # type: ignore[call-overload]
    return values["mpjpe_mm"], values["pa_mpjpe_mm"]


def as_markdown(results: Results) -> str:
    """One table per curve, with one row per lifter: MPJPE / PA-MPJPE in mm."""
    parts = []
    for curve in dict.fromkeys(name for curves in results.values() for name in curves):
        values = list(dict.fromkeys(v for curves in results.values() for v in curves.get(curve, {})))
        lines = [f"| {curve} | {' | '.join(values)} |", f"|---|{'---:|' * len(values)}"]
        for name, curves in results.items():
            cells = ("{:.1f} / {:.1f}".format(*curves[curve][v]) if v in curves.get(curve, {}) else "" for v in values)
            lines.append(f"| {name} | {' | '.join(cells)} |")
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"


def draw(results: Results, path: Path) -> None:
    """One plot per curve, with MPJPE of every lifter; none of mirrored input. Roll, the largest, has its own scale."""
    names = list(dict.fromkeys(name for curves in results.values() for name in curves if name != MIRRORED_INPUT))
    if not names:
        return
    columns = min(3, len(names))
    rows = -(-len(names) // columns)
    figure, grid = plt.subplots(rows, columns, figsize=(3.6 * columns, 3 * rows), layout="constrained", squeeze=False)
    drawn = list(zip(grid.flat, names, strict=False))
    for axes in grid.flat[len(names) :]:
        axes.set_axis_off()
    others = [
        errors[0]
        for each in results.values()
        for curve in names
        if curve != ROLL
        for errors in each.get(curve, {}).values()
    ]
    for axes, curve in drawn:
        for number, (name, curves) in enumerate(results.items()):
            points = curves.get(curve, {})
            if points:
                values = [errors[0] for errors in points.values()]
                axes.plot([float(v) for v in points], values, "o-", color=f"C{number}", label=name, markersize=4)
        axes.set(xlabel=f"{curve} (another scale)" if curve == ROLL and others else curve)
        axes.set_ylim(bottom=0, top=None if curve == ROLL else 1.08 * max(others))
        axes.grid(alpha=0.3)
    for row in grid:
        row[0].set_ylabel("MPJPE, mm")
    drawn[-1][0].legend()
    figure.savefig(path, dpi=110)
    plt.close(figure)


def main() -> None:
    """Measure, write, print."""
    settings = tyro.cli(Curves, description=__doc__)

    def run() -> None:
        results = measure(settings)
        settings.out.mkdir(parents=True, exist_ok=True)
        (settings.out / "curves.json").write_text(json.dumps(results, indent=1))
        (settings.out / "curves.md").write_text(as_markdown(results))
        draw(results, settings.out / "curves.png")
        print(as_markdown(results))

    run_command(run)


if __name__ == "__main__":
    main()
