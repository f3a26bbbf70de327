"""Noise on 2D keypoints, like that of 2D detectors."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from sdk.skeletons.skeleton import H36M16, H36M20, pose_skeleton
from training.lifter.feet_head import ANKLES, FEET

_SLOW_KNOTS = 6
"""Knots of the slow noise over a window: it lasts four or five frames in a window of 27."""
_OUTLIERS = 0.01
"""Share of keypoints with about five times the noise."""
_SWAPPED = 0.04
"""Share of windows with a left-right swap of legs or arms for a while, at the highest noise level."""
_RESTLESS = {"ankle": 1.5, "wrist": 1.5, "knee": 1.2, "elbow": 1.2, "heel": 0.75, "toe": 1.5}
"""Noise of a joint's own, relative to that of the trunk. Heels and toes have that of their ankle besides: seen by
MediaPipe from four calibrated cameras (`benchmarks/foot_noise.py`), errors of heel and ankle correlate by 0.97 to 1.0,
of toe and ankle by 0.93 to 0.99; a heel is off relative to its ankle by 0.5 times the ankle's error, a toe by 1.2."""
_SIDES = [
    [(H36M20.index(f"left_{joint}"), H36M20.index(f"right_{joint}")) for joint in joints]
    for joints in (("hip", "knee", "ankle", "heel", "toe"), ("shoulder", "elbow", "wrist"))
]


def add_detector_noise(keypoints: Tensor, largest: float, generator: torch.Generator) -> Tensor:
    """Add noise like that of a detector.

    Each joint gets a bias for the whole window, slow noise that lasts for some frames, and noise of each frame. All are
    larger at the ends of limbs. A few keypoints lie far off. Heels and toes move with their ankle, and have noise of
    their own. Sometimes left and right are swapped.

    Args:
        keypoints: (B, T, J, 2) in any unit; J is 16, or 20 with feet.
        largest: Largest standard deviation of either noise, in units of the person's extent (the larger side of the 2D
            box). Each window draws its own between zero and this; small ones are more frequent.
        generator: Source of randomness.

    Returns:
        (B, T, J, 2).
    """
    batch, frames, joints, _ = keypoints.shape
    extent = (keypoints.amax(2) - keypoints.amin(2)).amax((1, 2))
    level = torch.rand(batch, generator=generator).square()
    reach = (level * largest * extent)[:, None, None, None] * _restlessness(joints)[:, None]
    bias = torch.randn(batch, 1, joints, 2, generator=generator)
    knots = torch.randn(batch, joints * 2, _SLOW_KNOTS, generator=generator)
    slow = interpolate(knots, frames, mode="linear", align_corners=True).mT.unflatten(-1, (joints, 2))
    quick = torch.randn(keypoints.shape, generator=generator)
    outlier = torch.rand(batch, frames, joints, 1, generator=generator) < _OUTLIERS
    noise = reach * (bias + 0.7 * slow + 0.7 * quick * torch.where(outlier, 7.0, 1.0))
    if joints > len(H36M16):
        noise[..., FEET, :] += noise[..., ANKLES, :]
    moved = keypoints + noise
    return _swap_sides(moved, level * _SWAPPED, generator) if largest else moved


def _restlessness(joints: int) -> Tensor:
    """(J,) noise factor of each joint."""
    return torch.tensor([_RESTLESS.get(joint.split("_")[-1], 1.0) for joint in pose_skeleton(joints).joints])


def _swap_sides(keypoints: Tensor, chance: Tensor, generator: torch.Generator) -> Tensor:
    batch, frames, joints, _ = keypoints.shape
    first = torch.randint(frames, (batch, 1), generator=generator)
    length = torch.randint(1, frames // 2 + 2, (batch, 1), generator=generator)
    times = torch.arange(frames)[None]
    struck = (torch.rand(batch, 1, generator=generator) < chance[:, None]) & (times >= first) & (times < first + length)
    legs = torch.rand(batch, 1, generator=generator) < 0.5
    for pairs, these in zip(_SIDES, (struck & legs, struck & ~legs), strict=True):
        order = torch.arange(joints)
        for left, right in pairs:
            if max(left, right) < joints:
                order[left], order[right] = right, left
        keypoints = torch.where(these[..., None, None], keypoints[:, :, order], keypoints)
    return keypoints
