"""Likelihoods: least where the deviation is that of the errors, and without a say in the poses."""

import math

import torch

from training.losses.likelihood import angle_between, angle_likelihood, coordinate_likelihood


def best(likelihood, errors, shape):
    """The deviation at the least value, by search."""
    scales = torch.logspace(-3, 1, 2001)
    values = torch.stack([likelihood(errors, torch.full(shape, float(scale))) for scale in scales])
    return float(scales[values.argmin()])


def test_coordinates_are_most_likely_at_their_own_deviation():
    errors = torch.randn(4000, 2, 3, generator=torch.Generator().manual_seed(0)) * 0.05
    assert math.isclose(
        best(coordinate_likelihood, errors, errors.shape), float(errors.square().mean().sqrt()), rel_tol=0.01
    )


def test_angles_have_two_parts_of_that_deviation():
    parts = torch.randn(20000, 2, generator=torch.Generator().manual_seed(1)) * 0.07
    angles = parts.norm(dim=-1, keepdim=True)
    assert math.isclose(best(angle_likelihood, angles, angles.shape), 0.07, rel_tol=0.02)


def test_the_error_gets_no_gradient():
    error = torch.ones(2, 1, 3, requires_grad=True)
    deviation = torch.ones(2, 1, 3, requires_grad=True)
    (coordinate_likelihood(error, deviation) + angle_likelihood(error[:, 0, :1], deviation[:, 0, :1])).backward()
    assert error.grad is None
    assert deviation.grad is not None


def test_angles_between_directions_of_any_length():
    first = torch.tensor([[0.0, 0.0, 2.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]])
    second = torch.tensor([[0.0, math.sin(0.6), math.cos(0.6)], [0.0, 0.0, 5.0], [-3.0, 0.0, 0.0]])
    torch.testing.assert_close(angle_between(first, second), torch.tensor([[0.6], [0.0], [math.pi]]))
