"""Keypoints beside a video: its times, and its pixels that are not square."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from sdk.keypoint_files import read_keypoints
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
