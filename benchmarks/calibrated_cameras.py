"""Calibrated cameras, and triangulation of points that several of them see."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from sdk.errors import BadModelFile

_INTRINSICS_SCALE = 64
"""Qualisys gives intrinsics in units of a 64th of a pixel."""
_DISTORTION = ("radialDistortion1", "radialDistortion2", "tangentalDistortion1", "tangentalDistortion2")


@dataclass(frozen=True)
class CalibratedCamera:
    """A pinhole camera with distortion.

    Attributes:
        rotation: (3, 3) world to camera.
        centre_m: (3,) position in the world.
        intrinsics: (3, 3) camera matrix in pixels.
        distortion: (4,) OpenCV's k1, k2, p1, p2.
    """

    rotation: np.ndarray
    centre_m: np.ndarray
    intrinsics: np.ndarray
    distortion: np.ndarray

    def rays(self, points_px: np.ndarray) -> np.ndarray:
        """(N, 2) pixels to undistorted (N, 2) x / z and y / z."""
        return cv2.undistortPoints(points_px[:, None].astype(np.float64), self.intrinsics, self.distortion)[:, 0]

    def pixels(self, points_m: np.ndarray) -> np.ndarray:
        """(N, 3) world metres to (N, 2) pixels."""
        turn, _ = cv2.Rodrigues(self.rotation)
        shift = -self.rotation @ self.centre_m
        return cv2.projectPoints(points_m, turn, shift, self.intrinsics, self.distortion)[0][:, 0]

    @property
    def projection(self) -> np.ndarray:
        """(3, 4): world to x / z and y / z."""
        return np.concatenate([self.rotation, -(self.rotation @ self.centre_m)[:, None]], 1)


def read_calibration(path: Path) -> dict[str, CalibratedCamera]:
    """Cameras by serial number, in the order of a Qualisys calibration. Its camera axes (up, backwards) are converted.

    Raises:
        BadModelFile: a camera has no position or no lens.
    """
    cameras = {}
    for camera in ElementTree.parse(path).getroot().iter("camera"):
        place, lens = camera.find("transform"), camera.find("intrinsic")
        if place is None or lens is None:
            raise BadModelFile(f"{path}: a camera has no transform or no intrinsic.")
        rotation = np.array([[float(place.attrib[f"r{row}{column}"]) for column in "123"] for row in "123"])
        fx, fy, cx, cy = (
            float(lens.attrib[name]) / _INTRINSICS_SCALE
            for name in ("focalLengthU", "focalLengthV", "centerPointU", "centerPointV")
        )
        cameras[camera.attrib["serial"]] = CalibratedCamera(
            np.diag([1.0, -1.0, -1.0]) @ rotation,
            np.array([float(place.attrib[axis]) for axis in "xyz"]) / 1000,
            np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]]),
            np.array([float(lens.attrib[name]) for name in _DISTORTION]),
        )
    return cameras


def triangulate(
    cameras: Sequence[CalibratedCamera], points_px: np.ndarray, weights: np.ndarray | None = None
) -> np.ndarray:
    """World points (N, 3) in metres by linear least squares.

    Args:
        cameras: C cameras.
        points_px: (C, N, 2) points in each camera.
        weights: (C, N) weights of the points; None for equal weights.
    """
    rows = []
    for number, (camera, seen) in enumerate(zip(cameras, points_px, strict=True)):
        plane = camera.projection
        equations = camera.rays(seen)[..., None] * plane[2] - plane[:2]
        rows.append(equations if weights is None else weights[number, :, None, None] * equations)
    _, _, v = np.linalg.svd(np.concatenate(rows, 1))
    return v[:, -1, :3] / v[:, -1, 3:]
