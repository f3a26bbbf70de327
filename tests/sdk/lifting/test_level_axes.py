"""A recording in level axes: the pose that was in camera axes, turned by one vertical; and what can't have one."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from sdk import Lifter, PoseStream, Upright, lift_keypoint_file, up_of_tilt
from sdk.errors import BadSetting, MissingVertical
from sdk.keypoint_files.writing import write_keypoints
from sdk.results.processors.upright import level_rotation
from tests.sdk.prediction.recordings import track

SIZE = (1280, 720)


def _no_detector(image):
    return []


@pytest.fixture(scope="module")
def walk():
    """A person in pixels, COCO-17, who sways."""
    random = np.random.default_rng(0)
    place = random.uniform(300, 600, (1, 17, 2)) + 40 * np.sin(np.arange(40) / 6)[:, None, None]
    return np.concatenate([place, np.full((40, 17, 1), 0.9)], -1).astype(np.float32)


def test_it_is_the_same_recording_turned_by_one_vertical(walk, caplog):
    plain, level = Lifter("feet"), Lifter("feet", upright=True)
    camera, status = plain.answers(walk, SIZE, "coco17", 25.0)
    answer, again = level.answers(walk, SIZE, "coco17", 25.0)
    whole = level.track(walk, SIZE, "coco17", 25.0)
    assert status == again == whole.status
    rotation = level_rotation(up_of_tilt(*whole.tilt_rad)).astype(np.float32)
    np.testing.assert_allclose(answer.joints_m, camera.joints_m @ rotation.T, atol=1e-5)
    np.testing.assert_allclose(answer.up, camera.up @ rotation.T, atol=1e-5)
    np.testing.assert_array_equal(level(walk, SIZE, "coco17", 25.0), answer.joints_m)
    own = plain.track(walk, SIZE, "coco17", 25.0)
    assert own.tilt_rad is None
    np.testing.assert_allclose(whole.joints_m, own.joints_m @ rotation.T, atol=1e-5)
    np.testing.assert_allclose(whole.root_m, own.root_m @ rotation.T, atol=1e-4)
    # What is told of all frames is up in level axes, in the mean.
    assert answer.up.mean(0) @ [0, -1, 0] > 0.9


def test_deviations_turn_with_their_axes(walk):
    plain, level = (Lifter("feet", upright=upright).answers(walk, SIZE, "coco17", 25.0)[0] for upright in (False, True))
    np.testing.assert_allclose(
        np.square(plain.deviations_m).sum(-1), np.square(level.deviations_m).sum(-1), rtol=1e-4, atol=1e-8
    )
    assert not np.allclose(plain.deviations_m, level.deviations_m)


def test_everybody_in_a_file_is_turned_by_one_vertical(tmp_path):
    first = track("walk#1", frames=40)
    second = track("walk#2", (200, 80), frames=30, first=10)
    second = replace(second, keypoints_px=second.keypoints_px @ np.float32([[0.9, 0.3], [-0.3, 0.9]]))
    write_keypoints(tmp_path / "two.npz", [first, second])
    plain, level = (
        lift_keypoint_file(tmp_path / "two.npz", Lifter("feet", upright=upright)) for upright in (False, True)
    )
    turns = [
        Rotation.align_vectors(b.joints_m.reshape(-1, 3), a.joints_m.reshape(-1, 3))[0]
        for a, b in zip(plain, level, strict=True)
    ]
    assert turns[0].magnitude() > 0.02
    assert (turns[0] * turns[1].inv()).magnitude() < 1e-3
    for a, b in zip(plain, level, strict=True):
        np.testing.assert_allclose(turns[0].apply(a.joints_m.reshape(-1, 3)), b.joints_m.reshape(-1, 3), atol=1e-3)


def test_a_camera_that_turns_is_followed():
    """Twelve seconds upright, and twelve with the image turned by a quarter."""
    keypoints = track(frames=600, start=(160, 100)).keypoints_px - np.float32([2, 0]) * np.arange(600)[:, None, None]
    keypoints[300:] = (keypoints[300:] - 150) @ np.float32([[0, 1], [-1, 0]]) + 150
    lifter = Lifter("feet", upright=True)
    found = lifter.track(keypoints, (320, 240), "coco17", 25.0)
    rolls = np.degrees(found.tilts_rad[:, 1])
    assert 60 < abs(rolls[-1] - rolls[0]) < 120
    assert (found.joints_m[[0, -1], 9, 1] < found.joints_m[[0, -1], 3, 1] - 0.8).all()  # the head is over the feet
    np.testing.assert_array_equal(found.answer.joints_m, lifter(keypoints, (320, 240), "coco17", 25.0))


def test_a_camera_that_stands_still_is_asked_for(walk):
    still, moving = (Lifter("feet", upright=True, camera_motion=motion) for motion in ("still", "moving"))
    keypoints = np.concatenate([walk, walk[::-1]] * 6)
    one, many = (lifter.track(keypoints, SIZE, "coco17", 25.0) for lifter in (still, moving))
    assert len(np.unique(one.tilts_rad, axis=0)) == 1
    assert len(np.unique(many.tilts_rad, axis=0)) > 10
    with pytest.raises(BadSetting, match="camera_motion is 'fast'; it must be one of auto, still, moving"):
        Lifter("feet", upright=True, camera_motion="fast")


def test_nobody_has_no_vertical():
    nobody = np.full((30, 17, 2), np.nan, np.float32)
    whole = Lifter("feet", upright=True).track(nobody, SIZE, "coco17", 25.0)
    assert np.isnan(whole.joints_m).all()
    assert whole.tilt_rad is None


def test_a_lifter_that_does_not_tell_is_refused():
    with pytest.raises(MissingVertical, match="does not tell which way is up"):
        Lifter("fast", upright=True)


def test_streams_have_the_processor_instead():
    lifter = Lifter("feet", upright=True)
    with pytest.raises(MissingVertical, match="Upright"):
        lifter.stream(SIZE, "coco17")
    with pytest.raises(MissingVertical, match="Upright"):
        PoseStream(None, _no_detector, lifter)
    assert Upright().up is None
