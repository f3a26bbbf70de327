"""Feet that stay where they stand: the path of the pelvis, corrected."""

from __future__ import annotations

import torch
from torch import Tensor

from sdk.skeletons import H36M16

_FEET = [H36M16.index("right_ankle"), H36M16.index("left_ankle")]
_SLOW_MPS, _SLOW_WIDTH_MPS = 0.5, 0.12
"""A foot that is slower than this stands; half as surely at it."""
_LOW, _LOW_WIDTH = 0.2, 0.04
"""... and its ankle lies below this, in lengths of the leg: 17 cm of a grown-up."""
_KEPT_SPEED, _KEPT_PLACE = 0.05, 1e-3
"""Weights of the path's own speed and place beside a standing foot's rest, which has one."""


def still_feet(joints_m: Tensor, leg_m: Tensor, rate_hz: float) -> Tensor:
    """How far each pose is to be moved.

    A foot that is low and slow is taken to stand. The path is changed, least in squares, so that standing feet rest;
    poses themselves stay as they are.

    Args:
        joints_m: (B, T, 16, 3), z up, the floor at zero.
        leg_m: (B,) lengths of the legs.
        rate_hz: Poses in a second.

    Returns:
        (B, T, 3) metres.
    """
    feet = joints_m[:, :, _FEET]
    steps = feet.diff(dim=1)
    height = ((feet[:, 1:, :, 2] + feet[:, :-1, :, 2]) / 2) / leg_m[:, None, None]
    slow = torch.sigmoid((_SLOW_MPS - steps.norm(dim=-1) * rate_hz) / _SLOW_WIDTH_MPS)
    stands = slow * torch.sigmoid((_LOW - height) / _LOW_WIDTH)
    weight = stands.sum(-1) + _KEPT_SPEED
    wanted = -(stands[..., None] * steps).sum(2)
    frames = joints_m.shape[1]
    between = torch.eye(frames, dtype=joints_m.dtype, device=joints_m.device).diff(dim=0)
    matrix = between.T @ (weight[..., None] * between) + _KEPT_PLACE * torch.eye(frames).to(joints_m)
    return torch.linalg.solve(matrix, between.T @ wanted)
