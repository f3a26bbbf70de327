"""Viewpoints, from poses whose angles are known by hand."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from sdk.errors import BadKeypoints
from training.report import body_viewpoint

RIGHT_HIP, LEFT_HIP, THORAX = 1, 4, 8


def person(*, left, up, root=(0.0, 0.0, 3.0)):
    """One pose of which only hips and trunk matter: left and up are directions in camera axes (x right, y down)."""
    pose = np.tile(np.asarray(root, float), (16, 1))
    pose[LEFT_HIP] += 0.13 * np.asarray(left, float)
    pose[RIGHT_HIP] -= 0.13 * np.asarray(left, float)
    pose[THORAX] += 0.5 * np.asarray(up, float)
    return pose


def degrees(pose):
    return np.rad2deg(body_viewpoint(pose[None]))[0]


HEAD_UP = (0, -1, 0)


@pytest.mark.parametrize(
    ("left", "up", "angles"),
    [
        pytest.param((1, 0, 0), HEAD_UP, (0, 0, 0), id="faces the camera: the left hip is on the image's right"),
        pytest.param((-1, 0, 0), HEAD_UP, (180, 0, 0), id="back to the camera"),
        pytest.param((0, 0, -1), HEAD_UP, (90, 0, 0), id="left side nearest"),
        pytest.param((0, 0, 1), HEAD_UP, (-90, 0, 0), id="right side nearest"),
        pytest.param((1, 0, 0), (0, 0, -1), (0, 90, 0), id="head towards the lens: overhead; front to the bottom"),
        pytest.param((1, 0, 0), (0, 0, 1), (0, -90, 0), id="seen from below"),
        pytest.param((-1, 0, 0), (0, 1, 0), (0, 0, 180), id="faces the camera upside down"),
        pytest.param((0, 1, 0), (1, 0, 0), (0, 0, 90), id="lies with the head to the right, faces the camera"),
        pytest.param((0, -1, 0), (-1, 0, 0), (0, 0, -90), id="lies with the head to the left, faces the camera"),
    ],
)
def test_by_hand(left, up, angles):
    np.testing.assert_allclose(degrees(person(left=left, up=up)), angles, atol=1e-9)


def test_camera_half_a_radian_above_and_to_the_left():
    """Person axes forward, left, up; the camera stands 0.6 rad to the person's left and 0.4 rad up, and is level."""
    towards = np.array([np.cos(0.4) * np.cos(0.6), np.cos(0.4) * np.sin(0.6), np.sin(0.4)])
    right = np.array([-np.sin(0.6), np.cos(0.6), 0])  # level; somebody who faces the camera has their left there
    down = np.cross(-towards, right)
    to_camera = np.stack([right, down, -towards])  # rows: camera axes in person axes
    pose = person(left=to_camera @ [0, 1, 0], up=to_camera @ [0, 0, 1])
    np.testing.assert_allclose(body_viewpoint(pose[None])[0], [0.6, 0.4, 0.0], atol=1e-12)


def test_angles_give_the_rotation_back():
    """Rebuild person-to-camera from the angles with SciPy: nothing is lost, at random and at the poles."""
    turns = list(Rotation.random(200, random_state=0).as_matrix())
    turns += [
        np.array([[0, 1, 0], [1, 0, 0], [0, 0, -1.0]]) @ Rotation.from_euler("z", a).as_matrix() for a in (0, 1, 4)
    ]
    turns += [
        np.array([[0, 1, 0], [-1, 0, 0], [0, 0, 1.0]]) @ Rotation.from_euler("z", a).as_matrix() for a in (0, 1, 4)
    ]
    facing = np.array(
        [[0, 1, 0], [0, 0, -1], [-1, 0, 0.0]]
    )  # person axes (forward, left, up) to camera axes, all angles 0
    for turn in turns:
        azimuth, elevation, roll = body_viewpoint(person(left=turn[:, 1], up=turn[:, 2])[None])[0]
        rebuilt = (
            Rotation.from_euler("z", roll).as_matrix()  # clockwise in an image whose y points down
            @ facing
            @ Rotation.from_euler("y", elevation).as_matrix()
            @ Rotation.from_euler("z", -azimuth).as_matrix()
        )
        np.testing.assert_allclose(rebuilt, turn, atol=1e-6)


def test_only_directions_count():
    pose = person(left=(0.7, 0.2, -0.4), up=(0.1, -1, 0.3))
    np.testing.assert_allclose(degrees(pose), degrees(2.5 * pose + [4, -1, 9]), atol=1e-9)


def test_slanted_hips_do_not_tilt_the_trunk():
    np.testing.assert_allclose(degrees(person(left=(1, 0.5, 0), up=HEAD_UP)), [0, 0, 0], atol=1e-9)


def test_without_a_trunk_there_is_no_viewpoint():
    poses = np.stack([person(left=(1, 0, 0), up=(0, 0, 0)), person(left=(1, 0, 0), up=HEAD_UP)])
    angles = body_viewpoint(poses)
    assert np.isnan(angles[0]).all()
    np.testing.assert_allclose(angles[1], 0, atol=1e-9)


def test_no_poses():
    assert body_viewpoint(np.zeros((0, 16, 3))).shape == (0, 3)


def test_wrong_shape():
    with pytest.raises(BadKeypoints, match=r"\(N, 16, 3\), not \(16, 3\)"):
        body_viewpoint(np.zeros((16, 3)))
