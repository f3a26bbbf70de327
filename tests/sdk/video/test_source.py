"""Sources give every picture once, in order, with times that go forward; bad ones say what is wrong."""

from __future__ import annotations

import struct
import subprocess
import sys
import weakref
from pathlib import Path

import cv2
import numpy as np
import pytest

from sdk.errors import BadVideo
from sdk.video.source import VideoSource, find_videos, open_video
from tests.sdk.stick_figures import SIZE, read_index, render, write_video


class ListReader:
    """A reader of given pictures and times."""

    frame_rate_hz = None
    interruptions = 0

    def __init__(self, pictures: list[tuple[np.ndarray, float | None]], live: bool = False) -> None:
        self.live = live
        self.frame_count = None if live else len(pictures)
        self.closed = False
        self._pictures = iter(pictures)

    def read(self) -> tuple[np.ndarray, float | None] | None:
        return next(self._pictures, None)

    def close(self) -> None:
        self.closed = True


def black(times: list[float | None]) -> list[tuple[np.ndarray, float | None]]:
    return [(np.zeros((4, 6, 3), np.uint8), t) for t in times]


@pytest.mark.parametrize("fps", [25.0, 30.0])
def test_file_gives_every_frame_in_order(tmp_path: Path, fps: float) -> None:
    write_video(tmp_path / "a.mp4", [()] * 40, fps)
    with open_video(tmp_path / "a.mp4") as video:
        assert (video.name, video.image_size, video.frame_rate_hz, video.frame_count) == ("a.mp4", SIZE, fps, 40)
        frames = [(f.index, read_index(f.image), f.timestamp_s) for f in video]
        assert not video.truncated
        assert not video.live
    assert [f[:2] for f in frames] == [(i, i) for i in range(40)]
    np.testing.assert_allclose([f[2] for f in frames], np.arange(40) / fps, atol=1e-6)


def test_folder_of_images_is_read_in_natural_order(tmp_path: Path) -> None:
    for index in range(12):
        cv2.imwrite(str(tmp_path / f"frame_{index}.png"), render(index, []))
    (tmp_path / "notes.txt").write_text("not an image")
    with open_video(tmp_path, fps=10) as video:
        assert (video.name, video.image_size, video.frame_rate_hz, video.frame_count) == (tmp_path.name, SIZE, 10, 12)
        assert [(read_index(f.image), f.timestamp_s) for f in video] == [(i, i / 10) for i in range(12)]


def test_only_one_picture_is_held(tmp_path: Path) -> None:
    write_video(tmp_path / "a.mp4", [()] * 10)
    alive: list[weakref.ref[np.ndarray]] = []
    with open_video(tmp_path / "a.mp4") as video:
        for frame in video:
            alive.append(weakref.ref(frame.image))
            del frame
            assert sum(ref() is not None for ref in alive) <= 1


