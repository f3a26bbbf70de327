"""Global position alignment: the 2D root exactly, the 2D box in the limit of weak perspective."""

import pytest
import torch

from training.geometry.camera import project, root_relative
from training.matching.view_matched_source import aligned_position


def poses(depth_scale=1.0, count=20):
    generator = torch.Generator().manual_seed(0)
    pose = root_relative(torch.randn(count, 16, 3, dtype=torch.float64, generator=generator) * 0.4)
    return pose * torch.tensor([1.0, 1.0, depth_scale], dtype=torch.float64)


def targets(size, count=20):
    generator = torch.Generator().manual_seed(1)
    shape = torch.rand(count, 16, 2, dtype=torch.float64, generator=generator)
    return shape * size + torch.rand(count, 1, 2, dtype=torch.float64, generator=generator) - 0.5


def mean_side(keypoints):
    return (keypoints.amax(1) - keypoints.amin(1)).mean(-1)


def aligned(pose, target, focal=1.7):
    focal = torch.full((len(pose),), focal, dtype=torch.float64)
    return project(pose + aligned_position(pose, target, focal)[:, None], focal)


def test_by_hand():
    """A pose 0.6 m wide and 1.8 m high, focal 2, onto a box of 0.3 x 0.5: z = 2 * 2.4 / (2 * 0.4) = 6 m."""
    pose = torch.zeros(1, 16, 3)
    pose[0, 3], pose[0, 9] = torch.tensor([0.2, 1.0, 0.0]), torch.tensor([-0.4, -0.8, 0.0])
    target = torch.full((1, 16, 2), 0.1)
    target[0, 0] = torch.tensor([0.2, -0.1])
    target[0, 1], target[0, 2] = torch.tensor([0.1, -0.3]), torch.tensor([0.4, 0.2])
    position = aligned_position(pose, target, torch.tensor([2.0]))
    torch.testing.assert_close(position, torch.tensor([[0.2 * 6 / 2, -0.1 * 6 / 2, 6.0]]))


def test_root_is_exact():
    for size in (0.02, 0.3, 1.5):
        torch.testing.assert_close(aligned(poses(), targets(size))[:, 0], targets(size)[:, 0])


def test_box_is_exact_for_a_flat_person():
    torch.testing.assert_close(mean_side(aligned(poses(depth_scale=0), targets(0.3))), mean_side(targets(0.3)))


def test_box_becomes_exact_with_distance():
    """Ten times smaller in the image is ten times as far, and the error of weak perspective ten times less.

    In the image's middle, that is: towards its edge a person is seen from the side, from however far.
    """
    errors = [
        (mean_side(aligned(poses(), root_relative(targets(size)))) / mean_side(targets(size)) - 1).abs().mean().item()
        for size in (0.3, 0.03, 0.003)
    ]
    assert errors[0] < 0.1
    assert errors[1] == pytest.approx(errors[0] / 10, rel=0.5)
    assert errors[2] == pytest.approx(errors[1] / 10, rel=0.3)


def test_never_nearer_than_half_a_metre_and_finite_for_a_point():
    focal = torch.ones(20, dtype=torch.float64)
    assert aligned_position(poses(), targets(50.0), focal)[:, 2].min() == 0.5
    point = torch.zeros(20, 16, 2, dtype=torch.float64)
    assert aligned_position(poses(), point, focal).isfinite().all()


def test_gradient_reaches_the_pose():
    pose = poses().requires_grad_()
    aligned(pose, targets(0.3)).square().sum().backward()
    assert pose.grad.isfinite().all()
    assert (pose.grad[..., 2] != 0).any()
