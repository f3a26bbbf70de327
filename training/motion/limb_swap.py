"""Limb swap: limbs of one source person on the trunk of another. It makes poses that the source does not have.

This is the crossover of Li et al. (Cascaded Deep Monocular 3D Human Pose Estimation with Evolutionary Training Data,
CVPR 2020, section 3.1) over whole windows. A swapped limb keeps its motion, is rotated with its new trunk, and takes
the bone lengths of its new body.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from sdk.skeletons.skeleton import H36M16, H36M20
from training.geometry.bones import bones_to_joints, joints_to_bones


def _bones(*joints: str) -> list[int]:
    return [H36M16.index(joint) - 1 for joint in joints]


@dataclass(frozen=True)
class TrunkEnd:
    """One end of the trunk, with limbs attached.

    Attributes:
        left: Bone from the middle of this end to its left joint.
        right: Bone from the middle of this end to its right joint.
        spine: Bone of the spine at this end.
    """

    left: int
    right: int
    spine: int


PELVIS = TrunkEnd(*_bones("left_hip", "right_hip", "spine"))
THORAX = TrunkEnd(*_bones("left_shoulder", "right_shoulder", "thorax"))

_LEFT_ARM, _RIGHT_ARM = _bones("left_elbow", "left_wrist"), _bones("right_elbow", "right_wrist")
_LEFT_LEG, _RIGHT_LEG = _bones("left_knee", "left_ankle"), _bones("right_knee", "right_ankle")
_UPPER_BODY = [*_bones("spine", "thorax", "head", "left_shoulder", "right_shoulder"), *_LEFT_ARM, *_RIGHT_ARM]

FEET = {side: [H36M20.index(f"{side}_{part}") - 1 for part in ("heel", "toe")] for side in ("left", "right")}
"""Bones of the feet, which poses with 20 joints have. They go with the shin that they hang on."""

EXCHANGES: tuple[tuple[Sequence[int], TrunkEnd, float], ...] = (
    (_UPPER_BODY, PELVIS, 0.3),
    (_LEFT_LEG + _RIGHT_LEG, PELVIS, 0.5),
    (_RIGHT_LEG, PELVIS, 0.3),
    (_LEFT_ARM, THORAX, 0.5),
    (_RIGHT_ARM, THORAX, 0.5),
)
"""The swaps, in this order. Each has its bones, the end of the trunk that they are rotated with, and a probability."""


def swap_limbs(joints_m: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Give a share of the windows limbs of other windows of the batch.

    Args:
        joints_m: (B, T, J, 3), J 16 or 20; each window may have its own axes.
        share: Share of the windows that get limbs. They are the first of the batch, whose order must be random.
        generator: Source of randomness, on the CPU.

    Returns:
        (B, T, J, 3); pelvis and hips move as they did, and all bones keep their lengths.
    """
    changed = round(share * len(joints_m))
    if not changed:
        return joints_m
    bones = joints_to_bones(joints_m)
    mixed, donors = bones[:changed], bones
    for members, end, probability in EXCHANGES:
        chosen = torch.nonzero(torch.rand(changed, generator=generator) < probability)[:, 0].to(bones.device)
        donor = torch.randint(len(donors), (changed,), generator=generator).to(bones.device)[chosen]
        mixed = mixed.index_copy(0, chosen, transplanted(mixed[chosen], donors[donor], _with_feet(members, bones), end))
    return torch.cat([bones_to_joints(mixed) + joints_m[:changed, :, :1], joints_m[changed:]])


def _with_feet(members: Sequence[int], bones: Tensor) -> list[int]:
    """The members, with the feet of the shins among them if there are any."""
    shins = {"left": _LEFT_LEG[-1], "right": _RIGHT_LEG[-1]}
    feet = [bone for side, shin in shins.items() if shin in members for bone in FEET[side]]
    return [*members, *(bone for bone in feet if bone < bones.shape[-2])]


def transplanted(bones: Tensor, donors: Tensor, members: Sequence[int], end: TrunkEnd) -> Tensor:
    """Replace some bones by those of another person, in the same directions relative to the trunk.

    Args:
        bones: (B, T, J - 1, 3) parent-to-child vectors.
        donors: (B, T, J - 1, 3) bones of the people to take from, in any axes.
        members: Bones to take.
        end: End of the trunk that they are rotated with.

    Returns:
        (B, T, J - 1, 3) with the lengths of `bones`.
    """
    to, of = trunk_axes(bones, end), trunk_axes(donors, end)
    taken = donors[:, :, list(members)] @ of @ to.transpose(-1, -2)
    length = bones[:, :, list(members)].norm(dim=-1, keepdim=True)
    result = bones.clone()
    result[:, :, list(members)] = torch.nn.functional.normalize(taken, dim=-1) * length
    return result


def trunk_axes(bones: Tensor, end: TrunkEnd) -> Tensor:
    """Axes of one end of the trunk: left, up along the spine, and their normal.

    Args:
        bones: (..., 15, 3) parent-to-child vectors.
        end: End of the trunk.

    Returns:
        (..., 3, 3) rotations; the columns are the axes.
    """
    unit = torch.nn.functional.normalize
    left = unit(bones[..., end.left, :] - bones[..., end.right, :], dim=-1)
    normal = unit(torch.linalg.cross(left, bones[..., end.spine, :], dim=-1), dim=-1)
    return torch.stack([left, torch.linalg.cross(normal, left, dim=-1), normal], -1)
