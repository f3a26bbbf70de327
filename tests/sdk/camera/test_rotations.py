"""Rotations against SciPy, and the cases without one answer."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from sdk.camera.rotations import best_rotation, euler_zxy, shortest_rotation


@pytest.mark.parametrize("seed", range(20))
def test_the_shortest_rotation_turns_about_the_axis_across_by_the_angle_between(seed: int) -> None:
    start, end = np.random.default_rng(seed).normal(size=(2, 3)) * (3.0, 0.2, 1.0)
    across = np.cross(start, end)
    angle = np.arctan2(np.linalg.norm(across), start @ end)
    expected = Rotation.from_rotvec(angle * across / np.linalg.norm(across)).as_matrix()
    np.testing.assert_allclose(shortest_rotation(start, end), expected, atol=1e-12)


@pytest.mark.parametrize("start", [(0, 1, 0), (1, 0, 0), (0, 0, 1), (0.6, -0.8, 0), (1, 2, 3)])
def test_straight_back_is_half_a_turn(start: tuple[float, float, float]) -> None:
    direction = np.array(start, float)
    rotation = shortest_rotation(direction, -2 * direction)
    np.testing.assert_allclose(rotation @ direction, -direction, atol=1e-9)
    np.testing.assert_allclose(rotation @ rotation, np.eye(3), atol=1e-9)
    assert np.linalg.det(rotation) == pytest.approx(1)


def test_upside_down_is_half_a_turn_about_the_optical_axis() -> None:
    optical, down = np.array([0.0, 0, 1]), np.array([0.0, 1, 0])
    for off in ((0.0, 0, 0), (1e-16, 0, 0), (-1e-16, 0, 1e-17), (0, 0, 1e-6)):
        rotation = shortest_rotation(down + np.array(off), -down, half_turn_about=optical)
        np.testing.assert_allclose(rotation, np.diag([-1, -1, 1]), atol=1e-5)


def test_a_vector_without_length_turns_nothing() -> None:
    np.testing.assert_array_equal(shortest_rotation(np.array([0.0, 1, 0]), np.zeros(3)), np.eye(3))
    np.testing.assert_array_equal(shortest_rotation(np.zeros(3), np.array([0.0, 1, 0])), np.eye(3))


def test_the_best_rotation_finds_the_one_that_was_there() -> None:
    wanted = Rotation.from_rotvec([0.6, -0.3, 1.1])
    start = np.random.default_rng(0).normal(size=(4, 3))
    start /= np.linalg.norm(start, axis=1, keepdims=True)
    np.testing.assert_allclose(best_rotation(start, 2.5 * wanted.apply(start)), wanted.as_matrix(), atol=1e-12)


def test_angles_are_scipys() -> None:
    rotations = Rotation.random(50, random_state=0)
    expected = rotations.as_euler("ZXY")
    np.testing.assert_allclose(euler_zxy(rotations.as_matrix()), expected, atol=1e-9)
