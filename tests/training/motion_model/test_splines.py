"""Splines against SciPy's."""

import numpy as np
import torch
from scipy.interpolate import BSpline, CubicSpline

from training.motion_model.segment_basis import design_matrix, fitted_coefficients, interpolation_matrix, spline_weights


def test_basis_is_that_of_scipy():
    coefficients = np.random.default_rng(0).normal(size=9)
    at = np.linspace(0, 6, 50)[:-1]
    expected = BSpline(np.arange(-3, 10), coefficients, 3)(at)
    np.testing.assert_allclose(design_matrix(at, 6) @ coefficients, expected, atol=1e-12)


def test_weights_sum_to_one():
    weights = spline_weights(torch.linspace(0, 5, 31).double())
    torch.testing.assert_close(weights.sum(-1), torch.ones(31).double())


def test_through_the_points_as_scipy_goes():
    values = np.random.default_rng(1).normal(size=(8, 2))
    at = np.linspace(0, 7, 40)
    expected = CubicSpline(np.arange(8), values, bc_type="natural")(at)
    found = interpolation_matrix(8, at) @ torch.from_numpy(values).float()
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_cubic_is_fitted_exactly():
    times = np.sort(np.random.default_rng(2).uniform(0, 7, 100))
    values = np.stack([times**3 - 5 * times, 2 - times**2], 1)
    found = design_matrix(times, 7) @ fitted_coefficients(values, times, 7)
    np.testing.assert_allclose(found, values, atol=5e-3)  # of values up to 300
