"""Frame rates, lengths and losses of files as cameras, browsers and editors leave them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import cv2
import numpy as np
import pytest

from sdk.video.container import Container, read_container
from sdk.video.frame_times import find_frame_times, video_times
from sdk.video.source import open_video
from tests.sdk.stick_figures import read_index
from tests.sdk.video.video_files import H263_SIZE, browser_recording, damage, flash_video, set_edit, write

JITTER = np.cumsum([0, *np.random.default_rng(0).choice([30, 33, 36], 59)])
SLOWER = np.concatenate([40 * np.arange(30), 1200 + 100 * np.arange(30)])
"""25 frames/s, then 10."""


def read(path: Path) -> tuple[list[int], np.ndarray]:
    """Numbers and times of the frames."""
    with open_video(path) as video:
        frames = [(read_index(frame.image), frame.timestamp_s) for frame in video]
    return [number for number, _ in frames], np.array([time for _, time in frames])


def test_browser_recording_has_the_rate_of_its_timestamps(tmp_path: Path) -> None:
    """FFmpeg takes its time base of a millisecond for 1000 frames/s."""
    path = browser_recording(tmp_path / "a.webm", JITTER.tolist())
    with open_video(path) as video:
        assert video.frame_rate_hz == pytest.approx(59 / (JITTER[-1] / 1000))
        assert video.frame_count == 60
        times = [frame.timestamp_s for frame in video]
        assert (video.truncated, video.damage) == (False, "")
    np.testing.assert_allclose(times, JITTER / 1000, atol=1e-6)
    np.testing.assert_allclose(video_times(path), times, atol=1e-6)


def test_variable_rate_is_no_damage(tmp_path: Path) -> None:
    path = flash_video(tmp_path / "a.flv", SLOWER.tolist())
    with open_video(path) as video:
        assert video.frame_rate_hz == pytest.approx(59 / 4.1)
        times = [frame.timestamp_s for frame in video]
        assert (len(times), video.frame_count, video.truncated, video.damage) == (60, 60, False, "")
    np.testing.assert_allclose(times, SLOWER / 1000, atol=1e-6)
    np.testing.assert_allclose(video_times(path), times, atol=1e-6)


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs ffmpeg")
@pytest.mark.parametrize("name", ["a.ts", "a.wmv", "a.mp4", "a.mkv", "a.m2ts"])
def test_variable_rate_in_other_containers(tmp_path: Path, name: str) -> None:
    write(tmp_path / "all.avi", "MJPG", 100)
    some = [*range(0, 40), *range(40, 100, 3)]
    chosen = "+".join(f"eq(n,{n})" for n in some)
    codec = ["-c:v", "wmv2"] if name.endswith("wmv") else ["-c:v", "mpeg4", "-bf", "2"]
    arguments = ["-i", tmp_path / "all.avi", "-vf", f"select='{chosen}'", "-vsync", "vfr", *codec, tmp_path / name]
    subprocess.run(["ffmpeg", "-v", "error", *arguments], check=True)
    numbers, times = read(tmp_path / name)
    with open_video(tmp_path / name) as video:
        assert video.frame_rate_hz == pytest.approx(59 / (97 / 25), rel=0.03)
        assert sum(1 for _ in video) == 60
        assert (video.truncated, video.damage) == (False, "")
    assert numbers == some
    np.testing.assert_allclose(times, np.array(some) / 25, atol=0.002)
    np.testing.assert_allclose(video_times(tmp_path / name), times, atol=0.002)


def test_trimmed_by_an_edit_list_is_whole(tmp_path: Path) -> None:
    path = set_edit(write(tmp_path / "a.mp4", "mp4v", 60), 0.48, 1.2)
    with open_video(path) as video:
        assert (video.frame_rate_hz, video.frame_count) == (25, 30)
        frames = [(read_index(frame.image), frame.timestamp_s) for frame in video]
        assert (video.truncated, video.damage) == (False, "")
    np.testing.assert_allclose(frames, [(12 + i, i / 25) for i in range(30)], atol=1e-6)


def test_reading_goes_on_behind_damage(tmp_path: Path) -> None:
    path = damage(write(tmp_path / "a.3gp", "H263", 60, size=H263_SIZE), 0.4, 0.1)
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    decodable = [capture.get(cv2.CAP_PROP_POS_MSEC) / 1000 for _ in range(300) if capture.grab()]
    capture.release()
    with open_video(path) as video:
        times = [frame.timestamp_s for frame in video]
    np.testing.assert_allclose(times, decodable, atol=1e-6)
    numbers = np.round(np.array(times) * 25).astype(int).tolist()
    lost = sorted(set(range(60)) - set(numbers))
    assert (numbers[0], numbers[-1]) == (0, 59)
    assert 4 < len(lost) < 15
    assert video.truncated
    assert sum(one.frames for one in video.lost) == len(lost)
    assert video.lost[0].from_s == pytest.approx((lost[0] - 1) / 25)
    assert video.lost[-1].until_s == pytest.approx((lost[-1] + 1) / 25)
    assert video.damage.startswith(f"{len(lost)} of 60 frames could not be read: {len(lost)} between 0.")


class DamagedFragment:
    """OpenCV's packets of a fragmented MP4 of 60 frames: the ten frames of a damaged fragment are errors."""

    def __init__(self, *_: object) -> None:
        self.grabbed = 0

    def isOpened(self) -> bool:
        return True

    def grab(self) -> bool:
        self.grabbed += 1
        return self.grabbed <= 60 and not 20 < self.grabbed <= 30

    def get(self, what: int) -> float:
        return 60.0 if what == cv2.CAP_PROP_FRAME_COUNT else 40.0 * (self.grabbed - 1)

    def release(self) -> None:
        pass


