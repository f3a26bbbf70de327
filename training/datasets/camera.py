"""The camera of a prepared sequence: intrinsics in pixels, Human3.6M's lens distortion, extrinsics where known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sdk.errors import BadDataset

_NEAREST_M = 1e-3
"""Joints no nearer than this are projected: behind the camera there is no image."""


@dataclass(frozen=True)
class SequenceCamera:
    """The camera of a sequence; axes x right, y down, z forward. R is 1, or T where the camera moves or zooms.

    Attributes:
        intrinsics_px: (R, 4) float64: fx, fy, cx, cy.
        distortion: (5,) float64: k1, k2, k3, p1, p2 of Human3.6M's lens model (see `project`); zeros for none.
        width: Width of the image in pixels.
        height: Height of the image in pixels.
        rotation_world_to_camera: (R, 3, 3) float64, or None if unknown.
        translation_world_to_camera_m: (R, 3) float64: the world's origin in camera axes, or None if unknown.
            A point of the world X is at `rotation @ X + translation`.

    Raises:
        BadDataset: a shape or value is not as above, or only one of rotation and translation is given.
    """

    intrinsics_px: np.ndarray
    width: int
    height: int
    distortion: np.ndarray
    rotation_world_to_camera: np.ndarray | None = None
    translation_world_to_camera_m: np.ndarray | None = None

    def __post_init__(self) -> None:
        shapes = {"intrinsics_px": (4,), "rotation_world_to_camera": (3, 3), "translation_world_to_camera_m": (3,)}
        for name, shape in shapes.items():
            array = getattr(self, name)
            if array is not None and (array.ndim != len(shape) + 1 or array.shape[1:] != shape or not len(array)):
                raise BadDataset(f"a camera's {name} have shape {array.shape}, not (1 or frames, {shape}).")
            if array is not None and not np.isfinite(array).all():
                raise BadDataset(f"a camera's {name} hold values that are not finite.")
        if self.distortion.shape != (5,) or not np.isfinite(self.distortion).all():
            raise BadDataset("a camera's distortion is not five numbers k1, k2, k3, p1, p2.")
        if not ((self.intrinsics_px[:, :2] > 0).all() and self.width > 0 and self.height > 0):
            raise BadDataset("a camera's focal lengths and image sides must be positive.")
        if (self.rotation_world_to_camera is None) != (self.translation_world_to_camera_m is None):
            raise BadDataset("a camera has a rotation without a translation, or the other way round.")

    def project(self, joints_camera_m: np.ndarray) -> np.ndarray:
        """Pixels of joints, with the distortion.

        Human3.6M's lens: with x = X / Z, y = Y / Z and r2 = x^2 + y^2, both are multiplied by
        1 + k1 r2 + k2 r2^2 + k3 r2^3 + p1 x + p2 y, and get p1 r2 (x) and p2 r2 (y) added. OpenCV's has the two p
        exchanged and the term of x and y doubled; with Human3.6M's p that is a tenth of a pixel.

        Args:
            joints_camera_m: (T, J, 3).

        Returns:
            (T, J, 2) float64; NaN for joints that are not in front of the camera.
        """
        joints = np.asarray(joints_camera_m, np.float64)
        depth = np.where(joints[..., 2:] > _NEAREST_M, joints[..., 2:], np.nan)
        point = distorted(joints[..., :2] / depth, self.distortion)
        return point * self.intrinsics_px[:, None, :2] + self.intrinsics_px[:, None, 2:]

    def to_world(self, joints_camera_m: np.ndarray) -> np.ndarray | None:
        """(T, J, 3) in the world's axes and metres; None if the camera's place is unknown."""
        if self.rotation_world_to_camera is None or self.translation_world_to_camera_m is None:
            return None
        moved = np.asarray(joints_camera_m, np.float64) - self.translation_world_to_camera_m[:, None]
        return moved @ self.rotation_world_to_camera  # the inverse: row vectors times R are R^T @ x

    def rows(self, frames: slice | np.ndarray) -> SequenceCamera:
        """The camera of some of the frames."""

        def taken(array: np.ndarray | None) -> np.ndarray | None:
            return array if array is None or len(array) == 1 else array[frames]

        intrinsics = taken(self.intrinsics_px)
        assert intrinsics is not None
        return SequenceCamera(
            intrinsics,
            self.width,
            self.height,
            self.distortion,
            taken(self.rotation_world_to_camera),
            taken(self.translation_world_to_camera_m),
        )


def distorted(points: np.ndarray, distortion: np.ndarray) -> np.ndarray:
    """Points X / Z, Y / Z as the lens shows them, (..., 2); see `SequenceCamera.project`."""
    k1, k2, k3, p1, p2 = distortion
    if not distortion.any():
        return points
    x, y = points[..., 0], points[..., 1]
    r2 = x**2 + y**2
    scale = 1 + r2 * (k1 + r2 * (k2 + r2 * k3)) + p1 * x + p2 * y
    return np.stack([x * scale + p1 * r2, y * scale + p2 * r2], -1)
