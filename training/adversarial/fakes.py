"""Fakes: generated motion with its position in front of a camera and its 2D (AdaptPose, eqs. 3 and 4)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from training.cameras.random_cameras import CameraWindows
from training.generator.motion_generator import GeneratedMotion
from training.geometry.camera import root_relative
from training.geometry.keypoint_normalisation import bounded

REFERENCE_FOCAL = 2.29
"""Focal length of Human3.6M's cameras, in half image widths."""


@dataclass(frozen=True)
class Fakes:
    """Generated windows with their 2D.

    Attributes:
        motion: The generated motion.
        position_m: (B, 3) position of the people: learned, or aligned with the target.
        keypoints: (B, T, 16, 2) normalised image coordinates.
    """

    motion: GeneratedMotion
    position_m: Tensor
    keypoints: Tensor

    @property
    def middle_pose_m(self) -> Tensor:
        """(B, 16, 3) root-relative pose of the middle frame."""
        return root_relative(middle(self.motion.joints_m))


def learned_position(motion: GeneratedMotion, source: CameraWindows) -> Tensor:
    """(B, 3) metres: the generator's translation, adjusted to the source's lens. If its camera stays: its own position.

    The network does not know the focal length. Its depth is meant for a camera with REFERENCE_FOCAL, so that the size
    in the image is the same for every lens.
    """
    if motion.position_m is None:
        return source.position_m
    depth = motion.position_m[:, 2:] * source.focal[:, None] / REFERENCE_FOCAL
    return torch.cat([motion.position_m[:, :2], depth], -1)


def projected(joints_m: Tensor, position_m: Tensor, cameras: CameraWindows) -> Tensor:
    """2D of (B, T, J, 3) joints moved by (B, 3), with the intrinsics of the source's cameras (eq. 4).

    It is bounded, also for people behind the camera or far outside.
    """
    return bounded(cameras.see(joints_m + position_m[:, None, None]))


def middle(windows: Tensor) -> Tensor:
    """(B, T, ...) to the middle frames (B, ...)."""
    return windows[:, windows.shape[1] // 2]


def shown(windows: Tensor, frames: Tensor) -> Tensor:
    """One frame of each window, (B, T, J, D) to (B, J, D): what the discriminators see in a step.

    The frames vary, because a bone is hardly rotated in the first frame and fully in the last. Over the steps, all
    frames are judged.
    """
    return windows[torch.arange(len(windows), device=windows.device), frames]
