"""A track checks itself, and comes back from a file as it was."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sdk.errors import BadKeypoints, UnknownSkeleton
from sdk.keypoint_files import KeypointTrack, load_tracks, save_tracks
from sdk.keypoint_files.saved_tracks import load_tracks_and_about


def track(name: str = "a.mp4#1", frames: int = 5, skeleton: str = "coco17", joints: int = 17) -> KeypointTrack:
    random = np.random.default_rng(frames)
    return KeypointTrack(
        name,
        random.uniform(0, 100, (frames, joints, 2)).astype(np.float32),
        random.uniform(0, 1, (frames, joints)).astype(np.float32),
        np.arange(frames) / 30,
        np.arange(frames) + 7,
        skeleton,
        (1920, 1080),
        30.0,
    )


def test_the_first_nan_is_named() -> None:
    good = track()
    keypoints = good.keypoints_px.copy()
    keypoints[3, 9, 1] = np.nan
    keypoints[4, 0] = np.inf
    with pytest.raises(BadKeypoints, match=r"'a\.mp4#1': the keypoint of joint 9 \(left_wrist\) in frame 3 .*2 of"):
        replace(good, keypoints_px=keypoints)
    scores = good.scores.copy()
    scores[2, 16] = np.nan
    with pytest.raises(BadKeypoints, match=r"score of joint 16 \(right_ankle\) in frame 2"):
        replace(good, scores=scores)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"keypoints_px": np.zeros((5, 16, 2))}, r"keypoints_px has shape \(5, 16, 2\), not \(5, 17, 2\)"),
        ({"scores": np.zeros((4, 17))}, "scores"),
        ({"timestamps_s": np.array([0, 1, 1, 2, 3.0])}, "timestamps_s do not increase at frame 2"),
        ({"timestamps_s": np.array([0, 1, np.nan, 2, 3.0])}, "timestamps_s"),
        ({"frame_indices": np.array([4, 3, 5, 6, 7])}, "frame_indices do not increase at frame 1"),
        ({"image_size": (0, 100)}, "image_size"),
        ({"frame_rate_hz": 0.0}, "frame_rate_hz"),
    ],
)
def test_what_does_not_fit_is_named(change: dict, message: str) -> None:
    with pytest.raises(BadKeypoints, match=message):
        replace(track(), **change)


def test_an_unknown_skeleton_lists_the_known_ones() -> None:
    with pytest.raises(UnknownSkeleton, match="halpe26"):
        replace(track(), skeleton="coco19")
    with pytest.raises(BadKeypoints, match="no frames"):
        track(frames=0)


def test_saved_tracks_come_back_bit_for_bit(tmp_path: Path) -> None:
    tracks = [track(), track("b#2", 3, "body25", 25)]
    save_tracks(tmp_path / "t.npz", tracks, {"video": "ä.mp4"})
    loaded, about = load_tracks_and_about(tmp_path / "t.npz")
    assert about == {"video": "ä.mp4"}
    for a, b in zip(tracks, loaded, strict=True):
        for field in ("keypoints_px", "scores", "timestamps_s", "frame_indices"):
            np.testing.assert_array_equal(getattr(a, field), getattr(b, field))
            assert getattr(a, field).dtype == getattr(b, field).dtype
        for field in ("name", "skeleton", "image_size", "frame_rate_hz"):
            assert getattr(a, field) == getattr(b, field)


def test_no_track_is_a_file_too(tmp_path: Path) -> None:
    save_tracks(tmp_path / "t.npz", [])
    assert load_tracks(tmp_path / "t.npz") == []


@pytest.mark.parametrize("size", [10, 400, 1500])
def test_a_file_cut_off_anywhere_is_bad_keypoints(tmp_path: Path, size: int) -> None:
    save_tracks(tmp_path / "t.npz", [track()])
    whole = (tmp_path / "t.npz").read_bytes()
    (tmp_path / "t.npz").write_bytes(whole[:size])
    with pytest.raises(BadKeypoints):
        load_tracks(tmp_path / "t.npz")


def test_a_changed_byte_is_noticed(tmp_path: Path) -> None:
    save_tracks(tmp_path / "t.npz", [track()])
    damaged = bytearray((tmp_path / "t.npz").read_bytes())
    damaged[damaged.index(track().keypoints_px.tobytes()) + 99] ^= 0xFF
    (tmp_path / "t.npz").write_bytes(damaged)
    with pytest.raises(BadKeypoints, match="damaged"):
        load_tracks(tmp_path / "t.npz")
