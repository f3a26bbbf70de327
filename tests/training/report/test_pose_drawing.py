"""Poses on the page: sides, scale, colours, and joints that are not there."""

import re

import numpy as np
import pytest

from sdk.skeletons.skeleton import H36M16
from tests.training.report.examples import POSE_M
from training.report.pose_drawing import AFTER, BEFORE, panel_frame, pose_panel, pose_strip, project, skeleton

PATH = re.compile(r'<path d="M(\S+) (\S+)L(\S+) (\S+)" stroke="(#\w+)"/>')


def test_front_and_side_by_hand():
    """2 m right, 3 m down, 5 m ahead: right and down from the front; from the right of the camera, ahead is right."""
    joints = np.tile([2.0, 3.0, 5.0], (16, 1))
    np.testing.assert_array_equal(project(joints, "front")[0], [2, 3])
    np.testing.assert_array_equal(project(joints, "side")[0], [5, 3])


def test_every_bone_is_drawn_in_its_sides_colour():
    points = 100 * project(POSE_M, "front")
    lines = PATH.findall(skeleton(points, AFTER, 4))
    assert len(lines) == len(H36M16.bones) == 15
    for (parent, child), (x1, y1, x2, y2, colour) in zip(H36M16.bones, lines, strict=True):
        np.testing.assert_allclose([float(x1), float(y1)], points[parent], atol=0.051)
        np.testing.assert_allclose([float(x2), float(y2)], points[child], atol=0.051)
        side = H36M16.joints[child].split("_")[0]
        assert colour == {"left": AFTER.left, "right": AFTER.right}.get(side, AFTER.middle)


def test_a_missing_joint_takes_its_bones_along():
    points = 100 * project(POSE_M, "front")
    points[H36M16.index("left_knee")] = np.nan
    drawing = skeleton(points, AFTER, 4)
    assert len(PATH.findall(drawing)) == 13
    assert drawing.count("<circle") == 15
    assert "nan" not in drawing


@pytest.mark.parametrize("view", ["front", "side"])
def test_poses_fit_their_panel(view):
    poses = [POSE_M, POSE_M * [2, -1, 3]]
    panel = pose_panel([(poses[0], BEFORE), (poses[1], AFTER)], view, panel_frame(poses), "a pose")
    left, top, width, height = map(float, re.search(r'viewBox="(\S+) (\S+) (\S+) (\S+)"', panel).groups())
    for pose in poses:
        points = 100 * project(pose, view)
        assert (points >= [left, top]).all()
        assert (points <= [left + width, top + height]).all()


def test_the_floor_is_at_the_lowest_joint():
    panel = pose_panel([(POSE_M, AFTER)], "front", panel_frame([POSE_M]), "a pose")
    assert re.search(r'd="M-\d+ 90\.0H', panel)  # the ankles, 0.9 m below the pelvis


def test_a_strip_shows_each_moment_at_its_own_root():
    motion = np.stack([POSE_M, POSE_M + np.full(3, 5.0), POSE_M])
    lines = PATH.findall(pose_strip(motion, AFTER, "front", (0.6, 1.0, 1.0)))
    first_bones = [[float(number) for number in line[:4]] for line in lines[::15]]
    np.testing.assert_allclose(np.diff(first_bones, axis=0), [[120, 0, 120, 0]] * 2)


@pytest.mark.parametrize("joints", [16, 20])
def test_feet_are_drawn_where_there_are_any(joints):
    points = np.arange(2.0 * joints).reshape(joints, 2)
    drawn = skeleton(points, BEFORE, 1.0)
    assert (drawn.count("<path"), drawn.count("<circle")) == (joints - 1, joints)
    points[16:] = np.nan  # feet that nobody saw
    assert skeleton(points, BEFORE, 1.0).count("<circle") == 16
