"""Poses that the source never struck: the limbs of one person on the trunk of another.

Crossover of Li et al. (Cascaded Deep Monocular 3D Human Pose Estimation with Evolutionary Training Data, CVPR 2020,
section 3.1), over whole windows: what is exchanged keeps its motion and is turned with the trunk that it comes to, and
every bone keeps the length of the body that it comes to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from sdk.skeletons.skeleton import H36M16
from training.geometry.bones import bones_to_joints, joints_to_bones


def _bones(*joints: str) -> list[int]:
    return [H36M16.index(joint) - 1 for joint in joints]


@dataclass(frozen=True)
class TrunkEnd:
    """An end of the trunk that limbs hang on.

    Attributes:
        left: Bone from its middle to its left joint.
        right: Bone from its middle to its right joint.
        spine: Bone of the spine that ends or begins there.
    """

    left: int
    right: int
    spine: int


PELVIS = TrunkEnd(*_bones("left_hip", "right_hip", "spine"))
THORAX = TrunkEnd(*_bones("left_shoulder", "right_shoulder", "thorax"))

_LEFT_ARM, _RIGHT_ARM = _bones("left_elbow", "left_wrist"), _bones("right_elbow", "right_wrist")
_LEFT_LEG, _RIGHT_LEG = _bones("left_knee", "left_ankle"), _bones("right_knee", "right_ankle")
_UPPER_BODY = [*_bones("spine", "thorax", "head", "left_shoulder", "right_shoulder"), *_LEFT_ARM, *_RIGHT_ARM]

EXCHANGES: tuple[tuple[Sequence[int], TrunkEnd, float], ...] = (
    (_UPPER_BODY, PELVIS, 0.3),
    (_LEFT_LEG + _RIGHT_LEG, PELVIS, 0.5),
    (_RIGHT_LEG, PELVIS, 0.3),
    (_LEFT_ARM, THORAX, 0.5),
    (_RIGHT_ARM, THORAX, 0.5),
)
"""What is exchanged, in this order: bones, the end of the trunk that they are turned with, and the probability."""


def swap_limbs(joints_m: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Give a share of the windows limbs of other windows of the batch.

    Args:
        joints_m: (B, T, 16, 3) in any frames, each window in its own.
        share: Of the windows that get others' limbs; they are the first of the batch, which is drawn in no order.
        generator: Source of randomness, on the CPU.

    Returns:
        (B, T, 16, 3); pelvis and hips move as they did, and all bones keep their lengths.
    """
    changed = round(share * len(joints_m))
    if not changed:
        return joints_m
    bones = joints_to_bones(joints_m)
    mixed, donors = bones[:changed], bones
    for members, end, probability in EXCHANGES:
        chosen = torch.nonzero(torch.rand(changed, generator=generator) < probability)[:, 0].to(bones.device)
        donor = torch.randint(len(donors), (changed,), generator=generator).to(bones.device)[chosen]
        mixed = mixed.index_copy(0, chosen, transplanted(mixed[chosen], donors[donor], members, end))
    return torch.cat([bones_to_joints(mixed) + joints_m[:changed, :, :1], joints_m[changed:]])


def transplanted(bones: Tensor, donors: Tensor, members: Sequence[int], end: TrunkEnd) -> Tensor:
    """Bones with some of another person's, as these lie on that person's trunk.

    Args:
        bones: (B, T, 15, 3) parent-to-child vectors.
        donors: (B, T, 15, 3) of the persons to take from, each in any frame.
        members: Bones to take.
        end: End of the trunk that they are turned with.

    Returns:
        (B, T, 15, 3) with the lengths of `bones`.
    """
    to, of = trunk_axes(bones, end), trunk_axes(donors, end)
    taken = donors[:, :, list(members)] @ of @ to.transpose(-1, -2)
    length = bones[:, :, list(members)].norm(dim=-1, keepdim=True)
    result = bones.clone()
    result[:, :, list(members)] = torch.nn.functional.normalize(taken, dim=-1) * length
    return result


def trunk_axes(bones: Tensor, end: TrunkEnd) -> Tensor:
    """Axes of one end of the trunk: its left, up along the spine, and their normal.

    Args:
        bones: (..., 15, 3) parent-to-child vectors.
        end: Which one.

    Returns:
        (..., 3, 3) rotations; the columns are the axes.
    """
    unit = torch.nn.functional.normalize
    left = unit(bones[..., end.left, :] - bones[..., end.right, :], dim=-1)
    normal = unit(torch.linalg.cross(left, bones[..., end.spine, :], dim=-1), dim=-1)
    return torch.stack([left, torch.linalg.cross(normal, left, dim=-1), normal], -1)
