"""Cameras out of poses: where a file has true 3D and its exact 2D and no camera, least squares give it back."""

from __future__ import annotations

import numpy as np

from sdk.errors import BadDataset
from training.datasets.camera import SequenceCamera, distorted

_POINTS = 2000
"""Used of all; evenly spread."""
_NO_LENS = np.zeros(5)


def fit_pinhole(joints_camera_m: np.ndarray, keypoints_px: np.ndarray, size: tuple[int, int]) -> SequenceCamera:
    """Intrinsics of a camera without distortion, as for 3DHP's test set, which has no camera file.

    Args:
        joints_camera_m: (T, J, 3) in camera axes.
        keypoints_px: (T, J, 2).
        size: Width and height in pixels.

    Raises:
        BadDataset: the points are too few or do not fit any such camera.
    """
    points, pixels = _points(joints_camera_m, keypoints_px)
    lens = _linear_lens(points[:, :2] / points[:, 2:], pixels)
    return SequenceCamera(lens[None], *size, _NO_LENS)


def fit_lens(joints_camera_m: np.ndarray, keypoints_px: np.ndarray, size: tuple[int, int]) -> SequenceCamera:
    """As `fit_pinhole`, with Human3.6M's distortion."""
    from scipy.optimize import least_squares

    points, pixels = _points(joints_camera_m, keypoints_px)
    rays = points[:, :2] / points[:, 2:]
    start = np.concatenate([_linear_lens(rays, pixels), _NO_LENS])
    found = least_squares(lambda lens: _lens_errors(lens, rays, pixels), start, x_scale=_LENS_SCALE).x
    _check_focal(found)
    return SequenceCamera(found[None, :4], *size, found[4:])


def fit_camera(joints_world_m: np.ndarray, keypoints_px: np.ndarray, size: tuple[int, int]) -> SequenceCamera:
    """Intrinsics, distortion and place of a fixed camera, from joints in the world.

    A direct linear transform begins (Hartley and Zisserman, algorithm 7.1), least squares over all 15 numbers end.

    Args:
        joints_world_m: (T, J, 3) in the world.
        keypoints_px: (T, J, 2).
        size: Width and height in pixels.

    Raises:
        BadDataset: the points are too few or do not fit any such camera.
    """
    from scipy.linalg import rq
    from scipy.optimize import least_squares
    from scipy.spatial.transform import Rotation

    points, pixels = _points(joints_world_m, keypoints_px, world=True)
    center, spread = points.mean(0), points.std() + 1e-9
    middle = np.array(size) / 2
    unit, flat = (points - center) / spread, (pixels - middle) / middle.max()
    homogeneous = np.concatenate([unit, np.ones((len(unit), 1))], 1)
    zero = np.zeros_like(homogeneous)
    rows = np.concatenate(
        [
            np.concatenate([homogeneous, zero, -flat[:, :1] * homogeneous], 1),
            np.concatenate([zero, homogeneous, -flat[:, 1:] * homogeneous], 1),
        ]
    )
    matrix = np.linalg.eigh(rows.T @ rows)[1][:, 0].reshape(3, 4)
    if (homogeneous @ matrix[2]).mean() < 0:
        matrix = -matrix
    inside, rotation = rq(matrix[:, :3])
    signs = np.sign(np.diag(inside))
    inside, rotation = inside * signs, rotation * signs[:, None]
    if np.linalg.det(rotation) < 0:
        raise BadDataset("no camera shows these 3D joints at these 2D keypoints: one of them is mirrored.")
    translation = np.linalg.solve(inside, matrix[:, 3]) * spread - rotation @ center
    inside = inside / inside[2, 2]
    lens = [*np.diag(inside)[:2] * middle.max(), *(inside[:2, 2] * middle.max() + middle), *_NO_LENS]

    def errors(numbers: np.ndarray) -> np.ndarray:
        moved = points @ Rotation.from_rotvec(numbers[9:12]).as_matrix().T + numbers[12:]
        return _lens_errors(numbers[:9], moved[:, :2] / np.maximum(moved[:, 2:], 1e-3), pixels)

    start = np.array([*lens, *Rotation.from_matrix(rotation).as_rotvec(), *translation])
    found = least_squares(errors, start, x_scale=np.array([*_LENS_SCALE, *[0.01] * 3, *[0.05] * 3])).x
    _check_focal(found)
    rotation = Rotation.from_rotvec(found[9:12]).as_matrix()
    return SequenceCamera(found[None, :4], *size, found[4:9], rotation[None], found[None, 12:])


_LENS_SCALE = np.array([100.0, 100, 10, 10, 0.1, 0.1, 0.1, 0.01, 0.01])


def _lens_errors(lens: np.ndarray, rays: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    return (distorted(rays, lens[4:9]) * lens[:2] + lens[2:4] - pixels).ravel()


def _linear_lens(rays: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    """(4,) fx, fy, cx, cy of a pinhole."""
    solved = []
    for axis in range(2):
        equations = np.stack([rays[:, axis], np.ones(len(rays))], 1)
        solved.append(np.linalg.lstsq(equations, pixels[:, axis], rcond=None)[0])
    lens = np.array([solved[0][0], solved[1][0], solved[0][1], solved[1][1]])
    _check_focal(lens)
    return lens


def _check_focal(lens: np.ndarray) -> None:
    if not (np.isfinite(lens).all() and (lens[:2] > 0).all()):
        raise BadDataset("no camera shows these 3D joints at these 2D keypoints: other axes, units or joint orders.")


def _points(joints_m: np.ndarray, keypoints_px: np.ndarray, *, world: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """(N, 3) points and (N, 2) pixels of what is finite and, in camera axes, before the camera; evenly picked."""
    points = np.asarray(joints_m, np.float64).reshape(-1, 3)
    pixels = np.asarray(keypoints_px, np.float64).reshape(-1, 2)
    usable = (np.abs(points) < 1e3).all(1) & (np.abs(pixels) < 1e5).all(1)
    if not world:
        usable &= points[:, 2] > 0.1
    places = np.flatnonzero(usable)
    if len(places) < 20:
        raise BadDataset("there are too few joints with 2D and 3D to find the camera from.")
    places = places[np.linspace(0, len(places) - 1, min(len(places), _POINTS)).astype(int)]
    return points[places], pixels[places]