def test_frames_behind_a_damaged_fragment_are_announced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.mp4").touch()
    monkeypatch.setattr(cv2, "VideoCapture", DamagedFragment)
    found = find_frame_times(tmp_path / "a.mp4", Container())
    assert (found.frames, found.complete) == (50, True)
    np.testing.assert_allclose(found.times_s * 25, [*range(20), *range(30, 60)])


@pytest.mark.parametrize(("name", "code"), [("a.avi", "MJPG"), ("a.mkv", "MJPG"), ("a.wmv", "WMV2")])
def test_cut_off_file_says_so(tmp_path: Path, name: str, code: str) -> None:
    path = write(tmp_path / name, code, 60)
    assert read_container(path).missing_bytes == 0
    size = path.stat().st_size
    with path.open("rb+") as file:
        file.truncate(size // 2)
    assert read_container(path).missing_bytes == size - size // 2
    with open_video(path) as video:
        frames = sum(1 for _ in video)
    assert 20 < frames < 40
    assert video.truncated
    assert "the end" in video.damage or "cut off" in video.damage


def test_pause_of_a_camera_is_no_damage(tmp_path: Path) -> None:
    times = np.arange(60) * 40 + np.where(np.arange(60) >= 30, 2000, 0)
    with open_video(flash_video(tmp_path / "a.flv", times.tolist())) as video:
        assert video.frame_rate_hz == 25
        assert sum(1 for _ in video) == 60
    assert not video.truncated
    assert video.damage == "no frames between 1.16 and 3.20 s: the recording paused, or 50 are lost"


def test_bytes_of_any_kind_are_no_error(tmp_path: Path) -> None:
    """Only what is sure is said of a container; whether it can be read, FFmpeg tells."""
    path = write(tmp_path / "a.mp4", "mp4v", 5)
    whole = path.read_bytes()
    random = np.random.default_rng(0)
    head = whole.index(b"moov") - 4
    for _ in range(300):
        data = bytearray(whole)
        for place in random.integers(head, len(data), 8):
            data[place] = random.integers(256)
        path.write_bytes(data)
        times = read_container(path).times_s
        assert times is None or (np.diff(times) > 0).all()
