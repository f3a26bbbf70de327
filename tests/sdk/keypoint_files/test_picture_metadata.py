"""Keypoints beside a video: its times, and its pixels that are not square."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from sdk.keypoint_files import read_keypoints
from sdk.keypoint_files.reading import collect_keypoints
from tests.sdk.keypoint_files.test_reading import FRAMES, ONE, body25, write_alphapose, write_openpose
from tests.sdk.stick_figures import SIZE
from tests.sdk.video.video_files import H263_SIZE, browser_recording, flash_video, set_matrix, write

TIMES_MS = np.concatenate([40 * np.arange(20), 800 + 100 * np.arange(FRAMES - 20)])


def test_times_are_those_of_the_video(tmp_path: Path) -> None:
    """At its mean rate a frame would be up to 0.6 s off."""
    flash_video(tmp_path / "a.flv", TIMES_MS.tolist())
    (of_file,) = read_keypoints(write_alphapose(tmp_path / "a.json", [(ONE, 1)]))
    (of_folder,) = read_keypoints(write_openpose(tmp_path / "a", [body25(ONE)], video="a"))
    for track in (of_file, of_folder):
        np.testing.assert_allclose(track.timestamps_s, TIMES_MS / 1000, atol=1e-6)
        assert track.frame_rate_hz == pytest.approx((FRAMES - 1) / (TIMES_MS[-1] / 1000))


def test_browser_recording_gives_its_own_rate(tmp_path: Path) -> None:
    times_ms = np.cumsum([0, *[33, 34, 30] * 13])
    browser_recording(tmp_path / "a.webm", times_ms.tolist())
    (track,) = read_keypoints(write_alphapose(tmp_path / "a.json", [(ONE, 1)]))
    np.testing.assert_allclose(track.timestamps_s, times_ms / 1000, atol=1e-6)
    assert track.frame_rate_hz == pytest.approx(39 / (times_ms[-1] / 1000))


def test_a_stated_mean_rate_gives_way_to_times_and_another_one_does_not(tmp_path: Path) -> None:
    flash_video(tmp_path / "a.flv", TIMES_MS.tolist())
    mean_hz = (FRAMES - 1) / (TIMES_MS[-1] / 1000)
    for stated_hz, expected_s in ((round(mean_hz, 1), TIMES_MS / 1000), (50.0, np.arange(FRAMES) / 50)):
        np.savez(tmp_path / "a.npz", keypoints=ONE, image_size=SIZE, skeleton="coco17", frame_rate_hz=stated_hz)
        (track,) = read_keypoints(tmp_path / "a.npz")
        np.testing.assert_allclose(track.timestamps_s, expected_s, atol=1e-6)


def test_frames_beyond_the_video_go_on_at_its_rate(tmp_path: Path) -> None:
    flash_video(tmp_path / "a.flv", TIMES_MS[:30].tolist())
    (track,) = read_keypoints(write_alphapose(tmp_path / "a.json", [(ONE, 1)]))
    np.testing.assert_allclose(track.timestamps_s[:30], TIMES_MS[:30] / 1000, atol=1e-6)
    np.testing.assert_allclose(np.diff(track.timestamps_s[29:]), 1 / track.frame_rate_hz)


@pytest.mark.parametrize("turned", [False, True])
def test_coordinates_in_stored_pixels_are_widened(
    tmp_path: Path, turned: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """H.263's pixels are 12:11; programs that write keypoints read the image as it is stored."""
    video = write(tmp_path / "a.3gp", "H263", FRAMES, size=H263_SIZE)
    scale, size = np.array([12 / 11, 1]), (192, 144)
    if turned:
        set_matrix(video, (0, 1, -1, 0))
        scale, size = scale[::-1], size[::-1]
    person = ONE / 2
    path = write_alphapose(tmp_path / "a.json", [(person, 1)])
    (track,) = read_keypoints(path)
    assert track.image_size == size
    np.testing.assert_allclose(track.keypoints_px, person * scale, atol=1e-3)
    assert "pixels are not square" in caplog.text
    (other,) = read_keypoints(path, image_size=size)  # whoever states another size counts in its pixels
    np.testing.assert_allclose(other.keypoints_px, person, atol=1e-3)


def test_fractions_of_the_image_need_no_widening(tmp_path: Path) -> None:
    write(tmp_path / "a.3gp", "H263", FRAMES, size=H263_SIZE)
    landmark = [{"x": 0.5 + 0.01 * joint, "y": 0.25, "z": 0.0, "visibility": 0.9} for joint in range(33)]
    (tmp_path / "a.json").write_text(json.dumps([{"pose_landmarks": [landmark]} for _ in range(FRAMES)]))
    (track,) = read_keypoints(tmp_path / "a.json")
    expected = [[192 * (0.5 + 0.01 * joint), 36] for joint in range(33)]
    np.testing.assert_allclose(track.keypoints_px[0], expected, atol=1e-3)


