"""How hard generated samples are for the lifter, relative to source samples, and the feedback loss (eqs. 20, 21)."""

from __future__ import annotations

import torch
from torch import Tensor

JOINT_WEIGHTS = torch.tensor([1.0, 5, 2, 1, 5, 2, 1, 1, 1, 1, 5, 2, 1, 5, 2, 1])
"""Weight of each joint's squared error. Joints near the trunk have smaller errors and count more."""


def pose_error(lifted: Tensor, truth: Tensor) -> Tensor:
    """L in eqs. 14 and 20: weighted mean squared errors (B,) between two sets of poses (B, 16, 3)."""
    return ((lifted - truth).square().sum(-1) * JOINT_WEIGHTS.to(lifted)).mean(-1)


def hard_ratio_loss(ratio: Tensor, wanted: float, reach: float) -> Tensor:
    """Eq. 21 as printed: pull ratios within c ± d to c. All others are left alone.

    Args:
        ratio: (B,) error of the generated sample over that of the source.
        wanted: c in eq. 20.
        reach: d in eq. 21.

    Returns:
        A scalar: the mean over the batch of (ratio - c)^2 where that is below d^2, and of zero elsewhere.
    """
    f = (ratio - wanted).square()
    return torch.where(f < reach**2, f, torch.zeros_like(f)).mean()


def hard_ratio_band_loss(ratio: Tensor, wanted: float, reach: float) -> Tensor:
    """Eq. 21 with the opposite condition: ratios within c ± d are free, all others are pulled to c.

    This fits the published constants: "17 ± 15" then means any ratio from 2 to 32.

    Args:
        ratio: (B,) error of the generated sample over that of the source.
        wanted: c in eq. 20, the middle of the band.
        reach: d in eq. 21, half the width of the band.

    Returns:
        A scalar: the mean over the batch of (ratio - c)^2 where that is above d^2, and of zero elsewhere.
    """
    f = (ratio - wanted).square()
    return torch.where(f > reach**2, f, torch.zeros_like(f)).mean()
