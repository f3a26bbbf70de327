"""Feet of source motion: heel and tip of the toes, from the ball and the tip that motion capture has.

Capture has no heel. Ours lies behind and under the ankle, at the level of the sole, in the plane of shin and foot:
4.5 cm behind and 6.5 cm under it in an adult, more or less from person to person.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from sdk.errors import BadMotion
from sdk.skeletons.skeleton import H36M16, H36M20
from training.files.array_file import read_arrays
from training.motion.motion_clip import MotionClip

HEEL_BEHIND_M, HEEL_UNDER_M = (0.045, 0.006), (0.065, 0.005)
"""Mean and standard deviation between people of the heel's distance from the ankle, along the sole and across it."""
ADULT_FOOT_M = 0.12
"""Distance of ball and ankle of the adult whose heel this is. A heel grows with the foot."""
ANKLE_OVER_BALL_M = 0.03
"""Standing, the ankle is 7 cm and the ball 4 cm over the floor. So the sole lies at this angle to the line of both."""
_FILE_ORDER = ("left_ball", "right_ball", "left_tip", "right_tip")


def with_feet(clips: Sequence[MotionClip], path: Path, seed: int = 0) -> list[MotionClip]:
    """Clips of H36M-20: the given ones with their feet.

    Args:
        clips: H36M-16, at their own frame rate.
        path: An .npz file with an array (T, 4, 3) for each clip, under its name: ball of the left foot, of the right,
            tip of the left toes, of the right; metres, in the axes of the clip.
        seed: Of the heels, which differ from person to person (the part of a clip's name before the underscore).

    Raises:
        BadMotion: the file lacks a clip, or one has another number of frames.
    """
    feet = read_arrays(path, tuple(clip.name for clip in clips), BadMotion)
    random = np.random.default_rng(seed)
    people = {name: random.standard_normal(2) for name in sorted({_person(clip) for clip in clips})}
    result = []
    for clip in clips:
        one = feet[clip.name]
        if one.shape != (len(clip.joints_world_m), len(_FILE_ORDER), 3):
            raise BadMotion(
                f"{path}: feet of clip {clip.name!r} have shape {one.shape}; the clip has "
                f"{len(clip.joints_world_m)} frames, so {(len(clip.joints_world_m), len(_FILE_ORDER), 3)} is needed."
            )
        joints = np.zeros((len(one), len(H36M20), 3), np.float32)
        joints[:, : len(H36M16)] = clip.joints_world_m
        for side in ("left", "right"):
            ankle, knee = (clip.joints_world_m[:, H36M16.index(f"{side}_{joint}")] for joint in ("ankle", "knee"))
            ball, tip = (one[:, _FILE_ORDER.index(f"{side}_{part}")] for part in ("ball", "tip"))
            joints[:, H36M20.index(f"{side}_heel")] = heel(knee, ankle, ball, people[_person(clip)])
            joints[:, H36M20.index(f"{side}_toe")] = tip
        result.append(dataclasses.replace(clip, joints_world_m=joints))
    return result


def heel(knee: np.ndarray, ankle: np.ndarray, ball: np.ndarray, person: np.ndarray) -> np.ndarray:
    """The heel of each frame.

    Args:
        knee: (T, 3) metres, like the next two.
        ankle: Ankle of the same leg.
        ball: Ball of its foot.
        person: (2,) the person's deviations from the mean heel, in standard deviations.

    Returns:
        (T, 3) metres.
    """
    foot = ball - ankle
    length = np.linalg.norm(foot, axis=-1, keepdims=True)
    along = foot / length
    shin = knee - ankle
    # Up in the plane of shin and foot, square to the foot; a foot in line with the shin takes what is left of it.
    over = shin - (shin * along).sum(-1, keepdims=True) * along
    over /= np.maximum(np.linalg.norm(over, axis=-1, keepdims=True), 1e-6)
    sine = np.minimum(ANKLE_OVER_BALL_M / np.median(length), 0.9)
    cosine = np.sqrt(1 - sine**2)
    forward, up = cosine * along + sine * over, cosine * over - sine * along
    behind, under = (
        mean + deviation * one for (mean, deviation), one in zip((HEEL_BEHIND_M, HEEL_UNDER_M), person, strict=True)
    )
    return ankle - (behind * forward + under * up) * (np.median(length) / ADULT_FOOT_M)


def _person(clip: MotionClip) -> str:
    return clip.name.split("_")[0]
