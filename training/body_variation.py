"""Bodies that source motion does not have: other sizes, other lengths of limbs."""

from __future__ import annotations

import torch
from torch import Tensor

from training.geometry.bones import LENGTH_GROUPS, bones_to_joints, joints_to_bones, scale_bones


def vary_bodies(joints_m: Tensor, whole: float, parts: float, generator: torch.Generator) -> Tensor:
    """Make each window's person taller or shorter, and its limbs longer or shorter.

    Args:
        joints_m: (B, T, 16, 3) in any frame.
        whole: Standard deviation of the whole body's relative size.
        parts: Standard deviation of the relative length of each group of bones.
        generator: Source of randomness.

    Returns:
        (B, T, 16, 3); the pelvis' path is scaled with the body, so that steps fit the legs.
    """
    batch = len(joints_m)
    size = 1 + whole * torch.randn(batch, 1, 1, 1, generator=generator)
    ratios = parts * torch.randn(batch, len(LENGTH_GROUPS), generator=generator)
    body = bones_to_joints(scale_bones(joints_to_bones(joints_m), ratios.clamp(-3 * parts, 3 * parts)))
    return (body + joints_m[..., :1, :]) * size.clamp(1 - 3 * whole, 1 + 3 * whole)
