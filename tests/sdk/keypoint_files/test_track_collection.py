"""Gaps: which are filled, which end a track, which frames go."""

from __future__ import annotations

import numpy as np
import pytest

from sdk.errors import BadKeypoints
from sdk.keypoint_files.track_collection import CollectedTracks, TrackCollector
from sdk.skeletons.skeleton import BODY25, COCO17, Skeleton

RATE = 20.0


def straight(frames: int, joints: int = 17) -> np.ndarray:
    """Every joint on its own line through the image: filling by interpolation is exact."""
    start = np.arange(joints * 2).reshape(joints, 2) * 10.0
    return (start + 3 * np.arange(frames)[:, None, None]).astype(np.float32)


def collect(keypoints: np.ndarray, scores: np.ndarray, skeleton: Skeleton = COCO17) -> CollectedTracks:
    collector = TrackCollector("a.mp4", skeleton, (640, 480), RATE)
    for frame in range(len(keypoints)):
        collector.add(1, frame, frame / RATE, keypoints[frame], scores[frame])
    return collector.finish()


def test_a_short_gap_of_a_joint_is_filled_from_frames_that_saw_it() -> None:
    truth, scores = straight(40), np.full((40, 17), 0.9)
    seen = truth.copy()
    scores[10:18, 9] = 0.1  # frames 9 and 18 saw it: 0.45 s
    seen[10:18, 9] = 555
    (track,) = collect(seen, scores).tracks
    np.testing.assert_allclose(track.keypoints_px, truth, atol=1e-4)
    assert (track.scores[10:18, 9] < 0.2).all()


def test_over_a_long_gap_the_detectors_guess_stays_and_so_it_does_at_the_ends() -> None:
    truth, scores = straight(40), np.full((40, 17), 0.9)
    guess = truth.copy()
    scores[10:25, 9] = scores[:5, 3] = scores[35:, 4] = 0.1
    guess[10:25, 9] = guess[:5, 3] = guess[35:, 4] = 555
    (track,) = collect(guess, scores).tracks
    np.testing.assert_array_equal(track.keypoints_px, guess)


def test_a_joint_that_was_not_found_is_never_a_point_at_the_origin() -> None:
    truth, scores = straight(40, 25), np.full((40, 25), 0.9)
    found = truth.copy()
    for frames, joint in ((slice(10, 30), 4), (slice(0, 5), 7)):
        scores[frames, joint] = found[frames, joint] = 0
    (track,) = collect(found, scores, BODY25).tracks
    np.testing.assert_allclose(track.keypoints_px[10:30, 4], truth[10:30, 4], atol=1e-3)
    np.testing.assert_allclose(track.keypoints_px[:5, 7], np.broadcast_to(truth[5, 7], (5, 2)), atol=1e-3)


def test_frames_that_see_little_of_the_body_go_and_a_long_gap_ends_the_track() -> None:
    keypoints, scores = straight(60), np.full((60, 17), 0.9)
    limbs = [COCO17.index(name) for name in COCO17.joints if not name.endswith(("nose", "eye", "ear"))]
    scores[20:25, limbs[:7]] = 0.0  # 0.3 s between the frames around it
    scores[40:52, limbs[:7]] = 0.0  # 0.65 s
    collected = collect(keypoints, scores)
    assert [(t.name, t.frame_indices[0], t.frame_indices[-1], len(t)) for t in collected.tracks] == [
        ("a.mp4#1", 0, 39, 35),
        ("a.mp4#1.2", 52, 59, 8),
    ]
    assert collected.notes == ("a.mp4: 17 of 60 frames left out: most of the body was not seen",)
    np.testing.assert_allclose(collected.tracks[1].timestamps_s, np.arange(52, 60) / RATE)


def test_a_needed_joint_that_no_frame_saw_leaves_the_track_out_by_name() -> None:
    scores = np.full((30, 25), 0.9)
    scores[:, BODY25.index("left_knee")] = 0
    collected = collect(straight(30, 25), scores, BODY25)
    assert collected.tracks == ()
    assert "left_knee not seen in any of 30 frames" in collected.notes[0]


def test_joints_that_no_3d_joint_needs_may_be_missing_and_one_ear_stands_for_both() -> None:
    truth, scores = straight(30, 25), np.full((30, 25), 0.9)
    missing = [BODY25.index(name) for name in ("left_ear", "left_big_toe", "right_eye")]
    scores[:, missing] = 0
    (track,) = collect(truth, scores, BODY25).tracks
    ears = BODY25.index("left_ear"), BODY25.index("right_ear")
    np.testing.assert_array_equal(track.keypoints_px[:, ears[0]], truth[:, ears[1]])
    assert np.abs(track.keypoints_px - truth).max() < 1000


def test_the_same_person_twice_in_a_frame_is_an_error() -> None:
    collector = TrackCollector("a", COCO17, (640, 480), RATE)
    for _ in range(2):
        collector.add(1, 5, 0.25, straight(1)[0], np.ones(17))
    with pytest.raises(BadKeypoints, match="person 1 is in frame 5 twice"):
        collector.finish()
