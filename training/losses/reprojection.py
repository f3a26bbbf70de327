"""Reprojection loss of the lifted target, up to scale and root (AdaptPose, eqs. 18 and 19)."""

from __future__ import annotations

from torch import Tensor

from training.geometry.camera import root_relative


def reprojection_loss(lifted: Tensor, keypoints: Tensor) -> Tensor:
    """L1 distance between x, y of lifted poses and their keypoints. Both are root-centred and scaled to norm one.

    Args:
        lifted: (B, J, 3) metres, camera axes.
        keypoints: (B, J, 2) image coordinates of the same frames; joints that are not seen are NaN, and don't count.

    Returns:
        A scalar: the mean over poses of the sum over joints.
    """
    seen = keypoints.isfinite().all(-1, keepdim=True)
    difference = _unit(root_relative(lifted)[..., :2] * seen) - _unit(root_relative(keypoints).nan_to_num() * seen)
    return difference.abs().sum((-2, -1)).mean()


def _unit(pose: Tensor) -> Tensor:
    return pose / pose.square().sum((-2, -1), keepdim=True).clamp(min=1e-16).sqrt()