PROGRAM = """
import os, sys
from sdk.errors import BadKeypoints
from sdk.keypoint_files import read_keypoints
from sdk.keypoint_files.reading import collect_keypoints
try: read_keypoints(os.fsdecode(sys.argv[1]))
except BadKeypoints as error: print(str(error).splitlines()[0])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no such files")
@pytest.mark.parametrize("name", ["a.json", "a.npz", "a.csv", "a.trc", "a.h5"])
def test_what_has_no_end_is_refused_at_once(tmp_path: Path, name: str) -> None:
    subprocess.run(["mkfifo", tmp_path / name], check=True)
    (tmp_path / f"zero_{name}").symlink_to("/dev/zero")
    (tmp_path / "frames").mkdir()
    subprocess.run(["mkfifo", tmp_path / "frames" / "clip_000000000000_keypoints.json"], check=True)
    for path in (tmp_path / name, tmp_path / f"zero_{name}"):
        assert answer(path) == f"{path} is a pipe, device or socket; a regular file is needed.\n"
    assert "is a pipe, device or socket" in answer(tmp_path / "frames")


@pytest.mark.parametrize("source", ["~nouser/a.json", "x" * 5000 + ".json"])
def test_name_that_no_file_can_have(source: str) -> None:
    assert "this machine has no user ~nouser" in (said := answer(source)) or "File name too long" in said


def answer(path: str | Path) -> str:
    done = subprocess.run([sys.executable, "-c", PROGRAM, path], capture_output=True, text=True, timeout=60)
    assert (done.stderr, done.returncode) == ("", 0)
    return done.stdout


def test_the_flash_video_above_reads_as_meant(tmp_path: Path) -> None:
    capture = cv2.VideoCapture(str(flash_video(tmp_path / "a.flv", TIMES_MS.tolist())), cv2.CAP_FFMPEG)
    read = [capture.get(cv2.CAP_PROP_POS_MSEC) for _ in range(FRAMES) if capture.grab()]
    capture.release()
    np.testing.assert_allclose(read, TIMES_MS, atol=1e-6)


RIGHT = {"skeleton": "coco17", "image_size": SIZE, "frame_rate_hz": 25.0}


@pytest.mark.parametrize(
    ("stated", "words"),
    [
        ({}, None),
        ({"frame_rate_hz": 25.02}, None),
        ({"frame_rate_hz": 50.0}, r"50 frames per second are stated, .*a\.mp4, has 25\. .*slow motion.*give --fps 25"),
        ({"frame_rate_hz": 12.5}, r"12\.5 frames per second are stated, .*has 25\. .*every n-th frame.*give --fps 25"),
        ({"frame_rate_hz": 24.0}, r"24 frames per second are stated, but the video beside, a\.mp4, has 25"),
        ({"image_size": (640, 480)}, r"size 640x480 is stated, .*a\.mp4, has 320x240\. .*give --image-size 320 240"),
        ({"image_size": (240, 320)}, r"size 240x320 is stated, .*has 320x240\. .*exchanged\?.*unrotated"),
    ],
)
@pytest.mark.parametrize("by_caller", [False, True])
def test_stated_facts_that_the_video_contradicts(
    tmp_path: Path, stated: dict[str, Any], words: str | None, by_caller: bool
) -> None:
    write(tmp_path / "a.mp4", "mp4v", FRAMES, size=SIZE)
    np.savez(tmp_path / "a.npz", keypoints=ONE / 2, **(RIGHT if by_caller else RIGHT | stated))
    found = collect_keypoints(tmp_path / "a.npz", **(stated if by_caller else {}))
    (track,) = found.tracks
    expected = RIGHT | stated
    assert (track.image_size, track.frame_rate_hz) == (expected["image_size"], expected["frame_rate_hz"])
    notes = [note for note in found.notes if "stated" in note]
    assert len(notes) == (words is not None)
    if words is not None:
        assert re.search(words, notes[0])


def test_keypoints_in_the_unrotated_images_of_a_rotated_video(tmp_path: Path) -> None:
    set_matrix(write(tmp_path / "a.mp4", "mp4v", FRAMES, size=SIZE), (0, 1, -1, 0))
    np.savez(tmp_path / "a.npz", keypoints=ONE, **RIGHT)
    notes = " ".join(collect_keypoints(tmp_path / "a.npz").notes)
    assert re.search(r"size 320x240 is stated, .*a\.mp4, has 240x320\..*unrotated images of a rotated video\?", notes)


@pytest.mark.parametrize("stated", [{}, {"image_size": SIZE, "frame_rate_hz": 25.0}])
def test_more_keypoints_than_the_video_has_frames(tmp_path: Path, stated: dict[str, Any]) -> None:
    write(tmp_path / "a.mp4", "mp4v", FRAMES // 2, size=SIZE)
    for path in (write_alphapose(tmp_path / "a.json", [(ONE, 1)]), write_openpose(tmp_path / "a", [body25(ONE)], "a")):
        notes = " ".join(collect_keypoints(path, **stated).notes)
        assert f"keypoints reach frame {FRAMES - 1}, but the video beside them has {FRAMES // 2} frames" in notes
        assert "--fps" in notes
    write(tmp_path / "a.mp4", "mp4v", FRAMES - 2, size=SIZE)  # programs count differently by a frame or two
    assert "reach frame" not in " ".join(collect_keypoints(tmp_path / "a.json", **stated).notes)


def test_a_video_beside_that_is_none_is_told_and_not_needed(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_text("no video")
    np.savez(tmp_path / "a.npz", keypoints=ONE, **RIGHT)
    notes = " ".join(collect_keypoints(tmp_path / "a.npz").notes)
    assert "size and frame rate are not compared with the video beside" in notes
    assert "a.mp4" in notes


def test_pixels_are_widened_also_where_size_and_rate_are_stated(tmp_path: Path) -> None:
    write(tmp_path / "a.3gp", "H263", FRAMES, size=H263_SIZE)
    path = write_alphapose(tmp_path / "a.json", [(ONE / 2, 1)])
    (track,) = collect_keypoints(path, image_size=H263_SIZE, frame_rate_hz=25.0).tracks
    assert track.image_size == (192, 144)
    np.testing.assert_allclose(track.keypoints_px, ONE / 2 * [12 / 11, 1], atol=1e-3)
