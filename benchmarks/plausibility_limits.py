"""Limits of the SDK's checks of keypoints (sdk/keypoint_files/plausibility.py), from recordings that are right.

    python -m benchmarks.plausibility_limits --target-2d TARGET_2D.npz --clips CLIPS.npz --exclude 01 05 14 127 135

Recordings: the sequences of TARGET_2D, and motion capture without the target's people, through cameras drawn as for
training. Joints outside the image, and frames with the hips outside, are not seen. For each quantity that a limit
bounds it prints the 99.9th percentile over either kind of recordings, and what a wrong recording has. The rule: a
warning begins half way from the larger percentile to the wrong recording, an error at nine tenths of the way. Haste has
no value of its own in a wrong recording: its limit is a tenth above the 99.5th percentile. Last it counts the
recordings that raise a doubt with the limits of today: right ones, the same with a detector's errors of 3% of the
trunk's length, and right ones said to be of twice their frame rate.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
import tyro

from sdk.commands.command_line import run_command
from sdk.errors import BadTarget
from sdk.keypoint_files import plausibility
from sdk.skeletons.joint_conversion import to_h36m16
from sdk.skeletons.skeleton import SKELETONS, find_skeleton
from training.cameras.random_cameras import CameraRanges, film
from training.files.array_file import read_arrays

FEWEST_FRAMES = 25
_RATE_HZ = 25.0
_WIDTH = 1000
_LONGEST = 1000
_NEAREST_M = 0.5


@dataclass(frozen=True)
class Limit:
    """What one limit bounds.

    Attributes:
        quantity: Its name in `quantities`.
        today: The limit.
        wrong: What a wrong recording has: all frames, joints as far apart as the person is large (the least of random
            orders), a fall at twice the frame rate. None if it depends on the recording.
        way: Part of the way from right to wrong at which the rule puts the limit; without `wrong`, part of the right.
        percentile: Of the right recordings.
    """

    quantity: str
    today: float
    wrong: float | None
    way: float
    percentile: float = 99.9


LIMITS = (
    Limit("lying", plausibility.LYING, 1.0, 0.5),
    Limit("upside down", plausibility.UPSIDE_DOWN, 1.0, 0.5),
    Limit("bones shorter in another order", plausibility.MOST_FRAMES, 1.0, 0.9),
    Limit("bone length over spread", plausibility.SCATTERED, 1.0, 0.5),
    Limit("fall, m/s2", plausibility.FALL_M_S2, 4 * 9.81, 0.5),
    Limit("haste, m/s2", plausibility.HASTE_M_S2, None, 0.1, 99.5),
)


@dataclass(frozen=True)
class Recording:
    """Keypoints of one person in one view.

    Attributes:
        keypoints: (T, J, 2) pixels, NaN where not seen.
        skeleton: Layout of J.
        image_size: Width and height.
        frame_rate_hz: Frames per second.
    """

    keypoints: np.ndarray
    skeleton: str
    image_size: tuple[int, int]
    frame_rate_hz: float


@dataclass(frozen=True)
class PlausibilityLimits:
    """Print the limits of the checks of keypoints beside those that the rule gives."""

    target_2d: Path
    """2D of a target: keypoints, start, length, frame_rate_hz, aspect."""
    clips: Path
    """Motion capture of the 17 joints of Human3.6M at 50 Hz, an .npz file of clips."""
    exclude: tuple[str, ...] = ()
    """People of the target: clips whose name starts with one of these and an underscore."""
    views: int = 1000
    """Drawn views of motion capture."""
    seed: int = 0
    """Seed of clips and cameras."""


def main() -> None:
    """Console script."""
    run_command(lambda: _print(tyro.cli(PlausibilityLimits)))


def _print(settings: PlausibilityLimits) -> None:
    kinds = {"target": target_views(settings.target_2d), "drawn": drawn_views(settings)}
    found = {kind: [quantities(view) for view in views] for kind, views in kinds.items()}
    print(f"{'':32}{'':>8}percentile           margin  by the rule")
    print(f"{'':32}{'limit':>8}{'target':>10}{'drawn':>10}{'':>7}")
    for limit in LIMITS:
        target, drawn = (extreme([row[limit.quantity] for row in rows], limit.percentile) for rows in found.values())
        right = max(target, drawn)
        print(
            f"{limit.quantity:32}{limit.today:8.2f}{target:10.3f}{drawn:10.3f}{limit.today - right:8.3f}"
            f"{by_rule(right, limit):13.3f}"
        )
    random = np.random.default_rng(settings.seed)
    for kind, views in kinds.items():
        for what, recordings in (
            (kind, views),
            (f"{kind}, with a detector's errors", [with_errors(view, random) for view in views]),
            (f"{kind}, said to be of twice the rate", [replace(view, frame_rate_hz=2 * _RATE_HZ) for view in views]),
        ):
            doubts = Counter(
                doubt.about
                for one in recordings
                for doubt in plausibility.find_doubts([one.keypoints], one.skeleton, one.image_size, one.frame_rate_hz)
            )
            print(f"{what}: {len(recordings)} recordings, doubts: {dict(doubts) or 'none'}")


def with_errors(view: Recording, random: np.random.Generator, share: float = 0.03) -> Recording:
    """A recording with normal errors in each joint and frame, as a share of the trunk's median length."""
    body = to_h36m16(view.keypoints, view.skeleton)
    trunk = np.linalg.norm(body[:, [10, 13]].mean(1) - body[:, [1, 4]].mean(1), axis=-1)
    size = float(np.median(trunk[np.isfinite(trunk)])) if np.isfinite(trunk).any() else 0.0
    errors = random.normal(0, share * size, view.keypoints.shape)
    return replace(view, keypoints=view.keypoints + errors)


