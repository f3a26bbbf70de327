"""Files of keypoints to 3D: the same poses as the lifter gives for their arrays."""

import json

import numpy as np
import pytest

from benchmarks import fuzzing
from benchmarks.broken_files import samples
from sdk import Lifter, lift_keypoint_file
from sdk.errors import BadSetting
from sdk.keypoint_files import read_keypoints
from sdk.lifting.keypoint_lifting import lift_track
from sdk.lifting.windows import sample_windows
from sdk.results.pose_frame import LiftStatus
from tests.sdk.stick_figures import walk


@pytest.fixture(scope="module")
def lifter():
    return Lifter()


@pytest.mark.parametrize("name", samples.SAMPLES)
def test_every_format_lifts(tmp_path, lifter, name):
    path = samples.SAMPLES[name](tmp_path)
    found = lift_keypoint_file(path, lifter, **fuzzing.KNOWN)
    tracks = read_keypoints(path, **fuzzing.KNOWN)
    assert len(found) == len(tracks) > 0
    for person, track in zip(found, tracks, strict=True):
        expected = lifter(track.keypoints_px, samples.SIZE, track.skeleton, fps=25.0)
        np.testing.assert_allclose(person.joints_m, expected[: len(track)], atol=1e-5)
        assert person.status == (LiftStatus.AT_EDGE,) * len(track)  # six frames fill no window


def test_a_gap_is_interpolated_over_time(lifter, tmp_path):
    """Straight motion without every second frame is the same motion."""
    (track,) = read_keypoints(samples.simple_npz(tmp_path))
    every_second = track.at(np.array([0, 1, 3, 5]))
    np.testing.assert_allclose(lift_track(lifter, every_second), lift_track(lifter, track)[[0, 1, 3, 5]], atol=1e-4)


def test_long_recordings_at_uneven_times_are_lifted_in_parts(lifter):
    """Part by part, from the frames that each part reaches, it is what all windows at once are."""
    random = np.random.default_rng(0)
    times = np.cumsum(random.uniform(0.01, 0.07, 1100))
    times[700:] += 30
    prepared = np.cumsum(random.normal(0, 0.01, (1100, 16, 2)), 0).astype(np.float32)
    expected = lifter.lift_windows(sample_windows(prepared, times, times, lifter.metadata))
    np.testing.assert_allclose(lifter.lift_prepared(prepared, times), expected, atol=1e-5)
    assert lifter.lift_prepared(prepared[:0], times[:0]).shape == (0, 16, 3)


def test_bystanders_of_a_file_are_not_lifted(lifter, tmp_path):
    """The smaller person of two; as many as there are is everybody."""
    large = np.concatenate([walk(30, (60, 60), (1, 0)), np.full((30, 17, 1), 0.9)], -1)
    small = np.concatenate([walk(30, (250, 20), (0, 0)) * 0.6, np.full((30, 17, 1), 0.9)], -1)
    entries = [
        {"image_id": f"{t}.jpg", "category_id": 1, "keypoints": one[t].ravel().tolist(), "score": 1, "idx": number}
        for t in range(30)
        for number, one in enumerate((small, large))
    ]
    path = tmp_path / "alphapose-results.json"
    path.write_text(json.dumps(entries))
    known = {"image_size": (320, 240), "frame_rate_hz": 25.0}
    everybody = lift_keypoint_file(path, lifter, **known)
    (meant,) = lift_keypoint_file(path, lifter, **known, people="largest")
    assert len(everybody) == len(lift_keypoint_file(path, lifter, **known, people=2)) == 2
    np.testing.assert_array_equal(meant.joints_m, everybody[1].joints_m)
    np.testing.assert_allclose(meant.track.keypoints_px, large[..., :2], atol=1e-3)
    with pytest.raises(BadSetting, match="'nobody'"):
        lift_keypoint_file(path, lifter, **known, people="nobody")
