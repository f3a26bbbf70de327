"""Makes the deviations of coordinates that a lifter tells true of examples that it did not learn from.

While it learns, dropout is on, and it is off by more than in use: it learns to tell too wide a spread.
"""

from __future__ import annotations

import torch
from torch import Tensor

from training.lifter.lifter import TemporalLifter

LEAST, MOST = 0.5, 2.0
"""Limits of a factor: what is told is corrected, not replaced."""
FEWEST = 100
"""Fewer examples change nothing."""
_AT_ONCE = 1024


def calibrate_spread(lifter: TemporalLifter, keypoints: Tensor, pose_m: Tensor) -> None:
    """Multiply the deviations that a lifter tells, each by the most likely factor of a normal distribution.

    Args:
        lifter: One that tells more, in evaluation mode.
        keypoints: (N, T, J, 2 or 3) windows as the lifter takes them.
        pose_m: (N, J, 3) their poses, root-relative, camera axes.
    """
    if len(keypoints) < FEWEST:
        return
    device = next(lifter.parameters()).device
    with torch.no_grad():
        answers = [lifter.outputs(part.to(device)) for part in keypoints.split(_AT_ONCE)]
    joints, deviations = (torch.cat(parts).cpu() for parts in list(zip(*answers, strict=True))[:2])
    factors = ((joints - pose_m) / deviations).square().mean(0).sqrt().clamp(LEAST, MOST)
    factors[0] = 1.0  # the root is always right
    lifter.scale_spread(factors)
