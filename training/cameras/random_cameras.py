"""Random cameras for source motion, which has none: viewpoint, apparent size, distance from the image centre."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from training.geometry.camera import camera_rotation, project, project_through, turn


@dataclass(frozen=True)
class CameraRanges:
    """Ranges of the random cameras. The defaults cover a phone on a tripod, a handheld one, a stand and a drone."""

    level_elevation_deg: tuple[float, float] = (8.0, 14.0)
    """Mean and standard deviation of the elevation of ordinary cameras."""
    any_elevation_share: float = 0.3
    """Share of cameras with an elevation from the whole range `any_elevation_deg`."""
    any_elevation_deg: tuple[float, float] = (-35.0, 85.0)
    """Lowest and highest elevation: from below the feet to overhead."""
    roll_deg: float = 8.0
    """Standard deviation of the rotation about the optical axis."""
    any_roll_share: float = 0.0
    """Share of cameras with any rotation about the optical axis, upside down included."""
    focal: tuple[float, float] = (0.9, 4.0)
    """Range of the focal length in half image widths, uniform in the logarithm: 96 to 28 degrees of view."""
    person_size: tuple[float, float] = (0.25, 1.9)
    """Range of the apparent size, uniform in the logarithm: 1.7 m at the person's depth, in half image widths."""
    offset: float = 0.75
    """Largest distance of the pelvis from the image centre, in half image widths."""
    nearest_m: float = 1.6
    """Smallest distance of a camera from the pelvis."""


ANY_CAMERA = CameraRanges(level_elevation_deg=(15.0, 16.0), any_elevation_share=0.35, any_roll_share=0.1)
"""Cameras to train and adapt lifters with: also those that hang on a wall, look down, are tilted or upside down."""


@dataclass(frozen=True)
class CameraWindows:
    """Source motion as cameras see it.

    Attributes:
        joints_m: (B, T, 16, 3) relative to the middle frame's pelvis, camera axes, metres.
        position_m: (B, 3) position of that pelvis, camera axes, metres.
        focal: (B,) focal lengths in half image widths.
        up: (B, 3) unit vectors that point up, camera axes; None if nobody says.
        lens: (B, 9) the cameras' own intrinsics and distortion (see `project_through`), where a data set gives them;
            `focal` is then their mean focal length. None: `focal`, and the principal point in the image's centre.
    """

    joints_m: Tensor
    position_m: Tensor
    focal: Tensor
    up: Tensor | None = None
    lens: Tensor | None = None

    @property
    def keypoints(self) -> Tensor:
        """(B, T, 16, 2) normalised image coordinates."""
        return self.see(self.joints_m + self.position_m[:, None, None])

    def see(self, joints_camera_m: Tensor) -> Tensor:
        """Project (B, T, J, 3) joints in camera axes as these cameras do (AdaptPose, eq. 4)."""
        if self.lens is None:
            return project(joints_camera_m, self.focal)
        return project_through(joints_camera_m, self.lens)

    @property
    def centre(self) -> Tensor:
        """(B, 2) principal points in normalised image coordinates."""
        return self.position_m.new_zeros(len(self.focal), 2) if self.lens is None else self.lens[:, 2:4]

    @property
    def middle_pose_m(self) -> Tensor:
        """(B, 16, 3) root-relative pose of the middle frame: the right answer of a lifter."""
        return self.joints_m[:, self.joints_m.shape[1] // 2]

    def to(self, device: torch.device) -> CameraWindows:
        """The same windows on a device."""
        return self._each(lambda part: part.to(device))

    def first(self, count: int) -> CameraWindows:
        """The first `count` windows."""
        return self._each(lambda part: part[:count])

    def every(self, step: int) -> CameraWindows:
        """Every `step`-th window."""
        return self._each(lambda part: part[::step])

    def _each(self, change: Callable[[Tensor], Tensor]) -> CameraWindows:
        up = None if self.up is None else change(self.up)
        lens = None if self.lens is None else change(self.lens)
        return CameraWindows(change(self.joints_m), change(self.position_m), change(self.focal), up, lens)

    def followed_by(self, other: CameraWindows) -> CameraWindows:
        """These windows, then the others."""
        return CameraWindows(
            torch.cat([self.joints_m, other.joints_m]),
            torch.cat([self.position_m, other.position_m]),
            torch.cat([self.focal, other.focal]),
            None if self.up is None or other.up is None else torch.cat([self.up, other.up]),
            None if self.lens is None and other.lens is None else torch.cat([_lens_of(self), _lens_of(other)]),
        )


def _lens_of(windows: CameraWindows) -> Tensor:
    """(B, 9) lenses, also of cameras that have none of their own."""
    if windows.lens is not None:
        return windows.lens
    focal = windows.focal[:, None]
    return torch.cat([focal, focal, focal.new_zeros(len(focal), 7)], -1)


FilmSource = Callable[[int, torch.Generator], CameraWindows]
"""Draws so many source windows and films them with source cameras."""


def film(joints_world_m: Tensor, ranges: CameraRanges, generator: torch.Generator) -> CameraWindows:
    """Film each window of (B, T, 16, 3) world motion (z up) with a camera drawn from the ranges."""
    batch = len(joints_world_m)

    def uniform(low: float, high: float) -> Tensor:
        return torch.rand(batch, generator=generator) * (high - low) + low

    def normal(mean: float, deviation: float) -> Tensor:
        return torch.randn(batch, generator=generator) * deviation + mean

    level, anywhere = normal(*ranges.level_elevation_deg), uniform(*ranges.any_elevation_deg)
    elevation = torch.where(uniform(0, 1) < ranges.any_elevation_share, anywhere, level)
    azimuth, roll = uniform(-math.pi, math.pi), torch.deg2rad(normal(0, ranges.roll_deg))
    if ranges.any_roll_share:
        roll = torch.where(uniform(0, 1) < ranges.any_roll_share, uniform(-math.pi, math.pi), roll)
    rotation = camera_rotation(azimuth, torch.deg2rad(elevation), roll)
    focal = torch.exp(uniform(*map(math.log, ranges.focal)))
    size = torch.exp(uniform(*map(math.log, ranges.person_size)))
    depth = (1.7 * focal / size).clamp(min=ranges.nearest_m)
    offset = torch.stack([uniform(-ranges.offset, ranges.offset), uniform(-ranges.offset, ranges.offset)], -1)
    position = torch.cat([offset * (depth / focal)[:, None], depth[:, None]], -1)
    root = joints_world_m[:, joints_world_m.shape[1] // 2, :1]
    return CameraWindows(turn(joints_world_m - root[:, None], rotation), position, focal, rotation[..., 2])
