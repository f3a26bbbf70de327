"""Global position alignment: put a generated person where a target person is in the picture, and as large.

From PoseDA (Chai et al., ICCV 2023); needs no training and takes the place of the learned translation.
"""

from __future__ import annotations

import torch
from torch import Tensor


def aligned_position(pose_m: Tensor, target_keypoints: Tensor, focal: Tensor) -> Tensor:
    """The pelvis' position that gives a pose the 2D root and the 2D box size of a target pose.

    Args:
        pose_m: (B, 16, 3) root-relative, camera axes.
        target_keypoints: (B, 16, 2) normalised image coordinates of drawn target poses.
        focal: (B,) in half image widths.

    Returns:
        (B, 3) metres: depth z = f * (dx + dy) / (2 * s), s the mean of the target box's width and height; x and y from
        the target's 2D root.
    """
    extent = (pose_m[..., :2].amax(1) - pose_m[..., :2].amin(1)).sum(-1)
    size = (target_keypoints.amax(1) - target_keypoints.amin(1)).mean(-1).clamp(min=1e-3)
    # Nearer than half a metre the box no longer says the distance: the near limbs alone would fill the picture.
    depth = (focal * extent / (2 * size)).clamp(min=0.5)
    return torch.cat([target_keypoints[:, 0] * (depth / focal)[:, None], depth[:, None]], -1)
