"""The joint orders of prepared data sets, and how each official order becomes one of them.

Joints of one name lie in different places on the body from one data set to the next: 3DHP's head is the top of the
head and its thorax the neck, its hips and neck lie elsewhere than Human3.6M's, SMPL's are another model's. Errors
across data sets hold this difference.
"""

from __future__ import annotations

import numpy as np

from sdk.errors import BadDataset
from sdk.skeletons.skeleton import H36M16, H36M17, Skeleton

_SMPL_NAMES = (
    "pelvis", "left_hip", "right_hip", "spine1", "left_knee", "right_knee", "spine2", "left_ankle", "right_ankle",
    "spine3", "left_foot", "right_foot", "neck", "left_collar", "right_collar", "head", "left_shoulder",
    "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_hand", "right_hand",
)  # fmt: skip
_SMPL_PARENTS = (-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 20, 21)
SMPL24 = Skeleton("smpl24", _SMPL_NAMES, tuple((parent, child) for child, parent in enumerate(_SMPL_PARENTS) if child))
"""The joints of SMPL, in which 3DPW gives its `jointPositions`."""

JOINT_ORDERS: dict[str, Skeleton] = {order.name: order for order in (H36M16, H36M17, SMPL24)}
"""The orders that a prepared data set can have, by name."""

_TO_H36M16: dict[str, tuple[int, ...]] = {
    "h36m16": tuple(range(16)),
    "h36m17": (0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14, 15, 16),
    "smpl24": (0, 2, 5, 8, 1, 4, 7, 6, 12, 15, 16, 18, 20, 17, 19, 21),  # as PoseBench3D picks
}


def to_h36m16(joints: np.ndarray, order: str) -> np.ndarray:
    """Pick the 16 joints of AdaptPose and PoseAug (`sdk.skeletons.skeleton.H36M16`).

    Args:
        joints: (..., J, C) in one of `JOINT_ORDERS`.
        order: Its name.

    Returns:
        (..., 16, C).

    Raises:
        BadDataset: the order is not known, or has another number of joints.
    """
    if order not in _TO_H36M16:
        raise BadDataset(f"{order!r} is not a known joint order. Known: {', '.join(_TO_H36M16)}.")
    if joints.ndim < 2 or joints.shape[-2] != len(JOINT_ORDERS[order]):
        raise BadDataset(f"joints of {order} have shape {joints.shape}, not (..., {len(JOINT_ORDERS[order])}, C).")
    return joints[..., list(_TO_H36M16[order]), :]


H36M32_TO_17 = (0, 1, 2, 3, 6, 7, 8, 12, 13, 14, 15, 17, 18, 19, 25, 26, 27)
"""Human3.6M's 32 joints to h36m17: those that move, once each."""
MPI28_TO_H36M17 = (4, 23, 24, 25, 18, 19, 20, 3, 5, 6, 7, 9, 10, 11, 14, 15, 16)
"""The 28 joints of 3DHP's training set to h36m17: "nose" is its head, "head" its head_top, "thorax" its neck."""
MPI17_TO_H36M17 = (14, 8, 9, 10, 11, 12, 13, 15, 1, 16, 0, 5, 6, 7, 2, 3, 4)
"""The 17 joints of 3DHP's test set to h36m17."""
H36M17_TO_MPI17 = tuple(int(joint) for joint in np.argsort(MPI17_TO_H36M17))
"""h36m17 back to the order of 3DHP's test set, in which its metrics name joints (14 is the pelvis)."""
