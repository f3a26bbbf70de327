"""Varies the bodies of source motion: mirrored (section 6), of other sizes, with limbs of other lengths."""

from __future__ import annotations

import torch
from torch import Tensor

from sdk.camera.body_size import stature_m
from sdk.skeletons.skeleton import pose_skeleton
from training.geometry.bones import (
    FOOT_LENGTH_GROUPS,
    LENGTH_GROUPS,
    PARENTS,
    bone_lengths,
    bones_to_joints,
    joints_to_bones,
    scale_bones,
)


def mirrored(joints: Tensor) -> Tensor:
    """Swap left and right of (..., J, D) and change the sign of x, in any axes."""
    swapped = joints[..., list(pose_skeleton(joints.shape[-2]).mirror), :].clone()
    swapped[..., 0] = -swapped[..., 0]
    return swapped


def mirror_half(joints: Tensor, generator: torch.Generator) -> Tensor:
    """Mirror each window of (B, ..., J, D) with probability one half."""
    chosen = torch.rand(len(joints), generator=generator) < 0.5
    return torch.where(chosen.reshape(-1, *[1] * (joints.ndim - 1)), mirrored(joints), joints)


def vary_bodies(joints_m: Tensor, whole: float, parts: float, generator: torch.Generator) -> Tensor:
    """Make each window's person taller or shorter, and its limbs longer or shorter.

    Args:
        joints_m: (B, T, J, 3) in any axes.
        whole: Standard deviation of the whole body's relative size.
        parts: Standard deviation of the relative length of each group of bones.
        generator: Source of randomness.

    Returns:
        (B, T, J, 3). The path of the pelvis is scaled with the body, so that steps fit the legs.
    """
    batch = len(joints_m)
    size = 1 + whole * torch.randn(batch, 1, 1, 1, generator=generator)
    groups = len(LENGTH_GROUPS) + (len(FOOT_LENGTH_GROUPS) if joints_m.shape[-2] > len(PARENTS) + 1 else 0)
    ratios = parts * torch.randn(batch, groups, generator=generator)
    body = bones_to_joints(scale_bones(joints_to_bones(joints_m), ratios.clamp(-3 * parts, 3 * parts)))
    return (body + joints_m[..., :1, :]) * size.clamp(1 - 3 * whole, 1 + 3 * whole)


def of_height(joints_m: Tensor, height_m: float) -> Tensor:
    """Scale each window's person to a height, from sole to crown. Its path is scaled too, so that steps fit.

    Args:
        joints_m: (B, T, 16, 3) in any axes.
        height_m: Height of everybody.

    Returns:
        (B, T, 16, 3).
    """
    return joints_m * (height_m / statures_m(joints_m))[:, None, None, None]


def statures_m(joints_m: Tensor) -> Tensor:
    """Height of each window's person, from the mean lengths of its bones: (B, T, 16, 3) to (B,). See `sdk.camera`."""
    lengths = bone_lengths(joints_m).mean(1)[:, : len(PARENTS)].double().cpu().numpy()
    return torch.tensor([stature_m(one) for one in lengths], dtype=joints_m.dtype, device=joints_m.device)
