"""The beginnings of real motion that sampled motions start from: fast ones more often than there are."""

from __future__ import annotations

import torch
from torch import Tensor

from sdk.skeletons import H36M16
from training.motion_model.bodies import BodyStatistics
from training.motion_model.pose_features import features_to_joints
from training.motion_model.segments import POINT_RATE_HZ, MotionSegments

_LIMB_ENDS = [H36M16.index(f"{side}_{joint}") for side in ("right", "left") for joint in ("wrist", "ankle")]
_CANDIDATES = 4
"""Times as many are drawn as are kept."""
_STILL_MPS = 0.05
"""Added to the speeds: who stands still is not left out."""


def lively_starts(segments: MotionSegments, count: int, bodies: BodyStatistics, generator: torch.Generator) -> Tensor:
    """Segments (count, points, `FEATURES`), drawn in proportion to the speed of hands and feet about the pelvis.

    In clips people run a little way and stop, and what goes on from there calms down. Motions that start as clips are
    on the whole are slower than these after a second; starting faster, they have the speeds of the clips in the mean.
    """
    candidates = segments.draw(_CANDIDATES * count, generator, mirror=False)
    joints = features_to_joints(candidates, bodies.mean_lengths()[None].expand(len(candidates), -1))
    about_pelvis = joints[:, :, _LIMB_ENDS] - joints[:, :, :1]
    speed_mps = about_pelvis.diff(dim=1).norm(dim=-1).mean((1, 2)) * POINT_RATE_HZ
    return candidates[torch.multinomial(speed_mps + _STILL_MPS, count, generator=generator)]
