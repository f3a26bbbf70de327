"""Who was not seen, in each form: NaN, nothing, weak scores, shared numbers. Nobody vanishes without a word."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sdk.errors import BadKeypoints
from sdk.keypoint_files import is_keypoints, read_keypoints
from tests.sdk.keypoint_files.test_reading import FRAMES, KNOWN, ONE, TWO, flat
from tests.sdk.stick_figures import SIZE

NAN = [float("nan")] * 51


def openpose_folder(folder: Path, absent: Any) -> Path:
    """Two people; the second comes in frame 20, and `absent` stands for them before."""
    folder.mkdir()
    for frame in range(FRAMES):
        second = {"pose_keypoints_2d": flat(TWO[frame])} if frame >= 20 else absent
        content = {"version": 1.3, "people": [{"pose_keypoints_2d": flat(ONE[frame])}, second]}
        (folder / f"take_{frame:06d}.json").write_text(json.dumps(content))
    return folder


@pytest.mark.parametrize(
    "absent", [{}, {"pose_keypoints_2d": []}, {"pose_keypoints_2d": None}, {"pose_keypoints_2d": NAN}]
)
def test_pose2sims_absent_people_are_absent(tmp_path: Path, absent: Any, caplog: pytest.LogCaptureFixture) -> None:
    one, two = read_keypoints(openpose_folder(tmp_path / "take", absent), **KNOWN)
    np.testing.assert_array_equal(one.frame_indices, np.arange(FRAMES))
    np.testing.assert_array_equal(two.frame_indices, np.arange(20, FRAMES))
    np.testing.assert_allclose(two.keypoints_px, TWO[20:], atol=1e-3)
    assert caplog.text == ""


def test_alphaposes_absent_people_are_absent(tmp_path: Path) -> None:
    people = [
        {"image_id": f"{i}.jpg", "keypoints": flat(pose) if i != 7 else [], "idx": 1} for i, pose in enumerate(ONE)
    ]
    (tmp_path / "a.json").write_text(json.dumps(people))
    (track,) = read_keypoints(tmp_path / "a.json", **KNOWN)
    assert 7 not in track.frame_indices
    assert len(track) == FRAMES - 1


def test_npz_with_nan_joints_and_frames(tmp_path: Path) -> None:
    """Short gaps are bridged or left out, a long one splits the recording; nothing shifts in time."""
    keypoints = np.concatenate([ONE, np.full((FRAMES, 17, 1), 0.9)], 2)
    keypoints[5:8, 9] = np.nan  # a wrist
    keypoints[12] = np.nan  # a frame without the person
    keypoints[18:34] = np.nan  # 0.64 s without them
    keypoints[36, 3, 2] = np.nan  # an ear's score
    np.savez(tmp_path / "a.npz", keypoints=keypoints, image_size=SIZE, skeleton="coco17", frame_rate_hz=25.0)
    first, second = read_keypoints(tmp_path / "a.npz")
    assert first.frame_indices.tolist() == [*range(12), *range(13, 18)]
    assert second.frame_indices.tolist() == list(range(34, FRAMES))
    np.testing.assert_allclose(first.timestamps_s, first.frame_indices / 25)
    np.testing.assert_allclose(first.keypoints_px[6, 9], ONE[[4, 8], 9].mean(0), atol=1e-3)
    assert (first.scores[5:8, 9] == 0).all()
    assert second.scores[2, 3] == 0
    np.savez(tmp_path / "b.npz", keypoints=keypoints * np.nan, image_size=SIZE, skeleton="coco17", frame_rate_hz=25.0)
    with pytest.raises(BadKeypoints, match="no person in any of 40 frames: all is NaN"):
        read_keypoints(tmp_path / "b.npz")


def alphapose(path: Path, score: float, **more: Any) -> Path:
    people = [
        {"image_id": f"{i}.jpg", "keypoints": flat(person[i], score), **more}
        for i in range(FRAMES)
        for person in (ONE, TWO)
    ]
    path.write_text(json.dumps(people))
    return path


def test_several_people_with_weak_scores_are_read_or_refused(tmp_path: Path) -> None:
    assert len(read_keypoints(alphapose(tmp_path / "a.json", 0.22), **KNOWN)) == 2
    with pytest.raises(BadKeypoints, match=r"(?s)none with enough.*80 of 80 people in single frames.*score under 0\.2"):
        read_keypoints(alphapose(tmp_path / "b.json", 0.15), **KNOWN)


def test_one_person_with_weak_scores_is_refused(tmp_path: Path) -> None:
    people = [{"image_id": f"{i}.jpg", "keypoints": flat(pose, 0.1)} for i, pose in enumerate(ONE)]
    (tmp_path / "a.json").write_text(json.dumps(people))
    with pytest.raises(BadKeypoints, match=r"(?s)40 of 40 frames left out.*scale them"):
        read_keypoints(tmp_path / "a.json", **KNOWN)


def test_people_who_are_not_taken_up_are_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    people = [{"image_id": f"{i}.jpg", "keypoints": flat(ONE[i])} for i in range(FRAMES)]
    people += [{"image_id": f"{i}.jpg", "keypoints": flat(TWO[i], 0.15)} for i in range(10)]
    people += [{"image_id": "30.jpg", "keypoints": flat(TWO[30])}]
    (tmp_path / "a.json").write_text(json.dumps(people))
    with caplog.at_level(logging.WARNING):
        (track,) = read_keypoints(tmp_path / "a.json", **KNOWN)
    assert len(track) == FRAMES
    assert "11 of 51 people in single frames left out" in caplog.text


@pytest.mark.parametrize("idx", [[[0.0]], 0, [3]])
def test_a_number_shared_within_a_frame_is_no_track_number(
    tmp_path: Path, idx: Any, caplog: pytest.LogCaptureFixture
) -> None:
    path = alphapose(tmp_path / "a.json", 0.9, idx=idx)
    with caplog.at_level(logging.WARNING):
        tracks = read_keypoints(path, **KNOWN)
    for track, truth in zip(tracks, (ONE, TWO), strict=True):
        np.testing.assert_allclose(track.keypoints_px, truth[track.frame_indices], atol=1e-3)
    assert "is not a track number. People are matched over frames by their boxes" in caplog.text


NULLS = range(10, 13)
"""Frames in which the left wrist is null."""


def with_null(frame: int) -> list[list[float | None]]:
    """x, y, score of each joint."""
    marks: list[list[float | None]] = [[float(x), float(y), 0.9] for x, y in ONE[frame]]
    if frame in NULLS:
        marks[9] = [None, None, None]
    return marks


def mmpose_with_null(frame: int) -> dict[str, Any]:
    marks = with_null(frame)
    return {"keypoints": [mark[:2] for mark in marks], "keypoint_scores": [mark[2] for mark in marks]}


@pytest.mark.parametrize("form", ["AlphaPose", "OpenPose", "MMPose", "MMPose images", "COCO"])
def test_null_is_not_seen_as_nan_is(tmp_path: Path, form: str) -> None:
    """Strict JSON has no NaN: JavaScript, pandas and orjson write null."""
    numbers = [[value for mark in with_null(frame) for value in mark] for frame in range(FRAMES)]
    if form == "AlphaPose":
        content: Any = [{"image_id": f"{i}.jpg", "keypoints": row} for i, row in enumerate(numbers)]
    elif form == "MMPose":
        content = [{"frame_id": i, "instances": [mmpose_with_null(i)]} for i in range(FRAMES)]
    else:
        content = {
            "images": [{"id": i, "file_name": f"{i}.jpg"} for i in range(FRAMES)],
            "annotations": [{"image_id": i, "keypoints": [v and 2 if k % 3 == 2 else v for k, v in enumerate(row)]}
                            for i, row in enumerate(numbers)],
        }  # fmt: skip
    path = tmp_path / "a.json"
    if form in ("OpenPose", "MMPose images"):
        path = tmp_path / "a"
        path.mkdir()
        for i, row in enumerate(numbers):
            # One file an image, as MMPose's demo scripts and Sapiens write them.
            of_image: Any = {"meta_info": {}, "instance_info": [mmpose_with_null(i)]}
            frame = {"people": [{"pose_keypoints_2d": row}]} if form == "OpenPose" else of_image
            (path / f"a_{i:06d}.json").write_text(json.dumps(frame))
        assert is_keypoints(path)
    else:
        path.write_text(json.dumps(content))
    (track,) = read_keypoints(path, **KNOWN)
    assert len(track) == FRAMES
    np.testing.assert_array_equal(track.scores[:, 9] == 0, np.isin(np.arange(FRAMES), NULLS))
    expected = ONE.copy()
    expected[NULLS, 9] = np.linspace(ONE[NULLS[0] - 1, 9], ONE[NULLS[-1] + 1, 9], 5)[1:-1]
    np.testing.assert_allclose(track.keypoints_px, expected, atol=1e-3)


def test_null_elsewhere_is_no_number(tmp_path: Path) -> None:
    content = [{"frame_id": None, "instances": [mmpose_with_null(i)]} for i in range(FRAMES)]
    (tmp_path / "a.json").write_text(json.dumps(content))
    with pytest.raises(BadKeypoints, match="frame_id: value 0 is None, not a number"):
        read_keypoints(tmp_path / "a.json", **KNOWN)


def test_an_unknown_format_names_a_way_out(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("frame,nose_x,nose_y\n0,1,2\n")
    with pytest.raises(BadKeypoints, match=r"(?s)no known keypoint format.*Write keypoints .* numpy\.savez\(FILE"):
        read_keypoints(tmp_path / "a.csv")