def by_rule(right: float, limit: Limit) -> float:
    """The limit that the rule gives, from the extreme of right recordings."""
    return right + limit.way * (right if limit.wrong is None else limit.wrong - right)


def extreme(values: list[float], percentile: float) -> float:
    """A percentile; recordings without a value are left out."""
    return float(np.nanpercentile(values, percentile))


def quantities(view: Recording) -> dict[str, float]:
    """What the checks compute from a recording. NaN where it has too little."""
    layout = find_skeleton(view.skeleton)
    frames = view.keypoints[np.isfinite(view.keypoints).all(-1).sum(-1) >= 2]
    lying, upside_down = plausibility.lying_and_upside_down(to_h36m16(frames, view.skeleton).astype(np.float64))
    others = [other for other in SKELETONS.values() if other.name != layout.name and len(other) == len(layout)]
    lengths = plausibility.bone_lengths(frames, layout)
    return {
        "lying": lying,
        "upside down": upside_down,
        "bones shorter in another order": max(plausibility.share_shorter(frames, layout, other) for other in others),
        "bone length over spread": float(np.nanmedian(lengths)) if np.isfinite(lengths).any() else float("nan"),
        "fall, m/s2": plausibility.fall_m_s2([view.keypoints], view.skeleton, view.frame_rate_hz),
        "haste, m/s2": plausibility.haste_m_s2([view.keypoints], view.skeleton, view.frame_rate_hz),
    }


def target_views(path: Path) -> list[Recording]:
    """The sequences of a target's 2D."""
    arrays = read_arrays(path, ("keypoints", "start", "length", "frame_rate_hz", "aspect"), BadTarget)
    size = (_WIDTH, round(_WIDTH * float(arrays["aspect"])))
    keypoints = arrays["keypoints"].astype(np.float64) * _WIDTH / 2 + np.array(size) / 2
    return [
        Recording(keypoints[start : start + length], "h36m16", size, float(arrays["frame_rate_hz"]))
        for start, length in zip(arrays["start"], arrays["length"], strict=True)
        if length >= FEWEST_FRAMES
    ]


def drawn_views(settings: PlausibilityLimits) -> list[Recording]:
    """Whole clips, each through a drawn camera that stands still. Views in which the person is hardly seen are left."""
    random, generator = np.random.default_rng(settings.seed), torch.Generator().manual_seed(settings.seed)
    with np.load(settings.clips, allow_pickle=False) as archive:
        wanted = [name for name in archive.files if archive[name].ndim == 3]
        clips = [archive[name] for name in wanted if name.split("_")[0] not in settings.exclude]
    views = []
    for _ in range(settings.views):
        joints = clips[random.integers(len(clips))][:: round(50 / _RATE_HZ)][:_LONGEST]
        seen = film(torch.from_numpy(joints)[None].float(), CameraRanges(), generator)
        keypoints = seen.keypoints[0].numpy().astype(np.float64) * _WIDTH / 2 + _WIDTH / 2
        depth = (seen.joints_m + seen.position_m[:, None, None])[0, ..., 2].numpy()
        keypoints[((keypoints < 0) | (keypoints > _WIDTH)).any(-1)] = np.nan
        keypoints[np.isnan(keypoints[:, 0]).any(-1) | (depth.min(-1) < _NEAREST_M)] = np.nan
        if np.isfinite(keypoints[:, 0, 0]).sum() >= FEWEST_FRAMES:
            views.append(Recording(keypoints, "h36m17", (_WIDTH, _WIDTH), _RATE_HZ))
    return views


if __name__ == "__main__":
    main()
