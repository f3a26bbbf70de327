"""The frame is the number that varies in the names; what is of two videos, or twice, is an error that names both."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from sdk.errors import BadKeypoints
from sdk.keypoint_files import read_keypoints
from sdk.keypoint_files.parsing.frame_names import read_frame_names
from tests.sdk.keypoint_files.test_reading import KNOWN, ONE, flat

FRAMES = range(12)


@pytest.mark.parametrize(
    ("pattern", "video"),
    [
        ("{:06d}_cam2.jpg", "cam2"),
        ("cam2_{:06d}.jpg", "cam2"),
        ("{}.jpg", ""),
        ("{}", ""),
        ("take3/frame{:04d}_rotated90.png", "frame"),
        ("C:\\video 7\\im_{:03d}.png", "im"),
        ("run_{:04d}_jpg.rf.1f.jpg", "run"),
        ("2024-05-01_{:05d}", "2024-05-01"),
    ],
)
def test_the_number_that_varies(pattern: str, video: str) -> None:
    names = [pattern.format(frame) for frame in FRAMES]
    read = read_frame_names("here", names)
    assert (read.numbers, read.video) == (tuple(FRAMES), video)


def test_of_several_numbers_that_vary_the_one_that_tells_all_apart() -> None:
    names = [f"shot_{frame}_of_{frame // 4}.jpg" for frame in FRAMES]
    assert read_frame_names("here", names).numbers == tuple(FRAMES)
    hashed = [f"shot_{frame:04d}_jpg.rf.{'ab1c' * (frame + 1)}.jpg" for frame in FRAMES]
    assert read_frame_names("here", hashed).numbers == tuple(FRAMES)


def test_a_single_name_gives_its_longest_number() -> None:
    assert read_frame_names("here", ["000012_cam2.jpg"]).numbers == (12,)


@pytest.mark.parametrize(
    ("names", "both"),
    [
        (["a_0.jpg", "a_1.jpg", "b_0.jpg"], "'a_0.jpg' and 'b_0.jpg'"),
        (["vid1_0.jpg", "vid1_1.jpg", "vid2_0.jpg", "vid2_1.jpg"], "'vid1_0.jpg' and 'vid2_0.jpg' are both frame 0"),
        (["007.jpg", "8.jpg", "7.jpg"], "'007.jpg' and '7.jpg' are both frame 7"),
        (["one/5.jpg", "one/6.jpg", "two/5.jpg"], "'one/5.jpg' and 'two/5.jpg' are both frame 5"),
    ],
)
def test_two_videos_are_an_error_that_names_both(names: list[str], both: str) -> None:
    with pytest.raises(BadKeypoints, match=both.replace(".", r"\.")):
        read_frame_names("here", names)


def test_alphapose_with_a_camera_in_the_name(tmp_path: Path) -> None:
    people = [{"image_id": f"{i:06d}_cam2.jpg", "keypoints": flat(pose)} for i, pose in enumerate(ONE)]
    (tmp_path / "a.json").write_text(json.dumps(people))
    (track,) = read_keypoints(tmp_path / "a.json", **KNOWN)
    np.testing.assert_array_equal(track.frame_indices, np.arange(len(ONE)))


def test_alphapose_of_two_videos(tmp_path: Path) -> None:
    people = [
        {"image_id": f"{v}_{i}.jpg", "keypoints": flat(pose)} for v in ("run", "jump") for i, pose in enumerate(ONE)
    ]
    (tmp_path / "a.json").write_text(json.dumps(people))
    with pytest.raises(BadKeypoints, match=r"'run_0\.jpg' and 'jump_0\.jpg', which look like several videos"):
        read_keypoints(tmp_path / "a.json", **KNOWN)


def test_a_folder_with_a_camera_in_the_names(tmp_path: Path) -> None:
    for i, pose in enumerate(ONE):
        content = {"people": [{"pose_keypoints_2d": flat(pose)}]}
        (tmp_path / f"{i:06d}_cam2_keypoints.json").write_text(json.dumps(content))
    (track,) = read_keypoints(tmp_path, **KNOWN)
    np.testing.assert_array_equal(track.frame_indices, np.arange(len(ONE)))
    (tmp_path / "7_cam2_keypoints.json").write_text(json.dumps(content))
    with pytest.raises(BadKeypoints, match=r"'000007_cam2\.json' and '7_cam2\.json' are both frame 7"):
        read_keypoints(tmp_path, **KNOWN)


def test_one_frame_number_twice(tmp_path: Path) -> None:
    instances = [{"keypoints": ONE[0].tolist(), "keypoint_scores": [0.9] * 17}]
    (tmp_path / "a.json").write_text(json.dumps([{"frame_id": i, "instances": instances} for i in (3, 4, 4)]))
    with pytest.raises(BadKeypoints, match="entries 1 and 2 both have frame_id 4"):
        read_keypoints(tmp_path / "a.json", **KNOWN)
    marks = [{"x": 0.5, "y": 0.01 * i} for i in range(33)]
    (tmp_path / "b.json").write_text(json.dumps([{"frame": i, "pose_landmarks": marks} for i in (3, 3)]))
    with pytest.raises(BadKeypoints, match="entries 0 and 1 are both frame 3"):
        read_keypoints(tmp_path / "b.json", **KNOWN)
