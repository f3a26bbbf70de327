"""Joints to bones and back, for the 16-joint tree of AdaptPose.

A bone is child minus parent; bone k belongs to joint k + 1.
"""

from __future__ import annotations

import torch
from torch import Tensor

from sdk.skeletons.skeleton import H36M16

PARENTS: tuple[int, ...] = H36M16.parents[1:]
"""Parent joint of each of the 15 bones."""

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


def _path_matrix() -> Tensor:
    """(16, 15): one for each bone between the pelvis and a joint."""
    paths = torch.zeros(len(H36M16), len(PARENTS))
    for bone, parent in enumerate(PARENTS):
        paths[bone + 1] = paths[parent]
        paths[bone + 1, bone] = 1
    return paths


_PATHS = _path_matrix()


def joints_to_bones(joints: Tensor) -> Tensor:
    """(..., 16, D) positions to (..., 15, D) parent-to-child vectors."""
    return joints[..., 1:, :] - joints[..., list(PARENTS), :]


def bones_to_joints(bones: Tensor) -> Tensor:
    """(..., 15, D) parent-to-child vectors to (..., 16, D) positions with the pelvis at zero."""
    return _PATHS.to(bones) @ bones


def bone_lengths(joints: Tensor) -> Tensor:
    """(..., 16, D) positions to (..., 15) lengths in the same unit."""
    return joints_to_bones(joints).norm(dim=-1)


def scale_bones(bones: Tensor, group_ratios: Tensor) -> Tensor:
    """Change bone lengths, left and right alike.

    Args:
        bones: (B, T, 15, 3) parent-to-child vectors.
        group_ratios: (B, 9) relative change of each group of `LENGTH_GROUPS`: 0.1 makes its bones 10% longer.

    Returns:
        (B, T, 15, 3).
    """
    group_of_bone = torch.empty(len(PARENTS), dtype=torch.long, device=bones.device)
    for group, members in enumerate(LENGTH_GROUPS):
        group_of_bone[list(members)] = group
    return bones * (1 + group_ratios[:, None, group_of_bone, None])
