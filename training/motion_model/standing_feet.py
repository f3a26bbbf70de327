"""Keeps standing feet in place: first the path of the pelvis is corrected, then the legs."""

from __future__ import annotations

import torch
from torch import Tensor

from sdk.skeletons.skeleton import H36M16

_LEGS = [[H36M16.index(f"{side}_{joint}") for joint in ("hip", "knee", "ankle")] for side in ("right", "left")]
_FEET = [leg[2] for leg in _LEGS]
_SLOW_MPS, _SLOW_WIDTH_MPS = 0.5, 0.12
"""A foot that is slower than this stands. At exactly this speed the probability is one half; the second number is the
width of the change."""
_LOW, _LOW_WIDTH = 0.2, 0.04
"""A foot stands only if its ankle is lower than this (unit: leg length; 17 cm for an adult). The second number is the
width of the change."""
_KEPT_SPEED, _KEPT_PLACE = 0.05, 1e-3
"""Weights that keep the speed and the place of the path. The rest of a standing foot has weight one."""
_STRAIGHT = 0.999
"""Largest stretch of a leg, as a share of its length."""


def stand(joints_m: Tensor, leg_m: Tensor, rate_hz: float) -> Tensor:
    """Keep standing feet at rest.

    A foot that is low and slow counts as standing. First the path of the whole body is changed, by least squares, so
    that standing feet rest. Then the path of each foot is changed, and its knee bends to fit. All bones keep their
    lengths.

    Args:
        joints_m: (B, T, 16, 3), z up, the floor at zero.
        leg_m: (B,) lengths of the legs.
        rate_hz: Poses per second.

    Returns:
        (B, T, 16, 3).
    """
    stands, steps = _standing(joints_m, leg_m, rate_hz)
    joints_m = joints_m + _shift(stands.sum(-1), -(stands[..., None] * steps).sum(2))[:, :, None]
    steps = joints_m[:, :, _FEET].diff(dim=1)
    joints_m = joints_m.clone()
    for foot, (hip, knee, ankle) in enumerate(_LEGS):
        weight = stands[..., foot]
        shift = _shift(weight, -weight[..., None] * steps[:, :, foot])
        joints_m[:, :, knee], joints_m[:, :, ankle] = _bent(
            joints_m[:, :, hip], joints_m[:, :, knee], joints_m[:, :, ankle], joints_m[:, :, ankle] + shift
        )
    return joints_m


def _standing(joints_m: Tensor, leg_m: Tensor, rate_hz: float) -> tuple[Tensor, Tensor]:
    """Probability that each foot stands between two poses, (B, T - 1, 2), and its movement, (B, T - 1, 2, 3)."""
    feet = joints_m[:, :, _FEET]
    steps = feet.diff(dim=1)
    height = (feet[:, 1:, :, 2] + feet[:, :-1, :, 2]) / 2 / leg_m[:, None, None]
    slow = torch.sigmoid((_SLOW_MPS - steps.norm(dim=-1) * rate_hz) / _SLOW_WIDTH_MPS)
    return slow * torch.sigmoid((_LOW - height) / _LOW_WIDTH), steps


def _shift(weight: Tensor, weighted_step: Tensor) -> Tensor:
    """Small shifts (B, T, 3) with the wanted steps between frames, by weighted least squares.

    Args:
        weight: (B, T - 1) weights of the wanted steps.
        weighted_step: (B, T - 1, 3) wanted steps times their weights.
    """
    frames = weight.shape[1] + 1
    one = torch.eye(frames).to(weight)
    between = one.diff(dim=0)
    matrix = between.T @ ((weight + _KEPT_SPEED)[..., None] * between) + _KEPT_PLACE * one
    return torch.linalg.solve(matrix, between.T @ weighted_step)


def _bent(hip: Tensor, knee: Tensor, ankle: Tensor, wanted: Tensor) -> tuple[Tensor, Tensor]:
    """Knee and ankle of a leg, (..., 3) each. The ankle is at the wanted place, or as near as the leg reaches.

    The knee keeps pointing to its side.
    """
    thigh, shin = (knee - hip).norm(dim=-1, keepdim=True), (ankle - knee).norm(dim=-1, keepdim=True)
    reach = (wanted - hip).norm(dim=-1, keepdim=True)
    along = (wanted - hip) / reach.clamp(min=1e-6)
    longest = _STRAIGHT * (thigh + shin)
    reach = torch.minimum(torch.maximum(reach, (thigh - shin).abs() + 1e-3), longest)
    across = (knee - hip) - ((knee - hip) * along).sum(-1, keepdim=True) * along
    across = torch.nn.functional.normalize(across, dim=-1)
    forth = (thigh.square() - shin.square() + reach.square()) / (2 * reach)
    aside = (thigh.square() - forth.square()).clamp(min=0).sqrt()
    return hip + forth * along + aside * across, hip + reach * along
