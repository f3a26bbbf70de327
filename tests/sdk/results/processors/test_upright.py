"""Upright: level axes by hand, the vertical of sensors, and the mean of what a lifter tells."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from sdk.errors import BadSetting, MissingVertical
from sdk.results.processors.base import UP
from sdk.results.processors.joint_angles import JointAngles
from sdk.results.processors.skiing import SkiingMeasures
from sdk.results.processors.upright import MEMORY_S, Upright, level_rotation, tilt_of_up, up_of_tilt
from sdk.results.processors.upright_recording import UprightRecording
from tests.sdk.writers.walking import person, result, rigid_pose, with_feet


def off_deg(first, second):
    return np.degrees(np.arccos(np.clip(np.dot(first, second) / np.linalg.norm(first) / np.linalg.norm(second), -1, 1)))


def test_tilts_by_hand():
    np.testing.assert_allclose(up_of_tilt(0.0), UP, atol=1e-12)
    # A camera that looks at the floor has up at the top of its image, and straight away from what it sees.
    np.testing.assert_allclose(up_of_tilt(np.pi / 2), [0, 0, -1], atol=1e-12)
    # Turned clockwise by a quarter, the world's up is at the left of the image.
    np.testing.assert_allclose(up_of_tilt(0.0, np.pi / 2), [-1, 0, 0], atol=1e-12)
    for pitch, roll in ((0.6, 0.0), (-0.3, 0.4), (0.2, -2.0)):
        np.testing.assert_allclose(tilt_of_up(up_of_tilt(pitch, roll)), [pitch, roll], atol=1e-12)


@pytest.mark.parametrize("up", [[0.0, -1.0, 0.0], [0.3, -0.8, -0.5], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]])
def test_the_level_rotation_is_the_smallest_that_lifts_up(up):
    rotation = level_rotation(np.array(up))
    np.testing.assert_allclose(rotation @ up / np.linalg.norm(up), UP, atol=1e-12)
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(rotation) == pytest.approx(1)
    assert Rotation.from_matrix(rotation).magnitude() == pytest.approx(np.radians(off_deg(up, UP)), abs=1e-6)


def test_by_the_cameras_tilt():
    """A person who stands 5 m in front of a camera that looks down by 0.4 rad stands upright, and lower."""
    tilted = level_rotation(up_of_tilt(0.4)).T
    stands = rigid_pose(1)
    root = (tilted @ [0, 1.0, 5.0]).astype(np.float32)
    seen = replace(person(1, (stands @ tilted.T).astype(np.float32)), root_m=root)
    (level,) = Upright(up_of_tilt(0.4)).process(result(0, 0.0, seen)).people
    np.testing.assert_allclose(level.joints_m, stands, atol=1e-5)
    np.testing.assert_allclose(level.root_m, [0, 1.0, 5.0], atol=1e-5)
    assert Upright(up_of_tilt(0.4, 0.1)).tilt_rad == pytest.approx((0.4, 0.1))


def told(seconds, true_up, noise_deg=10.0, seed=0, wild=0.0):
    """Frames in which a lifter tells the vertical, off by so many degrees about each axis."""
    random = np.random.default_rng(seed)
    for i in range(round(seconds * 25)):
        off = Rotation.from_rotvec(np.radians(noise_deg) * random.normal(size=3)).apply(true_up)
        up = -off if random.random() < wild else off
        yield result(i, i / 25, replace(person(1, rigid_pose(i)), up=up.astype(np.float32)))


@pytest.mark.parametrize("wild", [0.0, 0.1])
def test_what_a_lifter_tells_is_averaged(wild):
    up = up_of_tilt(0.35, 0.05)
    processor = Upright()
    for frame in told(8, up, wild=wild):
        processor.process(frame)
    assert off_deg(processor.up, up) < 2.5


def test_it_follows_a_camera_that_is_moved():
    processor = Upright()
    for frame in told(20, up_of_tilt(0.0)):
        processor.process(frame)
    for frame in told(4 * MEMORY_S, up_of_tilt(0.5), seed=1):
        processor.process(replace(frame, timestamp_s=frame.timestamp_s + 20))
    assert off_deg(processor.up, up_of_tilt(0.5)) < 5


@pytest.mark.parametrize(("fps", "people"), [(25, 1), (60, 1), (240, 1), (30, 4)])
def test_ten_seconds_are_remembered_at_any_rate_and_of_any_number_of_people(fps, people):
    """Of the last ten seconds, six told one vertical and four another; and for six, people stood lower."""
    processor, verticals = Upright(), (up_of_tilt(0.0), up_of_tilt(0.5))
    for i in range(14 * fps):
        late = i >= 10 * fps
        everybody = [replace(person(n, rigid_pose(1)), up=verticals[late].astype(np.float32)) for n in range(people)]
        processor.process(result(i, i / fps, *everybody))
    assert off_deg(processor.up, verticals[0]) < 8
    standing = Upright(up_of_tilt(0.0))
    for i in range(14 * fps):
        root = np.array([0, 1.0 if i < 10 * fps else 0.0, 5.0], np.float32)
        frame = result(i, i / fps, replace(person(1, rigid_pose(1)), root_m=root))
        (one,) = standing.process(frame).people
        if i == 0:
            floor_m = one.floor_m
    assert one.floor_m == pytest.approx(1.0 + floor_m, abs=1e-3)


def test_after_a_gap_it_begins_anew():
    processor = Upright()
    for frame in told(10, up_of_tilt(0.0), noise_deg=0):
        processor.process(frame)
    for frame in list(told(0.2, up_of_tilt(0.5), noise_deg=0)):
        processor.process(replace(frame, timestamp_s=frame.timestamp_s + 60, after_gap=frame.index == 0))
    assert off_deg(processor.up, up_of_tilt(0.5)) < 1


def test_deviations_turn_with_the_axes():
    deviations = np.tile(np.array([0.01, 0.02, 0.1], np.float32), (16, 1))
    seen = replace(person(1, rigid_pose(1)), deviations_m=deviations)
    (level,) = Upright(np.array([0.0, 0.0, -1.0])).process(result(0, 0.0, seen)).people
    np.testing.assert_allclose(level.deviations_m, np.tile([0.01, 0.1, 0.02], (16, 1)), atol=1e-6)


def test_the_camera_of_a_result_is_in_it():
    frame = result(0, 0.0, person(1, rigid_pose(1)))
    assert frame.tilt_rad is None
    assert Upright(up_of_tilt(0.4, 0.1)).process(frame).tilt_rad == pytest.approx((0.4, 0.1))


def test_the_floor_of_who_has_no_place_is_under_their_lowest_joint():
    pose = rigid_pose(1)
    body, feet = replace(person(1, pose)), replace(person(2, with_feet(pose)))
    level = Upright(UP).process(result(0, 0.0, body, feet, person(3, None)))
    assert level.people[0].floor_m == pytest.approx(pose[:, 1].max() + 0.08)
    assert level.people[1].floor_m == pytest.approx(with_feet(pose)[:, 1].max())
    assert level.people[2].floor_m is None


def test_the_floor_of_who_is_placed_stays_under_a_jump():
    """A jump of 40 cm in the fifth second of ten; the camera looks down and is 2 m above the floor."""
    tilted = level_rotation(up_of_tilt(0.3)).T
    pose = with_feet(rigid_pose(1))
    stands = 2.0 - pose[:, 1].max()
    processor = Upright(up_of_tilt(0.3))
    for i in range(250):
        root = np.array([0, stands - (0.4 if 100 <= i < 110 else 0.0), 5.0])
        one = replace(person(1, (pose @ tilted.T).astype(np.float32)), root_m=(tilted @ root).astype(np.float32))
        (level,) = processor.process(result(i, i / 25, one)).people
        assert level.root_m[1] + level.floor_m == pytest.approx(2.0, abs=1e-3)


def test_who_is_forgotten_takes_their_floor_along():
    processor = Upright(UP)
    placed = replace(person(1, rigid_pose(1)), root_m=np.array([0, 0, 5], np.float32))
    processor.process(result(0, 0.0, placed))
    lower = replace(placed, root_m=np.array([0, -1, 5], np.float32))
    (level,) = processor.process(replace(result(1, 0.04, lower), forgotten=(1,))).people
    assert level.floor_m == pytest.approx(placed.joints_m[:, 1].max() + 0.08)


def test_a_lifter_that_tells_nothing_is_an_error():
    with pytest.raises(MissingVertical, match=r"take Lifter\('feet'\)"):
        Upright().process(result(0, 0.0, person(1, rigid_pose(1))))


def test_one_frame_in_which_nothing_finite_is_told_turns_nobody():
    processor = Upright()
    for i in range(5):
        up = np.full(3, np.nan) if i in (0, 3) else up_of_tilt(0.3)
        frame = processor.process(result(i, i / 25, replace(person(1, rigid_pose(1)), up=up.astype(np.float32))))
        assert frame.tilt_rad == (None if i == 0 else pytest.approx((0.3, 0.0)))


def test_nobody_is_no_error():
    processor = Upright()
    frame = result(0, 0.0, person(1, None))
    assert processor.process(frame) is frame
    assert processor.tilt_rad is None


def test_a_camera_that_hangs_upside_down_keeps_people_in_front_of_it():
    for roll in (np.pi, -np.pi):
        np.testing.assert_allclose(level_rotation(up_of_tilt(0.0, roll)), np.diag([-1, -1, 1]), atol=1e-9)


@pytest.mark.parametrize("direction", [[0, 0, 0], [np.nan, 0, 1], [1, 2], [[0, -1, 0]], "up", [0, -np.inf, 0]])
def test_what_is_no_direction_is_refused(direction):
    """Poses, floors and angles were NaN before."""
    kinds = (Upright, JointAngles, SkiingMeasures, lambda one: SkiingMeasures(ground=one))
    for make in (*kinds, lambda one: UprightRecording([], one)):
        with pytest.raises(BadSetting, match=r"(up|ground) is .*; a direction is three finite numbers"):
            make(direction)
    with pytest.raises(BadSetting, match="two finite angles"):
        up_of_tilt(np.nan)


def test_a_direction_may_have_any_length():
    for length in (1e-300, 1e300):
        np.testing.assert_allclose(Upright(np.array([3.0, -4.0, 0.0]) * length).up, [0.6, -0.8, 0], rtol=1e-12)
