"""Cameras: projection and viewpoints pinned by hand at 0.6 rad, where a transpose or a sign shows."""

import math

import pytest
import torch
from scipy.spatial.transform import Rotation

from training.geometry.camera import (
    NEAREST_DEPTH_M,
    axis_rotation,
    camera_rotation,
    project,
    root_relative,
    turn,
)

C, S = math.cos(0.6), math.sin(0.6)


def doubles(*values):
    return torch.tensor(values, dtype=torch.float64)


def view(azimuth=0.0, elevation=0.0, roll=0.0):
    return camera_rotation(doubles(azimuth), doubles(elevation), doubles(roll))[0]


def test_projection_by_hand():
    """A point 0.5 m right and 1 m down at 4 m, focal 2: a quarter and a half; the second camera is longer."""
    points = doubles([[[0.5, 1.0, 4.0]], [[0.5, 1.0, 4.0]]]).reshape(2, 1, 3)
    torch.testing.assert_close(
        project(points, doubles(2.0, 3.0)), doubles([[[0.25, 0.5]], [[0.375, 0.75]]])[0].reshape(2, 1, 2)
    )


def test_projection_is_of_any_shape_and_its_focal_length_is_the_samples():
    points = torch.rand(3, 5, 16, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) + 1
    focal = doubles(1.0, 2.0, 0.7)
    found = project(points, focal)
    for b in range(3):
        for t in range(5):
            for j in range(16):
                x, y, z = points[b, t, j].tolist()
                assert found[b, t, j].tolist() == pytest.approx([focal[b].item() * x / z, focal[b].item() * y / z])


@pytest.mark.parametrize("z", [0.19, 0.0, -3.0])
def test_a_point_behind_the_camera_stays_finite_and_can_come_back(z):
    """1 / z goes on along its tangent at the nearest depth d: 1 / d - (z - d) / d^2. Nearer is further out."""
    d = NEAREST_DEPTH_M
    point = doubles([[1.0, -1.0, z]]).reshape(1, 1, 3).requires_grad_()
    found = project(point, doubles(1.5))
    expected = 1.5 * (1 / d - (z - d) / d**2)
    assert found.flatten().tolist() == pytest.approx([expected, -expected])
    found[0, 0, 0].backward()
    assert point.grad.flatten().tolist() == pytest.approx([expected, 0, -1.5 / d**2])


def test_projection_has_no_step_at_the_nearest_depth():
    depth = torch.tensor(NEAREST_DEPTH_M, dtype=torch.float64) + doubles(-1e-7, 1e-7)
    points = torch.stack([torch.ones(2).double(), torch.ones(2).double(), depth], -1).requires_grad_()
    found = project(points[:, None], doubles(1.0, 1.0))[:, 0, 0]
    found.sum().backward()
    torch.testing.assert_close(found[0], found[1], rtol=1e-5, atol=0)
    torch.testing.assert_close(points.grad[0], points.grad[1], rtol=1e-5, atol=0)


def test_turn_multiplies_from_the_left():
    """About z by 0.6: x goes towards y. R @ x, not x @ R."""
    points = doubles([1.0, 0.0, 0.0]).reshape(1, 1, 1, 3)
    torch.testing.assert_close(turn(points, axis_rotation("z", doubles(0.6)))[0, 0, 0], doubles(C, S, 0.0))


@pytest.mark.parametrize("axis", ["x", "y", "z"])
def test_axis_rotations_are_scipys(axis):
    angles = doubles(0.6, -1.3, 0.0, 3.0)
    for angle, found in zip(angles.tolist(), axis_rotation(axis, angles), strict=True):
        torch.testing.assert_close(found, torch.tensor(Rotation.from_euler(axis, angle).as_matrix()))


def test_a_level_camera_looks_along_y():
    """x stays right; up in the world is up (negative y) in the image; what is ahead along world y is deep."""
    torch.testing.assert_close(view() @ doubles(1.0, 2.0, 3.0), doubles(1.0, -3.0, 2.0))


def test_azimuth_turns_the_world_about_its_vertical():
    """World x turned by 0.6 towards world y: partly right, partly away. Up stays up."""
    torch.testing.assert_close(view(azimuth=0.6) @ doubles(1.0, 0.0, 0.0), doubles(C, 0.0, S))
    torch.testing.assert_close(view(azimuth=0.6) @ doubles(0.0, 1.0, 0.0), doubles(-S, 0.0, C))
    torch.testing.assert_close(view(azimuth=0.6) @ doubles(0.0, 0.0, 1.0), doubles(0.0, -1.0, 0.0))


def test_a_camera_above_looks_down():
    """A point higher than the person comes nearer to the camera, and appears less high, by the cosine.

    A point behind the person, on the same floor, appears higher in the image, as floors do from above.
    """
    up, behind = doubles(0.0, 0.0, 1.0), doubles(0.0, 1.0, 0.0)
    torch.testing.assert_close(view(elevation=0.6) @ up, doubles(0.0, -C, -S))
    torch.testing.assert_close(view(elevation=0.6) @ behind, doubles(0.0, -S, C))
    torch.testing.assert_close(
        view(elevation=math.pi / 2) @ up, doubles(0.0, 0.0, -1.0)
    )  # overhead: the head is nearest


def test_the_camera_stands_where_its_elevation_says():
    """The optical axis points from the camera to the person: down by the elevation."""
    axis_in_world = view(azimuth=0.3, elevation=0.6).T @ doubles(0.0, 0.0, 1.0)
    assert math.asin(-axis_in_world[2]) == pytest.approx(0.6)
    assert math.asin(-(view(elevation=-0.6).T @ doubles(0.0, 0.0, 1.0))[2]) == pytest.approx(-0.6)


def test_roll_turns_the_image():
    """Up by 0.6 about the axis into the scene: x (right) goes towards y (down), so up goes to the right."""
    torch.testing.assert_close(view(roll=0.6) @ doubles(1.0, 0.0, 0.0), doubles(C, S, 0.0))
    torch.testing.assert_close(view(roll=0.6) @ doubles(0.0, 0.0, 1.0), doubles(S, -C, 0.0))
    torch.testing.assert_close(view(roll=0.6) @ doubles(0.0, 1.0, 0.0), doubles(0.0, 0.0, 1.0))


def test_rotations_are_proper():
    generator = torch.Generator().manual_seed(0)
    angles = torch.rand(3, 50, dtype=torch.float64, generator=generator) * 6 - 3
    rotations = camera_rotation(*angles)
    torch.testing.assert_close(torch.linalg.det(rotations), torch.ones(50, dtype=torch.float64))
    torch.testing.assert_close(rotations @ rotations.mT, torch.eye(3, dtype=torch.float64).expand(50, 3, 3))


def test_root_relative():
    poses = torch.rand(2, 4, 16, 3, generator=torch.Generator().manual_seed(0))
    found = root_relative(poses)
    assert not found[..., 0, :].any()
    assert torch.equal(found[1, 2, 9], poses[1, 2, 9] - poses[1, 2, 0])
