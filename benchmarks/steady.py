"""Measures what smoothing and placement gain from the spread, and what `SteadyFeet` does to sliding feet and to joints.

    python -m benchmarks.steady --clips CLIPS.npz --feet FEET.npz --test TEST.npz

The lifter is one without the people of the benchmark (benchmarks/held_out/feet.pt). Sequences with their feet are those
of benchmarks/feet.py; the camera's focal length and the true vertical are given. Each is processed frame by frame, as
live, at its own frame rate. 2D is exact, or noisy as detectors are: half of the noise is new in each frame, half lasts
for some frames; larger at the ends of limbs. Both times once with limbs that are hidden for some frames.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import tyro

from benchmarks.feet import FEET, Truth, open_lifter, sequences_with_feet
from sdk import Lifter, PersonPose, Pinhole, Placement, PoseFrame, Smoothing, SteadyFeet, Upright
from sdk.camera.one_euro import OneEuroFilter
from sdk.commands.command_line import run_command
from sdk.lifting.answers import PoseAnswer
from sdk.results.pose_frame import LiftStatus, StageTimes
from sdk.results.processors.upright import level_rotation
from sdk.skeletons.skeleton import H36M20

NOISE = 0.02
"""Standard deviation of the noise, as a share of the person's larger side in the image."""
_LASTS_FRAMES = 5.0
_RESTLESS = {"ankle": 1.5, "wrist": 1.5, "knee": 1.2, "elbow": 1.2, "heel": 1.5, "toe": 1.7}
_LIMBS = [
    [H36M20.index(f"{side}_{joint}") for joint in joints]
    for side in ("left", "right")
    for joints in (("elbow", "wrist"), ("knee", "ankle", "heel", "toe"))
]
_HIDDEN_FRAMES, _HIDDEN_EVERY = 10, 50
_LEGS = [H36M20.index(f"{side}_{joint}") for side in ("right", "left") for joint in ("knee", "ankle")]


@dataclass(frozen=True)
class Steady:
    """Measure smoothing, placement and standing feet."""

    clips: Path
    """Motion of the benchmark's people."""
    feet: Path
    """Feet of the same clips."""
    test: Path
    """The labelled test file of the benchmark."""
    model: str = "benchmarks/held_out/feet.pt"
    """A lifter that tells more: shipped, a run folder, .onnx or .pt."""
    every: int = 1
    """Measure every so many sequences."""
    seed: int = 0
    """Seed of the noise."""
    out: Path | None = None
    """JSON file for the numbers."""


def noisy(keypoints: np.ndarray, level: float, random: np.random.Generator) -> np.ndarray:
    """(T, 20, 2) keypoints with noise of this standard deviation, as a share of the person's larger side."""
    size = (keypoints.max(1) - keypoints.min(1)).max(-1)[:, None, None]
    restless = np.array([_RESTLESS.get(joint.split("_")[-1], 1.0) for joint in H36M20.joints])[:, None]
    lasting = random.normal(size=keypoints.shape)
    keep = np.exp(-1 / _LASTS_FRAMES)
    for t in range(1, len(lasting)):
        lasting[t] = keep * lasting[t - 1] + np.sqrt(1 - keep**2) * lasting[t]
    quick = random.normal(size=keypoints.shape)
    return (keypoints + level * size * restless * np.sqrt(0.5) * (lasting + quick)).astype(np.float32)


def hidden(keypoints: np.ndarray) -> np.ndarray:
    """(T, 20, 2) keypoints without one arm or leg, in turn, for 10 of every 50 frames."""
    keypoints = keypoints.copy()
    for number, start in enumerate(range(20, len(keypoints), _HIDDEN_EVERY)):
        keypoints[start : start + _HIDDEN_FRAMES, _LIMBS[number % len(_LIMBS)]] = np.nan
    return keypoints


def placed(
    one: Truth, keypoints: np.ndarray, answer: PoseAnswer, *, told: bool, smooth: bool = True
) -> tuple[np.ndarray, np.ndarray]:
    """Poses (T, 20, 3) and pelvis (T, 3) in the camera, by the spread that the lifter tells, or without it."""
    placement, smoothing = Placement(Pinhole(one.focal)), OneEuroFilter(Smoothing())
    poses, roots = [], []
    for t, points in enumerate(keypoints):
        spread = answer.deviations_m[t] if told and answer.deviations_m is not None else None
        pose, root = placement(answer.joints_m[t], points, t / one.frame_rate_hz, spread)
        poses.append(smoothing(pose, t / one.frame_rate_hz, spread) if smooth else pose)
        roots.append(root)
    return np.stack(poses), np.stack(roots)


