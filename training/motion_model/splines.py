"""Uniform cubic splines: smooth motion out of few poses, at any time between them."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

_RIDGE = 1e-6
"""Keeps knots that no frame lies at from being undetermined."""


def spline_weights(position: Tensor) -> Tensor:
    """Weights (..., 4) of the coefficients `floor(position)` to `floor(position) + 3` of a uniform cubic B-spline.

    Args:
        position: (...) at or above 0, in knots.
    """
    f = position - position.floor()
    return torch.stack([(1 - f) ** 3, 3 * f**3 - 6 * f**2 + 4, -3 * f**3 + 3 * f**2 + 3 * f + 1, f**3], -1) / 6


def design_matrix(position: np.ndarray, intervals: int) -> np.ndarray:
    """(N, intervals + 3): values at positions (N,) from 0 to `intervals` knots, out of coefficients; float64."""
    at = torch.from_numpy(np.clip(position, 0, intervals - 1e-9))
    matrix = np.zeros((len(position), intervals + 3))
    first = at.floor().long().numpy()
    np.put_along_axis(matrix, first[:, None] + np.arange(4), spline_weights(at).numpy(), 1)
    return matrix


def fitted_coefficients(values: np.ndarray, times: np.ndarray, intervals: int) -> np.ndarray:
    """Coefficients (intervals + 3, C) of the spline nearest to `values` (N, C) at `times` (N,), in knots from 0."""
    matrix = design_matrix(times, intervals)
    return np.linalg.solve(matrix.T @ matrix + _RIDGE * np.eye(matrix.shape[1]), matrix.T @ values)


def interpolation_matrix(points: int, position: np.ndarray) -> Tensor:
    """What takes values at whole numbers of knots to values between them, by the spline through them.

    Args:
        points: Values, two or more.
        position: (N,) from 0 to points - 1.

    Returns:
        (N, points) float32.
    """
    intervals = points - 1
    knots = design_matrix(np.arange(points), intervals)
    ends = np.zeros((2, points + 2))
    ends[0, :3] = ends[1, -3:] = (1, -2, 1)  # no curvature at either end
    inverse = np.linalg.inv(np.concatenate([knots, ends]))[:, :points]
    return torch.from_numpy(design_matrix(position, intervals) @ inverse).float()
