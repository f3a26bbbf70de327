"""Segments of motion as few numbers: cubic splines, then principal components scaled to unit variance."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from training.motion_model.pose_features import DIRECTIONS, PATH, YAW
from training.settings.motion_model import FEATURES

_RIDGE = 1e-6
"""Small weight that determines knots without any frame near them."""


def spline_weights(position: Tensor) -> Tensor:
    """Weights (..., 4) of the coefficients `floor(position)` to `floor(position) + 3` of a uniform cubic B-spline.

    Args:
        position: (...) at or above 0, in knots.
    """
    f = position - position.floor()
    return torch.stack([(1 - f) ** 3, 3 * f**3 - 6 * f**2 + 4, -3 * f**3 + 3 * f**2 + 3 * f + 1, f**3], -1) / 6


def design_matrix(position: np.ndarray, intervals: int) -> np.ndarray:
    """Matrix (N, intervals + 3), float64, from coefficients to values at positions (N,), 0 to `intervals` knots."""
    at = torch.from_numpy(np.clip(position, 0, intervals - 1e-9))
    matrix = np.zeros((len(position), intervals + 3))
    first = at.floor().long().numpy()
    np.put_along_axis(matrix, first[:, None] + np.arange(4), spline_weights(at).numpy(), 1)
    return matrix


def fitted_coefficients(values: np.ndarray, times: np.ndarray, intervals: int) -> np.ndarray:
    """Coefficients (intervals + 3, C) of the spline that fits `values` (N, C) at `times` (N,) best; times in knots."""
    matrix = design_matrix(times, intervals)
    return np.linalg.solve(matrix.T @ matrix + _RIDGE * np.eye(matrix.shape[1]), matrix.T @ values)


def interpolation_matrix(points: int, position: np.ndarray) -> Tensor:
    """Matrix from values at the knots to values between them, by the spline through all of them.

    Args:
        points: Number of knots, two or more.
        position: (N,) positions from 0 to points - 1.

    Returns:
        (N, points) float32.
    """
    intervals = points - 1
    knots = design_matrix(np.arange(points), intervals)
    ends = np.zeros((2, points + 2))
    ends[0, :3] = ends[1, -3:] = (1, -2, 1)  # no curvature at either end
    inverse = np.linalg.inv(np.concatenate([knots, ends]))[:, :points]
    return torch.from_numpy(design_matrix(position, intervals) @ inverse).float()


_REACH_M: dict[str, float] = {
    "left_hip": 0.35, "left_shoulder": 0.3, "spine": 0.6, "thorax": 0.55, "head": 0.15, "right_knee": 0.45,
    "left_knee": 0.45, "right_ankle": 0.3, "left_ankle": 0.3, "right_elbow": 0.3, "left_elbow": 0.3,
    "right_wrist": 0.2, "left_wrist": 0.2,
}  # fmt: skip
"""How far a rotation of each direction by one radian moves the joints that depend on it (root of summed squares)."""
_YAW_M, _PATH_M = 0.6, 0.6
"""The same for one radian of heading, and for one leg length of path. The path counts for less than it moves: poses
matter most."""


class SegmentBasis(nn.Module):
    """A mean segment and the directions in which segments differ.

    Args:
        points: Poses in a segment.
        components: Number of directions (principal components) that are kept.
    """

    def __init__(self, points: int, components: int) -> None:
        super().__init__()
        self.points, self.components = points, components
        self.mean: Tensor
        self.vectors: Tensor
        self.deviation: Tensor
        self.register_buffer("mean", torch.zeros(points * FEATURES))
        self.register_buffer("vectors", torch.zeros(points * FEATURES, components))
        self.register_buffer("deviation", torch.ones(components))

    def fit(self, segments: Tensor) -> None:
        """Compute mean and components of segments (N, points, `FEATURES`); N is above the number of components."""
        flat = segments.flatten(1).double()
        mean = flat.mean(0)
        weighted = (flat - mean) * self._weights().double()
        values, vectors = torch.linalg.eigh(weighted.T @ weighted / (len(flat) - 1))
        chosen = values.argsort(descending=True)[: self.components]
        self.mean.copy_(mean)
        self.vectors.copy_(vectors[:, chosen])
        self.deviation.copy_(values[chosen].clamp(min=1e-12).sqrt())

    def encode(self, segments: Tensor) -> Tensor:
        """(B, points, `FEATURES`) to (B, components), each of zero mean and unit variance over the fitted segments."""
        return (segments.flatten(1) - self.mean) * self._weights() @ self.vectors / self.deviation

    def decode(self, numbers: Tensor) -> Tensor:
        """(B, components) to (B, points, `FEATURES`)."""
        flat = (numbers * self.deviation) @ self.vectors.T / self._weights() + self.mean
        return flat.unflatten(1, (self.points, FEATURES))

    def in_metres(self, flat: Tensor) -> Tensor:
        """Features (B, N) of the first poses of segments, as metres by which they move joints from the mean segment."""
        count = flat.shape[1]
        return (flat - self.mean[:count]) * self._weights()[:count]

    def _weights(self) -> Tensor:
        """How far one unit of each feature moves joints, in metres."""
        one = torch.empty(FEATURES)
        one[:YAW] = torch.tensor([_REACH_M[name] for _, name in DIRECTIONS]).repeat_interleave(3)
        one[YAW], one[PATH] = _YAW_M, _PATH_M
        return one.repeat(self.points).to(self.mean)
