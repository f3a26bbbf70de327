"""The bound on keypoints: nothing changes in the image, and outside of it no gradient dies."""

import pytest
import torch

from training.geometry.keypoint_normalisation import bounded


def doubles(*values):
    return torch.tensor(values, dtype=torch.float64)


def test_the_image_and_its_surroundings_stay():
    inside = torch.linspace(-2, 2, 401, dtype=torch.float64)
    assert torch.equal(bounded(inside), inside)


def test_by_hand():
    """One beyond 2 goes half of the way to 3, three beyond goes three quarters."""
    torch.testing.assert_close(bounded(doubles(3.0, 5.0, -3.0, 1e9)), doubles(2.5, 2.75, -2.5, 3.0))


@pytest.mark.parametrize("far", [2.5, 10.0, 200.0])
def test_far_keypoints_come_back(far):
    """The gradient is that of u / (1 + u), one over (1 + u) squared: never zero, and one at the edge."""
    points = doubles(far, -far).requires_grad_()
    bounded(points).sum().backward()
    torch.testing.assert_close(points.grad, doubles(1, 1) / (1 + (far - 2)) ** 2)
    edge = doubles(2 + 1e-9).requires_grad_()
    bounded(edge).sum().backward()
    torch.testing.assert_close(edge.grad, doubles(1.0))


def test_never_farther_than_three_and_always_growing():
    points = torch.linspace(-50, 50, 10_001, dtype=torch.float64)
    found = bounded(points)
    assert found.abs().max() < 3
    assert (found.diff() > 0).all()
