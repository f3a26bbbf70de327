"""Where a person stands in the camera: solved from the root-relative pose, its 2D and the focal length."""

from __future__ import annotations

import numpy as np

from sdk.camera.one_euro import OneEuroNumber, Smoothing
from sdk.camera.pinhole_camera import Pinhole
from sdk.errors import BadKeypoints

FEWEST_JOINTS = 4
"""Fewest seen joints for solving a position. With fewer, the depth is random."""
_WORST_CONDITION = 1e12
"""Condition number of the equations from which on their solution is rounding noise."""
KEYPOINT_DEVIATION_M = 0.05
"""What 2D is off, at the person's place: the usual centimetres between a detector's joint and the true one. Without
it the pelvis, which is the origin and so has no spread of its own, would decide alone."""
_DEPTH_SMOOTHING = Smoothing(still_hz=0.3, hz_per_mps=0.5, speed_hz=0.5)
"""Smoothing of the depth, which shakes most: a pose that is 2% too small is 2% too far away."""


def root_position(
    joints_m: np.ndarray, keypoints: np.ndarray, camera: Pinhole, deviations_m: np.ndarray | None = None
) -> np.ndarray:
    """The position of the pelvis for which poses project closest to their 2D.

    Each seen joint gives two equations that are linear in the position: f (X + tx) = x (Z + tz), and the same for y.
    They are solved by least squares. Where the spread of the joints is known, each equation has the weight of its
    variance, (f dX)^2 + (x dZ)^2 + (f d)^2 with d = `KEYPOINT_DEVIATION_M`.

    Args:
        joints_m: (N, J, 3) relative to the pelvis, camera axes.
        keypoints: (N, J, 2) image coordinates of the same frames (`normalise_screen`); NaN where a joint is not seen.
        camera: The camera.
        deviations_m: (N, J, 3) standard deviations of the joints; None if they are not known: all weigh the same.

    Returns:
        (N, 3) float32 metres. NaN where fewer than `FEWEST_JOINTS` joints are seen, or where there is no solution.

    Raises:
        BadKeypoints: a shape is wrong.
    """
    joints, points = np.asarray(joints_m, np.float64), np.asarray(keypoints, np.float64)
    if joints.ndim != 3 or joints.shape[-1] != 3 or points.shape != (*joints.shape[:2], 2):
        raise BadKeypoints(f"poses {joints.shape} and keypoints {points.shape} are not (N, J, 3) and (N, J, 2).")
    seen = np.isfinite(points).all(-1)
    points = np.where(seen[..., None], points, 0)
    focal = camera.focal
    count = seen.sum(-1)
    if deviations_m is not None:
        return _solved(*_weighted_equations(joints, points, seen, focal, deviations_m), count)
    # Normal equations of the rows (f, 0, -x) and (0, f, -y).
    sums = (points * seen[..., None]).sum(1)
    squares = (np.square(points).sum(-1) * seen).sum(-1)
    matrix = np.zeros((len(joints), 3, 3))
    matrix[:, 0, 0] = matrix[:, 1, 1] = focal**2 * count
    matrix[:, :2, 2] = matrix[:, 2, :2] = -focal * sums
    matrix[:, 2, 2] = squares
    known = (points * joints[..., 2:] - focal * joints[..., :2]) * seen[..., None]
    right = np.concatenate([focal * known.sum(1), -(points * known).sum((1, 2))[:, None]], -1)
    return _solved(matrix, right, count)


def _weighted_equations(
    joints: np.ndarray, points: np.ndarray, seen: np.ndarray, focal: float, deviations_m: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Normal equations (N, 3, 3) and (N, 3) of the rows (f, 0, -x) and (0, f, -y), weighted by their variances."""
    squares = np.square(np.asarray(deviations_m, np.float64))
    across, along = squares[..., :2] + KEYPOINT_DEVIATION_M**2, squares[..., 2:]
    weights = seen[..., None] / (across + np.square(points / focal) * along)
    weights /= np.maximum(weights.mean((1, 2), keepdims=True), 1e-300)  # as without: the condition is a limit
    known = points * joints[..., 2:] - focal * joints[..., :2]
    matrix = np.zeros((len(joints), 3, 3))
    matrix[:, [0, 1], [0, 1]] = focal**2 * weights.sum(1)
    matrix[:, :2, 2] = matrix[:, 2, :2] = -focal * (weights * points).sum(1)
    matrix[:, 2, 2] = (weights * np.square(points)).sum((1, 2))
    right = np.concatenate([focal * (weights * known).sum(1), -(weights * points * known).sum((1, 2))[:, None]], -1)
    return matrix, right


def _solved(matrix: np.ndarray, right: np.ndarray, count: np.ndarray) -> np.ndarray:
    """(N, 3) float32; NaN where fewer than `FEWEST_JOINTS` are seen, or where there is no solution."""
    solvable = count >= FEWEST_JOINTS
    # Eigenvalues of these matrices are not negative, so det / (trace / 2)^2 is at most the smallest. Mostly this bound
    # is enough. The exact condition number takes several times as long.
    trace = matrix[:, 0, 0] + matrix[:, 1, 1] + matrix[:, 2, 2]
    if not (trace**3 < 1e9 * np.linalg.det(matrix)).all():
        solvable &= np.linalg.cond(matrix) < _WORST_CONDITION
    position = np.full((len(matrix), 3), np.nan)
    if solvable.any():
        position[solvable] = np.linalg.solve(matrix[solvable], right[solvable][..., None])[..., 0]
    return position.astype(np.float32)


class RootTrack:
    """One person's position over time: the direction of each frame, with a smoothed depth.

    Args:
        camera: The camera.
    """

    def __init__(self, camera: Pinhole) -> None:
        self._camera = camera
        self._depth = OneEuroNumber(_DEPTH_SMOOTHING)

    def reset(self) -> None:
        """Forget the depth so far."""
        self._depth.reset()

    def __call__(
        self,
        joints_m: np.ndarray,
        keypoints: np.ndarray,
        timestamp_s: float,
        deviations_m: np.ndarray | None = None,
    ) -> np.ndarray:
        """Solve and smooth.

        Args:
            joints_m: (J, 3) relative to the pelvis, camera axes.
            keypoints: (J, 2) image coordinates of the same frame, NaN where not seen.
            timestamp_s: Seconds, larger than the one before.
            deviations_m: (J, 3) as for `root_position`.

        Returns:
            (3,) float32 metres; NaN if it can't be solved.
        """
        deviations = None if deviations_m is None else deviations_m[None]
        position = root_position(joints_m[None], keypoints[None], self._camera, deviations)[0]
        if not np.isfinite(position).all() or not position[2] > 0:
            return np.full(3, np.nan, np.float32)
        depth = np.float32(self._depth(float(position[2]), timestamp_s))
        return position * (depth / position[2])
