"""Pinhole cameras in normalised image coordinates, rotations about the axes, and the root's position from 2D.

Camera axes: x right, y down, z forward. Focal lengths and coordinates are in half image widths (of the longer side; see
`sdk.skeletons.keypoint_normalisation.normalise_screen`).
"""

from __future__ import annotations

import roma
import torch
from torch import Tensor

from sdk.skeletons.skeleton import H36M16

NEAREST_DEPTH_M = 0.2
"""For nearer points, 1 / depth is replaced by its tangent at this depth. So there is no division by zero, and the
gradient is finite and never zero: a generator that puts somebody behind the camera can learn to bring them back."""

_BODY_JOINTS = len(H36M16)

WORLD_TO_CAMERA = torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
"""Rotation of a level camera that looks along world +y (world z is up). World x becomes x, world z becomes -y, world y
becomes z."""


def project(joints_camera_m: Tensor, focal: Tensor) -> Tensor:
    """Perspective projection (AdaptPose, eq. 4).

    Args:
        joints_camera_m: (B, ..., 3) in camera axes.
        focal: (B,) in half image widths.

    Returns:
        (B, ..., 2) normalised image coordinates.
    """
    depth = joints_camera_m[..., 2:]
    tangent = (2 - depth / NEAREST_DEPTH_M) / NEAREST_DEPTH_M
    one_over_depth = torch.where(depth > NEAREST_DEPTH_M, 1 / depth.clamp(min=NEAREST_DEPTH_M), tangent)
    focal = focal.reshape(-1, *[1] * (joints_camera_m.ndim - 1))
    return joints_camera_m[..., :2] * one_over_depth * focal


def project_through(joints_camera_m: Tensor, lens: Tensor) -> Tensor:
    """As `project`, through the lens of a known camera.

    With x = X / Z, y = Y / Z and r2 = x^2 + y^2, both are multiplied by 1 + k1 r2 + k2 r2^2 + k3 r2^3 + p1 x + p2 y,
    and get p1 r2 (x) and p2 r2 (y) added: Human3.6M's lens model (not OpenCV's, whose p are exchanged). Beyond 45
    degrees from the axis the distortion is that at 45 degrees, because the polynomials mean nothing there.

    Args:
        joints_camera_m: (B, ..., 3) in camera axes.
        lens: (B, 9) fx, fy, cx, cy in half image widths, k1, k2, k3, p1, p2.

    Returns:
        (B, ..., 2) normalised image coordinates.
    """
    seen = project(joints_camera_m, torch.ones_like(lens[:, 0]))
    fx, fy, cx, cy, k1, k2, k3, p1, p2 = lens.reshape(-1, *[1] * (joints_camera_m.ndim - 2), 9).unbind(-1)
    x, y = seen.clamp(-1, 1).unbind(-1)
    r2 = x.square() + y.square()
    scale = 1 + r2 * (k1 + r2 * (k2 + r2 * k3)) + p1 * x + p2 * y
    return torch.stack([(seen[..., 0] * scale + p1 * r2) * fx + cx, (seen[..., 1] * scale + p2 * r2) * fy + cy], -1)


def turn(joints: Tensor, rotation: Tensor) -> Tensor:
    """Rotate: R @ x for every point of (B, T, J, 3) with R of (B, 3, 3)."""
    return joints @ rotation.transpose(-1, -2)[:, None]


def axis_rotation(axis: str, angle_rad: Tensor) -> Tensor:
    """(B,) angles about `x`, `y` or `z` to (B, 3, 3) rotation matrices."""
    direction = torch.zeros(3, dtype=angle_rad.dtype, device=angle_rad.device)
    direction["xyz".index(axis)] = 1
    return roma.rotvec_to_rotmat(angle_rad[:, None] * direction)


def camera_rotation(azimuth_rad: Tensor, elevation_rad: Tensor, roll_rad: Tensor) -> Tensor:
    """Rotation from world (z up) to a camera that looks at the person from any side and height.

    Args:
        azimuth_rad: (B,) rotation of the world about its vertical.
        elevation_rad: (B,) angle of the camera above the horizon. It looks down by the same angle.
        roll_rad: (B,) rotation of the image about the optical axis.

    Returns:
        (B, 3, 3).
    """
    level = WORLD_TO_CAMERA.to(azimuth_rad) @ axis_rotation("z", azimuth_rad)
    return axis_rotation("z", roll_rad) @ axis_rotation("x", elevation_rad) @ level


def root_relative(joints: Tensor) -> Tensor:
    """(..., J, 3) with each pose's pelvis at zero."""
    return joints - joints[..., :1, :]


def root_position(pose_m: Tensor, keypoints: Tensor, focal: Tensor) -> Tensor:
    """The position of the pelvis for which a pose projects closest to its keypoints. Joints are weighted by depth.

    Each joint gives two equations, f * (X + tx) = x * (Z + tz) and the same for y. They are solved by least squares:
    after the means over the joints are subtracted, tx and ty drop out, and tz is one quotient. (Not torch.linalg.lstsq:
    its default driver reads memory that it never wrote, and the same input gave answers up to 1.5e-7 m apart.)

    Args:
        pose_m: (B, J, 3) root-relative, camera axes. Of H36M-20, feet do not count: not every target shows them.
        keypoints: (B, J, 2) normalised image coordinates of the same joints; J at least two.
        focal: (B,) in half image widths.

    Returns:
        (B, 3) metres; the same input gives the same bits. If all keypoints are one point, the depth is zero.
    """
    pose_m, keypoints = pose_m[:, :_BODY_JOINTS], keypoints[:, :_BODY_JOINTS]
    lens = focal[:, None]
    known = keypoints * pose_m[..., 2:] - lens[..., None] * pose_m[..., :2]
    mean_keypoint, mean_known = keypoints.mean(1), known.mean(1)
    off_mean = keypoints - mean_keypoint[:, None]
    spread = off_mean.square().sum((1, 2)).clamp(min=torch.finfo(pose_m.dtype).tiny)
    depth = -(off_mean * (known - mean_known[:, None])).sum((1, 2)) / spread
    return torch.cat([(mean_known + mean_keypoint * depth[:, None]) / lens, depth[:, None]], -1)