def frames(one: Truth, poses: np.ndarray, roots: np.ndarray, contact: np.ndarray) -> Iterator[PoseFrame]:
    """Results of one person in level axes."""
    upright, image, nowhere = Upright(one.up), np.zeros((1, 1, 3), np.uint8), np.zeros((20, 2), np.float32)
    for t, (pose, root, feet) in enumerate(zip(poses, roots, contact, strict=True)):
        person = PersonPose(
            1, np.zeros(4, np.float32), nowhere, nowhere[:, 0], LiftStatus.LIFTED, pose, root_m=root, contact=feet
        )
        times = StageTimes(0, 0, 0, 0)
        yield upright.process(PoseFrame(t, t / one.frame_rate_hz, image, (person,), 1, times, 0.0))


def steadied(results: Iterator[PoseFrame]) -> tuple[np.ndarray, np.ndarray]:
    """Poses and pelvis with standing feet held."""
    processor = SteadyFeet()
    people = [processor.process(frame).people[0] for frame in results]
    return np.stack([one.joints_m for one in people if one.joints_m is not None]), np.stack(
        [one.root_m for one in people if one.root_m is not None]
    )


def errors(poses: np.ndarray, roots: np.ndarray, one: Truth) -> dict[str, np.ndarray]:
    """Distances in mm, and of standing feet the speed in cm/s. Poses in the camera's axes, or both in level ones."""
    off = poses - one.pose_m
    distance = np.linalg.norm(off, axis=-1) * 1000
    feet = (poses + roots[:, None])[:, FEET]
    speed = np.linalg.norm(np.diff(feet, axis=0), axis=-1) * one.frame_rate_hz * 100
    tremble = np.linalg.norm(np.diff(off[:, 1:], 2, axis=0), axis=-1) * 1000
    return {
        "joints, mm": distance[:, 1:].mean(1),
        "knees and ankles, mm": distance[:, _LEGS].mean(1),
        "jitter, mm/frame^2": tremble.mean(1),
        "pelvis, mm": np.linalg.norm(roots - one.root_m, axis=-1) * 1000,
        "tremble of the pelvis, mm/frame": np.linalg.norm(np.diff(roots - one.root_m, axis=0), axis=-1) * 1000,
        "sliding, cm/s": speed[one.contact[1:] & one.contact[:-1]],
    }


def level(one: Truth) -> Truth:
    """The same in level axes."""
    turn = level_rotation(one.up).T.astype(np.float32)
    return replace(one, pose_m=one.pose_m @ turn, root_m=one.root_m @ turn)


def measure(lifter: Lifter, sequences: Sequence[Truth], *, noise: float, hide: bool, seed: int) -> dict[str, dict]:
    """Means over all frames, by variant."""
    random = np.random.default_rng(seed)
    found: dict[str, dict[str, list[np.ndarray]]] = {}

    def note(variant: str, values: dict[str, np.ndarray]) -> None:
        for name, value in values.items():
            found.setdefault(variant, {}).setdefault(name, []).append(value)

    for one in sequences:
        keypoints = noisy(one.keypoints, noise, random) if noise else one.keypoints
        keypoints = hidden(keypoints) if hide else keypoints
        answer, _ = lifter.answer_prepared(keypoints, np.arange(len(keypoints)) / one.frame_rate_hz)
        assert answer.contact is not None
        note("as lifted", errors(*placed(one, keypoints, answer, told=False, smooth=False), one))
        note("smoothed", errors(*placed(one, keypoints, answer, told=False), one))
        poses, roots = placed(one, keypoints, answer, told=True)
        note("by the spread", errors(poses, roots, one))
        if not np.isfinite(roots).all():
            continue
        note("feet held", errors(*steadied(frames(one, poses, roots, answer.contact)), level(one)))
        stands = one.contact.astype(np.float32)
        note("feet held, true contact", errors(*steadied(frames(one, poses, roots, stands)), level(one)))
        note("truth", errors(one.pose_m, one.root_m, one))
    return {
        variant: {name: float(np.nanmean(np.concatenate(values))) for name, values in rows.items()}
        for variant, rows in found.items()
    }


def main() -> None:
    """Measure and print."""
    settings = tyro.cli(Steady, description=__doc__)

    def run() -> None:
        with tempfile.TemporaryDirectory() as folder:
            lifter = open_lifter(settings.model, Path(folder))
        sequences = sequences_with_feet(settings.clips, settings.feet, settings.test)[:: settings.every]
        tables = {}
        for noise in (0.0, NOISE):
            for hide in (False, True):
                name = f"{'noisy' if noise else 'exact'} 2D{', limbs hidden' if hide else ''}"
                tables[name] = measure(lifter, sequences, noise=noise, hide=hide, seed=settings.seed)
                columns = list(tables[name]["truth"])
                print(f"\n{name}\n\n| | {' | '.join(columns)} |\n|---|{'---:|' * len(columns)}")
                for variant, values in tables[name].items():
                    print(f"| {variant} | {' | '.join(f'{values[column]:.1f}' for column in columns)} |", flush=True)
        if settings.out:
            settings.out.write_text(json.dumps(tables, indent=1), encoding="utf-8")

    run_command(run)


if __name__ == "__main__":
    main()
