"""Where a root-relative pose stands in the camera, from its 2D: linear in the position, so solved outright."""

from __future__ import annotations

import torch
from torch import Tensor


def root_position(pose_m: Tensor, keypoints: Tensor, focal: Tensor) -> Tensor:
    """The pelvis' position for which a pose projects closest to its keypoints, each joint weighed by its depth.

    From f * (X + tx) = x * (Z + tz) and the same for y, two equations a joint, in the least-squares sense.

    Args:
        pose_m: (B, J, 3) root-relative, camera axes.
        keypoints: (B, J, 2) normalised image coordinates of the same joints; J at least two.
        focal: (B,) in half image widths.

    Returns:
        (B, 3) metres.
    """
    joints = pose_m.shape[1]
    factors = pose_m.new_zeros(len(pose_m), 2 * joints, 3)
    factors[:, :joints, 0] = factors[:, joints:, 1] = focal[:, None]
    factors[..., 2] = -keypoints.transpose(1, 2).flatten(1)
    known = keypoints * pose_m[..., 2:] - focal[:, None, None] * pose_m[..., :2]
    return torch.linalg.lstsq(factors, known.transpose(1, 2).flatten(1)[..., None]).solution[..., 0]
