"""A whole recording upright: one vertical and one floor from its first frame on; a camera that moves is followed."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from sdk.errors import MissingVertical
from sdk.results.processors.upright import level_rotation, median_direction, up_of_tilt
from sdk.results.processors.upright_recording import UprightRecording
from tests.sdk.results.processors.test_upright import off_deg, told
from tests.sdk.writers.walking import person, result, rigid_pose, with_feet


def later(frames, seconds):
    return [
        replace(one, timestamp_s=one.timestamp_s + seconds, index=one.index + round(25 * seconds)) for one in frames
    ]


def turned(frames, **options):
    processor = UprightRecording(frames, **options)
    return [processor.process(frame) for frame in frames]


def test_a_still_camera_has_one_vertical_from_the_first_frame_on():
    up = up_of_tilt(0.35, 0.05)
    frames = list(told(40, up, wild=0.1))
    level = turned(frames)
    assert len({frame.tilt_rad for frame in level}) == 1
    assert off_deg(up_of_tilt(*level[0].tilt_rad), up) < 1.5
    rotation = level_rotation(median_direction(np.stack([one.people[0].up for one in frames]).astype(float)))
    for before, after in zip(frames, level, strict=True):
        np.testing.assert_allclose(after.people[0].joints_m, before.people[0].joints_m @ rotation.T, atol=1e-6)


@pytest.mark.parametrize("off", [8.0, 60.0])
def test_what_is_told_wrongly_for_some_seconds_turns_nobody(off):
    """Three seconds of sixty; or fifteen that are off by a little."""
    wrong_s = 3 if off > 12 else 15
    up = up_of_tilt(0.1)
    frames = [*told(30, up, noise_deg=5), *later(told(wrong_s, up_of_tilt(0.1 + np.radians(off)), noise_deg=5), 30)]
    frames += later(told(30, up, noise_deg=5, seed=2), 30 + wrong_s)
    level = turned(frames)
    assert len({frame.tilt_rad for frame in level}) == 1
    assert off_deg(up_of_tilt(*level[0].tilt_rad), up) < 5


def test_a_camera_that_is_turned_by_far_is_followed():
    frames = [*told(30, up_of_tilt(0.0)), *later(told(30, up_of_tilt(0.9), seed=1), 30)]
    level = turned(frames)
    ups = np.stack([up_of_tilt(*frame.tilt_rad) for frame in level])
    assert max(off_deg(up, up_of_tilt(0.0)) for up in ups[: 24 * 25]) < 3
    assert max(off_deg(up, up_of_tilt(0.9)) for up in ups[36 * 25 :]) < 3
    assert max(off_deg(first, second) for first, second in pairwise(ups)) < 5
    np.testing.assert_array_equal(level[0].tilt_rad, turned(frames[:251])[0].tilt_rad)  # of the first ten seconds


def test_a_camera_that_is_known_to_stand_still_is_not_followed():
    frames = [*told(30, up_of_tilt(0.0)), *later(told(20, up_of_tilt(0.9), seed=1), 30)]
    level = turned(frames, motion="still")
    assert len({frame.tilt_rad for frame in level}) == 1
    assert off_deg(up_of_tilt(*level[0].tilt_rad), up_of_tilt(0.0)) < 15


def test_a_camera_that_is_known_to_move_is_followed_in_small_turns():
    frames = [*told(30, up_of_tilt(0.0)), *later(told(30, up_of_tilt(0.2), seed=1), 30)]
    assert len({frame.tilt_rad for frame in turned(frames)}) == 1
    level = turned(frames, motion="moving")
    assert off_deg(up_of_tilt(*level[0].tilt_rad), up_of_tilt(0.0)) < 2
    assert off_deg(up_of_tilt(*level[-1].tilt_rad), up_of_tilt(0.2)) < 2


def test_the_floor_is_that_of_the_whole_recording():
    """Somebody squats for fifteen seconds, then stands for fifteen; the camera looks down, 2 m above the floor."""
    tilted = level_rotation(up_of_tilt(0.3)).T
    pose = with_feet(rigid_pose(1))
    stands = 2.0 - pose[:, 1].max()
    frames = []
    for i in range(750):
        root = np.array([0, stands - (0.4 if i < 375 else 0.0), 5.0])
        one = replace(person(1, (pose @ tilted.T).astype(np.float32)), root_m=(tilted @ root).astype(np.float32))
        frames.append(result(i, i / 25, one))
    for frame in turned(frames, up=up_of_tilt(0.3)):
        (level,) = frame.people
        assert level.root_m[1] + level.floor_m == pytest.approx(2.0, abs=1e-3)
        assert frame.tilt_rad == pytest.approx((0.3, 0.0))


def test_the_floor_follows_a_camera_that_moves():
    pose = with_feet(rigid_pose(1))
    frames = []
    for i in range(1500):
        up = up_of_tilt(0.0 if i < 750 else 0.9)
        back = level_rotation(up).T
        root = np.array([0, 1.0 if i < 750 else 3.0, 5.0])
        one = replace(person(1, (pose @ back.T).astype(np.float32)), root_m=(back @ root).astype(np.float32))
        frames.append(result(i, i / 25, replace(one, up=up.astype(np.float32))))
    level = turned(frames)
    floors = [frame.people[0].root_m[1] + frame.people[0].floor_m - pose[:, 1].max() for frame in level]
    np.testing.assert_allclose(floors[: 24 * 25], 1.0, atol=0.15)
    np.testing.assert_allclose(floors[36 * 25 :], 3.0, atol=0.15)


def test_who_has_no_place_has_the_floor_under_their_lowest_joint():
    pose = rigid_pose(1)
    frames = [result(0, 0.0, replace(person(1, pose), up=np.float32([0, -1, 0])), person(2, None))]
    ((first, second),) = (frame.people for frame in turned(frames))
    assert first.floor_m == pytest.approx(pose[:, 1].max() + 0.08)
    assert second.floor_m is None


def test_nobody_is_no_error_and_nothing_told_is_one():
    empty = result(0, 0.0, person(1, None))
    assert turned([empty]) == [empty]
    with pytest.raises(MissingVertical, match=r"take Lifter\('feet'\)"):
        UprightRecording([result(0, 0.0, person(1, rigid_pose(1)))])


def test_opposite_verticals_have_no_nan_between_them():
    up = Rotation.from_rotvec([0.0, 0.0, 0.3]).apply([0.0, -1.0, 0.0])
    frames = [*told(30, up, noise_deg=0), *later(told(30, -up, noise_deg=0), 30)]
    tilts = np.array([frame.tilt_rad for frame in turned(frames)])
    assert np.isfinite(tilts).all()
    assert off_deg(up_of_tilt(*tilts[0]), up) < 1
    assert off_deg(up_of_tilt(*tilts[-1]), -up) < 1