def test_cut_off_video_gives_what_is_there_and_says_so(tmp_path: Path) -> None:
    writer = cv2.VideoWriter(str(tmp_path / "a.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 25, SIZE)
    for index in range(60):
        writer.write(render(index, []))
    writer.release()
    whole = (tmp_path / "a.avi").read_bytes()
    (tmp_path / "cut.avi").write_bytes(whole[: len(whole) // 2])
    video = open_video(tmp_path / "cut.avi")
    assert not video.truncated
    indices = [read_index(f.image) for f in video]
    assert video.truncated
    assert 20 < len(indices) < 40
    assert indices == list(range(len(indices)))


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ([0.0, 0.05, 0.2], [0.0, 0.05, 0.2]),
        ([None, None, None], [0.0, 0.1, 0.2]),
        ([0.0, 0.0, 0.0], [0.0, 0.1, 0.2]),
        ([-5.0, -4.9, -4.8], [0.0, 0.1, 0.2]),
        ([0.0, 0.3, 0.1, 0.6], [0.0, 0.3, 0.4, 0.6]),
    ],
)
def test_times_always_go_forward(times: list[float | None], expected: list[float]) -> None:
    video = VideoSource("list", ListReader(black(times)), 10.0)
    np.testing.assert_allclose([f.timestamp_s for f in video], expected)


def test_live_source_keeps_the_times_of_arrival() -> None:
    video = VideoSource("camera", ListReader(black([1000.5, 1000.7]), live=True), 25.0)
    assert (video.live, video.frame_count) == (True, None)
    assert [f.timestamp_s for f in video] == [1000.5, 1000.7]
    assert not video.truncated


def test_source_is_read_once_and_closed_at_its_end() -> None:
    reader = ListReader(black([None, None]))
    video = VideoSource("list", reader, 25.0)
    assert len(list(video)) == 2
    assert reader.closed
    with pytest.raises(BadVideo, match="list was already read or closed; open it again"):
        list(video)


def test_close_ends_the_iteration() -> None:
    video = VideoSource("list", ListReader(black([None] * 5)), 25.0)
    seen = 0
    for _ in video:
        seen += 1
        video.close()
    assert seen == 1
    assert not video.truncated


def test_change_of_size_is_an_error() -> None:
    pictures = [*black([None, None]), (np.zeros((8, 6, 3), np.uint8), None)]
    with pytest.raises(BadVideo, match="frame 2 is 6x8 pixels, the first was 6x4"):
        list(VideoSource("list", ListReader(pictures), 25.0))


def test_text_file_named_mp4(tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("this is no video\n" * 100)
    with pytest.raises(BadVideo, match=r"text.mp4 can't be opened: it is not a video that FFmpeg can read"):
        open_video(tmp_path / "text.mp4")


def test_nothing_but_the_error_is_printed(tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("this is no video\n" * 100)
    program = "import sys, sdk\ntry: sdk.open_video(sys.argv[1])\nexcept sdk.BadVideo: print('bad')"
    done = subprocess.run([sys.executable, "-c", program, tmp_path / "text.mp4"], capture_output=True, text=True)
    assert (done.stdout, done.stderr, done.returncode) == ("bad\n", "", 0)


def test_opencv_5_is_kept_silent_too(tmp_path: Path) -> None:
    """It has its log level in `cv2.utils.logging` only; a plain `pip install .` brings it."""
    (tmp_path / "text.mp4").write_text("this is no video\n" * 100)
    program = """
import sys, types, cv2, sdk
if hasattr(cv2, "getLogLevel"):
    cv2.utils.logging = types.SimpleNamespace(getLogLevel=cv2.getLogLevel, setLogLevel=cv2.setLogLevel)
    del cv2.getLogLevel, cv2.setLogLevel
cv2.utils.logging.setLogLevel(3)
try: sdk.open_video(sys.argv[1])
except sdk.BadVideo: print("bad", cv2.utils.logging.getLogLevel())
"""
    done = subprocess.run([sys.executable, "-c", program, tmp_path / "text.mp4"], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("bad 3\n", "")


def test_empty_file(tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").touch()
    with pytest.raises(BadVideo, match=r"empty.mp4 can't be opened"):
        open_video(tmp_path / "empty.mp4")


def test_video_without_frames(tmp_path: Path) -> None:
    cv2.VideoWriter(str(tmp_path / "none.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 25, SIZE).release()
    with pytest.raises(BadVideo, match=r"none.avi (can't be opened|opens, but no frame)"):
        open_video(tmp_path / "none.avi")
    reader = ListReader([])
    with pytest.raises(BadVideo, match="list opens, but no frame of it can be decoded"):
        VideoSource("list", reader, 25.0)
    assert reader.closed


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("missing.mp4", "missing.mp4: no such file or folder. A source is a video file"),
        (63, "camera 63 can't be opened: there is no such camera"),
        ("63", "camera 63 can't be opened"),
        (-1, "camera index -1 is negative"),
        ("rtsp://127.0.0.1:9/none", "rtsp://127.0.0.1:9/none can't be opened: no video answers"),
        ("http://127.0.0.1:9/none.mp4", "http://127.0.0.1:9/none.mp4 can't be opened: no video answers"),
    ],
)
def test_source_that_is_not_there(source: str | int, message: str) -> None:
    with pytest.raises(BadVideo, match=message):
        open_video(source)


def test_folder_without_images(tmp_path: Path) -> None:
    with pytest.raises(BadVideo, match=r"no images \(.jpg, .jpeg, .png"):
        open_video(tmp_path)
    write_video(tmp_path / "a.mp4", [()])
    with pytest.raises(BadVideo, match=r"holds 1 videos \(a.mp4, ...\): name one"):
        open_video(tmp_path)


def test_folder_with_a_damaged_image(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "1.png"), render(1, []))
    (tmp_path / "2.png").write_bytes(b"no image")
    (tmp_path / "3.png").touch()
    with pytest.raises(BadVideo, match=r"2.png is not a readable image"):
        list(open_video(tmp_path))


@pytest.mark.parametrize("fps", [0, -1, float("nan")])
def test_frame_rate_that_is_none(tmp_path: Path, fps: float) -> None:
    with pytest.raises(BadVideo, match="fps must be a positive number"):
        open_video(tmp_path, fps=fps)


def test_find_videos(tmp_path: Path) -> None:
    for name in ("b10.mp4", "b2.MOV", "a.avi", "._a.avi", "notes.txt"):
        (tmp_path / name).touch()
    (tmp_path / "folder.mp4").mkdir()
    assert [path.name for path in find_videos(tmp_path)] == ["a.avi", "b2.MOV", "b10.mp4"]
    with pytest.raises(BadVideo, match=r"missing: no such folder"):
        find_videos(tmp_path / "missing")


@pytest.mark.parametrize(("clockwise", "turns"), [(90, -1), (270, 1)])
def test_rotation_of_the_container_is_applied(tmp_path: Path, clockwise: int, turns: int) -> None:
    write_video(tmp_path / "a.mp4", [()] * 5)
    data = bytearray((tmp_path / "a.mp4").read_bytes())
    one, minus_one = struct.pack(">i", 0x10000), struct.pack(">i", -0x10000)
    a_b_c_d = {90: (bytes(4), one, minus_one, bytes(4)), 270: (bytes(4), minus_one, one, bytes(4))}[clockwise]
    matrix = data.index(b"tkhd") + 4 + 40  # ISO 14496-12, track header box
    for place, value in zip((0, 4, 12, 16), a_b_c_d, strict=True):
        data[matrix + place : matrix + place + 4] = value
    (tmp_path / "turned.mp4").write_bytes(data)
    with open_video(tmp_path / "turned.mp4") as turned:
        assert turned.image_size == (SIZE[1], SIZE[0])
        for frame in turned:
            assert read_index(np.rot90(frame.image, -turns)) == frame.index
