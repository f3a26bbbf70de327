"""Joints to bones and back, for the 16-joint tree of AdaptPose, with or without feet.

A bone is child minus parent; bone k belongs to joint k + 1. J is 16, or 20 with feet (`H36M20`, whose first joints are
the 16). There are J - 1 bones.
"""

from __future__ import annotations

import torch
from torch import Tensor

from sdk.skeletons.skeleton import H36M16, H36M20

PARENTS: tuple[int, ...] = H36M16.parents[1:]
"""Parent joint of each of the 15 bones of `H36M16`."""
PARENTS_WITH_FEET: tuple[int, ...] = H36M20.parents[1:]
"""Parent joint of each of the 19 bones of `H36M20`; the first 15 are `PARENTS`."""

TORSO_BONES = (H36M16.index("spine") - 1, H36M16.index("thorax") - 1)
"""Pelvis-spine and spine-thorax. Rotating them would rotate the whole body, which is the camera's part."""

LENGTH_GROUPS: tuple[tuple[int, ...], ...] = tuple(
    tuple(H36M16.index(joint) - 1 for joint in group)
    for group in (
        ("right_hip", "left_hip"),
        ("right_knee", "left_knee"),
        ("right_ankle", "left_ankle"),
        ("spine",),
        ("thorax",),
        ("head",),
        ("right_shoulder", "left_shoulder"),
        ("right_elbow", "left_elbow"),
        ("right_wrist", "left_wrist"),
    )
)
"""Bones that share a length ratio: hip, thigh, shin, spine, thorax, head, shoulder, upper arm, forearm."""


FOOT_LENGTH_GROUPS: tuple[tuple[int, ...], ...] = tuple(
    tuple(H36M20.index(f"{side}_{part}") - 1 for side in ("right", "left")) for part in ("heel", "toe")
)
"""Bones of the feet that share a length ratio: ankle to heel, ankle to toes."""


def _path_matrix() -> Tensor:
    """(20, 19): one for each bone between the pelvis and a joint."""
    paths = torch.zeros(len(H36M20), len(PARENTS_WITH_FEET))
    for bone, parent in enumerate(PARENTS_WITH_FEET):
        paths[bone + 1] = paths[parent]
        paths[bone + 1, bone] = 1
    return paths


_PATHS = _path_matrix()


def joints_to_bones(joints: Tensor) -> Tensor:
    """(..., J, D) positions to (..., J - 1, D) parent-to-child vectors."""
    return joints[..., 1:, :] - joints[..., list(PARENTS_WITH_FEET[: joints.shape[-2] - 1]), :]


def bones_to_joints(bones: Tensor) -> Tensor:
    """(..., J - 1, D) parent-to-child vectors to (..., J, D) positions with the pelvis at zero."""
    count = bones.shape[-2]
    return _PATHS[: count + 1, :count].to(bones) @ bones


def bone_lengths(joints: Tensor) -> Tensor:
    """(..., J, D) positions to (..., J - 1) lengths in the same unit."""
    return joints_to_bones(joints).norm(dim=-1)


def usual_bone_lengths(joints: Tensor) -> Tensor:
    """(T, J, D) positions over time to (J - 1,) lengths: the median, then the mean of left and right."""
    usual = bone_lengths(joints).median(0).values
    for group in LENGTH_GROUPS + (FOOT_LENGTH_GROUPS if len(usual) > len(PARENTS) else ()):
        usual[list(group)] = usual[list(group)].mean()
    return usual


def scale_bones(bones: Tensor, group_ratios: Tensor) -> Tensor:
    """Change bone lengths, left and right alike.

    Args:
        bones: (B, T, J - 1, 3) parent-to-child vectors.
        group_ratios: (B, 9) relative change of each group of `LENGTH_GROUPS`: 0.1 makes its bones 10% longer. With
            feet (B, 11): `FOOT_LENGTH_GROUPS` follow.

    Returns:
        (B, T, J - 1, 3).
    """
    group_of_bone = torch.empty(bones.shape[-2], dtype=torch.long, device=bones.device)
    for group, members in enumerate((LENGTH_GROUPS + FOOT_LENGTH_GROUPS)[: group_ratios.shape[-1]]):
        group_of_bone[list(members)] = group
    return bones * (1 + group_ratios[:, None, group_of_bone, None])
