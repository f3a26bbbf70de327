"""Negative log-likelihoods, from which a lifter learns how sure it is (Nix and Weigend, ICNN 1994).

The errors are given without gradient: how sure a lifter is changes no pose.
"""

from __future__ import annotations

import torch
from torch import Tensor


def coordinate_likelihood(error: Tensor, deviation: Tensor) -> Tensor:
    """Mean over independent normal coordinates, but for a constant.

    Args:
        error: (B, J, 3), any unit.
        deviation: (B, J, 3) its standard deviation, positive, same unit.
    """
    return (deviation.log() + 0.5 * (error.detach() / deviation).square()).mean()


def angle_likelihood(angle: Tensor, deviation: Tensor) -> Tensor:
    """Mean over directions that are off by an angle with two independent normal parts, but for a constant.

    Args:
        angle: (B, 1) radians.
        deviation: (B, 1) standard deviation about one axis, radians.
    """
    return (2 * deviation.log() + 0.5 * (angle.detach() / deviation).square()).mean()


def angle_between(first: Tensor, second: Tensor) -> Tensor:
    """(B, 3), (B, 3) to (B, 1) radians."""
    cross = torch.linalg.cross(first, second, dim=-1).norm(dim=-1, keepdim=True)
    return torch.atan2(cross, (first * second).sum(-1, keepdim=True))
