"""A recording in level axes: the pose that was in camera axes, turned by one vertical; and what can't have one."""

import numpy as np
import pytest

from sdk import Lifter, PoseStream, Upright, up_of_tilt
from sdk.errors import MissingVertical
from sdk.results.processors.upright import level_rotation

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
    track = level.track(walk, SIZE, "coco17", 25.0)
    assert status == again == track.status
    rotation = level_rotation(up_of_tilt(*track.tilt_rad)).astype(np.float32)
    np.testing.assert_allclose(answer.joints_m, camera.joints_m @ rotation.T, atol=1e-5)
    np.testing.assert_allclose(answer.up, camera.up @ rotation.T, atol=1e-5)
    np.testing.assert_array_equal(level(walk, SIZE, "coco17", 25.0), answer.joints_m)
    own = plain.track(walk, SIZE, "coco17", 25.0)
    assert own.tilt_rad is None
    np.testing.assert_allclose(track.joints_m, own.joints_m @ rotation.T, atol=1e-5)
    np.testing.assert_allclose(track.root_m, own.root_m @ rotation.T, atol=1e-4)
    # What is told of all frames is up in level axes, in the mean.
    assert answer.up.mean(0) @ [0, -1, 0] > 0.9


def test_deviations_turn_with_their_axes(walk):
    plain, level = (Lifter("feet", upright=upright).answers(walk, SIZE, "coco17", 25.0)[0] for upright in (False, True))
    np.testing.assert_allclose(
        np.square(plain.deviations_m).sum(-1), np.square(level.deviations_m).sum(-1), rtol=1e-4, atol=1e-8
    )
    assert not np.allclose(plain.deviations_m, level.deviations_m)


def test_nobody_has_no_vertical():
    nobody = np.full((30, 17, 2), np.nan, np.float32)
    track = Lifter("feet", upright=True).track(nobody, SIZE, "coco17", 25.0)
    assert np.isnan(track.joints_m).all()
    assert track.tilt_rad is None


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
