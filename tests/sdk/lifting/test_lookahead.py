"""Any delay from the same weights: what is not waited for is stood in for, live and afterwards alike."""

import dataclasses

import numpy as np
import pytest

from sdk import Lifter
from sdk.errors import BadKeypoints, BadLookahead
from sdk.lifting.model_metadata import LifterMetadata
from sdk.lifting.windows import prepare_keypoints, sample_windows, with_seen
from sdk.skeletons.joint_conversion import conversion_matrix
from sdk.skeletons.skeleton import H36M16
from tests.lifters import random_lifter
from tests.sdk.lifting.test_lifter import SIZE, walk
from training.lifter.onnx_graphs import write_lifter_onnx

METADATA = LifterMetadata(name="any", input_channels=3, shortest_lookahead=0)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("lookahead") / "any.onnx"
    write_lifter_onnx(random_lifter(channels=32, input_channels=3, view="person"), METADATA, path)
    return path


@pytest.mark.parametrize(("word", "frames"), [("live", 0), ("balanced", 5), ("offline", 13), (7, 7)])
def test_delay_is_stated(model, word, frames):
    lifter = Lifter(model, lookahead=word)
    assert lifter.metadata.lookahead_frames == frames
    assert lifter.delay_s == lifter.stream(SIZE, "coco17").delay_s == frames / 25


@pytest.mark.parametrize("lookahead", [0, 1, 5, 12, 13])
@pytest.mark.parametrize("fps", [10.0, 25.0, 29.97, 120.0])
def test_streaming_equals_offline(model, lookahead, fps):
    lifter = Lifter(model, lookahead=lookahead)
    keypoints, times = walk(90), np.arange(90) / fps
    stream = lifter.stream(SIZE, "coco17")
    poses, late = [], []
    for frame, t in zip(keypoints, times, strict=True):
        new = stream.push(frame, t)
        late += [t - pose.timestamp_s for pose in new]
        poses += new
    assert max(late) <= lifter.delay_s + 1 / fps + 1e-3
    poses += stream.flush()
    offline = lifter(keypoints, SIZE, "coco17", fps)
    np.testing.assert_allclose(np.stack([pose.joints_m for pose in poses]), offline, rtol=0, atol=2e-6)


def test_a_live_pose_comes_with_its_frame(model):
    stream = Lifter(model, lookahead="live").stream(SIZE, "coco17")
    for i, frame in enumerate(walk(20)):
        assert [pose.timestamp_s for pose in stream.push(frame, i / 25)] == [i / 25]


@pytest.mark.parametrize("lookahead", [0, 4, 13])
def test_nothing_beyond_it_is_looked_at(lookahead):
    keypoints = np.random.default_rng(0).random((60, 16, 2)).astype(np.float32)
    other = keypoints.copy()
    other[31 + lookahead :] += 1
    metadata = dataclasses.replace(METADATA, lookahead=lookahead)
    windows, others = (sample_windows(k, np.arange(60) / 25, np.array([30 / 25]), metadata) for k in (keypoints, other))
    np.testing.assert_array_equal(windows, others)
    np.testing.assert_array_equal(
        windows[0, 13 + lookahead :], np.broadcast_to(keypoints[30 + lookahead], (14 - lookahead, 16, 2))
    )
    np.testing.assert_array_equal(windows[0, : 13 + lookahead], keypoints[17 : 30 + lookahead])


@pytest.mark.parametrize("lookahead", [-1, 14, "soon", 2.0, True, None])
def test_what_is_none_is_refused_with_the_choices(model, lookahead):
    with pytest.raises(BadLookahead, match="0 to 13, or one of live, balanced, offline"):
        Lifter(model, lookahead=lookahead)


def test_a_lifter_of_whole_windows_refuses_less(tmp_path):
    path = tmp_path / "whole.onnx"
    write_lifter_onnx(random_lifter(channels=8), LifterMetadata(), path)
    assert Lifter(path).delay_s == 0.52
    with pytest.raises(BadLookahead, match=r"whole\.onnx was trained to see at least 13 frames ahead, not 0"):
        Lifter(path, lookahead="live")


class TestMissingJoints:
    def test_nan_and_a_score_of_practically_zero_are_one_thing(self, model):
        lifter = Lifter(model)
        gone = walk(40)
        gone[10:20, 9] = np.nan  # a wrist
        scored = np.concatenate([walk(40), np.ones((40, 17, 1), np.float32)], -1)
        scored[10:20, 9] = [5.0, -3.0, 0.005]
        np.testing.assert_array_equal(lifter(gone, SIZE, "coco17", 25.0), lifter(scored, SIZE, "coco17", 25.0))
        assert np.abs(lifter(gone, SIZE, "coco17", 25.0)[15] - lifter(walk(40), SIZE, "coco17", 25.0)[15]).max() > 1e-4

    def test_what_a_detector_guesses_is_kept_unless_told_otherwise(self, model):
        guessed = np.concatenate([walk(40), np.ones((40, 17, 1), np.float32)], -1)
        guessed[10:20, 9, 2] = 0.05
        seen, gone = walk(40), walk(40)
        gone[10:20, 9] = np.nan
        np.testing.assert_array_equal(
            Lifter(model)(guessed, SIZE, "coco17", 25.0), Lifter(model)(seen, SIZE, "coco17", 25.0)
        )
        strict = Lifter(model, missing_below=0.1)
        np.testing.assert_array_equal(strict(guessed, SIZE, "coco17", 25.0), strict(gone, SIZE, "coco17", 25.0))

    def test_its_place_does_not_matter_its_absence_does(self, model):
        windows = np.random.default_rng(1).random((4, 27, 16, 2)).astype(np.float32)
        windows[:, :, 3] = np.nan
        np.testing.assert_array_equal(with_seen(windows)[:, :, 3], 0)
        assert np.isfinite(Lifter(model).lift_windows(windows)).all()

    def test_a_joint_made_of_a_missing_one_is_missing(self, model):
        """The pelvis lies between the hips, the ankles do not."""
        keypoints = walk(3)
        keypoints[1, 11] = np.nan
        prepared = prepare_keypoints(keypoints, SIZE, "coco17", METADATA)
        missing = np.isnan(prepared).any(-1)
        assert not missing[[0, 2]].any()
        made_of_it = conversion_matrix("coco17")[:, 11] != 0
        assert made_of_it[H36M16.index("pelvis")]
        assert not made_of_it[H36M16.index("left_ankle")]
        np.testing.assert_array_equal(missing[1], made_of_it)

    def test_seen_in_one_of_two_frames_is_missing_between_them(self):
        keypoints = np.ones((3, 16, 2), np.float32)
        keypoints[1, 5] = np.nan
        window = sample_windows(keypoints, np.arange(3) / 10, np.array([0.1]), METADATA)[0]
        assert np.flatnonzero(np.isnan(window[:, 5, 0])).tolist() == [11, 12, 13, 14, 15]

    def test_a_lifter_that_needs_all_refuses(self, tmp_path):
        path = tmp_path / "all.onnx"
        write_lifter_onnx(random_lifter(channels=8), LifterMetadata(), path)
        gone = walk(5)
        gone[2, 3] = np.nan
        with pytest.raises(BadKeypoints, match="joint 3 in frame 2"):
            Lifter(path)(gone, SIZE, "coco17", 25.0)

    def test_infinity_is_no_missing_joint(self, model):
        keypoints = walk(5)
        keypoints[2, 3] = np.inf
        with pytest.raises(BadKeypoints, match="joint 3 in frame 2"):
            Lifter(model)(keypoints, SIZE, "coco17", 25.0)
