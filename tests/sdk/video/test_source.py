"""Sources give every image once, in order, with times that go forward; bad ones say what is wrong."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import weakref
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from sdk.errors import BadVideo
from sdk.video.lost_frames import LostFrames
from sdk.video.readers import pixel_aspect
from sdk.video.source import VideoSource, find_videos, open_video
from tests.sdk.stick_figures import SIZE, read_index, render, write_video
from tests.sdk.video.video_files import H263_SIZE, set_matrix, write


class ListReader:
    """A reader of given images and times."""

    frame_rate_hz = None
    interruptions = 0
    widened = (1.0, 1.0)

    def __init__(self, images: list[tuple[np.ndarray, float | None]], live: bool = False) -> None:
        self.live = live
        self.frame_count = None if live else len(images)
        self.closed = False
        self._pictures = iter(images)

    def read(self) -> tuple[np.ndarray, float | None] | None:
        return next(self._pictures, None)

    def lost_frames(self) -> tuple[LostFrames, ...]:
        return ()

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


def test_only_one_image_is_held(tmp_path: Path) -> None:
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
    images = [*black([None, None]), (np.zeros((8, 6, 3), np.uint8), None)]
    with pytest.raises(BadVideo, match="frame 2 is 6x8 pixels, the first was 6x4"):
        list(VideoSource("list", ListReader(images), 25.0))


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
        open_video(tmp_path, fps=25.0)
    write_video(tmp_path / "a.mp4", [()])
    with pytest.raises(BadVideo, match=r"holds 1 videos \(a.mp4, ...\): name one"):
        open_video(tmp_path, fps=25.0)


def test_folder_with_a_damaged_image(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "1.png"), render(1, []))
    (tmp_path / "2.png").write_bytes(b"no image")
    (tmp_path / "3.png").touch()
    with pytest.raises(BadVideo, match=r"2.png is not a readable image"):
        list(open_video(tmp_path, fps=25.0))


@pytest.mark.parametrize("fps", [0, -1, float("nan")])
def test_frame_rate_that_is_none(tmp_path: Path, fps: float) -> None:
    with pytest.raises(BadVideo, match="fps must be a positive number"):
        open_video(tmp_path, fps=fps)


def test_path_of_digits_is_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "2024").mkdir()
    cv2.imwrite(str(tmp_path / "2024" / "1.png"), render(7, []))
    monkeypatch.chdir(tmp_path)
    for source in (Path("2024"), "./2024"):
        with open_video(source, fps=25.0) as video:
            assert [read_index(frame.image) for frame in video] == [7]
    with pytest.raises(BadVideo, match=r"2024.*Write \./2024 for the file or folder"):
        open_video("2024")
    with pytest.raises(BadVideo, match="there is no camera 2025; the first camera is 0"):
        open_video("2025")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("~nouser/x.mp4", "this machine has no user ~nouser"),
        ("x" * 5000, r"xxx\.\.\.xxx.* can't be a file's name: File name too long"),
        ("7" * 5000, r"777\.\.\.777.* can't be a file's name: File name too long"),
        ("a\0b.mp4", "can't be a file's name"),
    ],
)
def test_name_that_no_file_can_have(source: str, message: str) -> None:
    with pytest.raises(BadVideo, match=message) as caught:
        open_video(source)
    assert len(str(caught.value)) < 600


def test_pipe_is_no_video(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.mp4")
    with pytest.raises(BadVideo, match=r"a.mp4 is a pipe, device or socket; a regular file is needed"):
        open_video(tmp_path / "a.mp4")


@pytest.mark.skipif(sys.platform == "win32", reason="no pipes and few links there")
@pytest.mark.parametrize(
    ("kind", "why"), [("pipe", "a pipe, device or socket"), ("dead", "a link to nothing"), ("folder", "a folder")]
)
def test_what_is_no_file_among_images_is_named_at_once(tmp_path: Path, kind: str, why: str) -> None:
    for index in range(3):
        cv2.imwrite(str(tmp_path / f"{index}.png"), np.full((8, 8, 3), index, np.uint8))
    odd = tmp_path / "1b.png"
    {"pipe": lambda: os.mkfifo(odd), "dead": lambda: odd.symlink_to("nowhere"), "folder": odd.mkdir}[kind]()
    with pytest.raises(BadVideo, match=rf"1b\.png is no image but {why}\. Remove it from the folder"):
        open_video(tmp_path, fps=25.0)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_name_that_is_no_utf8(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9.mp4")
    write_video(tmp_path / "a.mp4", [()] * 5)
    (tmp_path / "a.mp4").rename(tmp_path / name)
    program = "import os, sys, sdk\nwith sdk.open_video(os.fsdecode(sys.argv[1])) as v: print(v.name, len(list(v)))"
    done = subprocess.run([sys.executable, "-c", program, tmp_path / name], capture_output=True, text=True)
    assert (done.stdout, done.stderr, done.returncode) == ("caf\\xe9.mp4 5\n", "", 0)


def test_image_of_more_pixels_than_opencv_takes(tmp_path: Path) -> None:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 33_000, 33_000, 1, 0, 0, 0, 0))
    (tmp_path / "1.png").write_bytes(b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(100))))
    with pytest.raises(BadVideo, match=r"1.png can't be read as an image: .*Remove it from the folder"):
        open_video(tmp_path, fps=25.0)


def test_find_videos(tmp_path: Path) -> None:
    for name in ("b10.mp4", "b2.MOV", "a.avi", "._a.avi", "notes.txt", "c.MTS", "d.m2ts", "e.3gp", "f.flv", "g.gif"):
        (tmp_path / name).touch()
    (tmp_path / "folder.mp4").mkdir()
    (tmp_path / "h.mp4").symlink_to("nowhere")  # open_video says what it is
    assert [path.name for path in find_videos(tmp_path)] == [
        *("a.avi", "b2.MOV", "b10.mp4", "c.MTS", "d.m2ts", "e.3gp", "f.flv", "g.gif", "h.mp4"),
    ]
    with pytest.raises(BadVideo, match=r"missing: no such folder"):
        find_videos(tmp_path / "missing")


@pytest.mark.parametrize(("clockwise", "turns"), [(90, -1), (270, 1)])
def test_rotation_of_the_container_is_applied(tmp_path: Path, clockwise: int, turns: int) -> None:
    write_video(tmp_path / "a.mp4", [()] * 5)
    set_matrix(tmp_path / "a.mp4", {90: (0, 1, -1, 0), 270: (0, -1, 1, 0)}[clockwise])
    with open_video(tmp_path / "a.mp4") as turned:
        assert turned.image_size == (SIZE[1], SIZE[0])
        for frame in turned:
            assert read_index(np.rot90(frame.image, -turns)) == frame.index


@pytest.mark.parametrize("matrix", [(-1, 0, 0, 1), (1, 0, 0, -1), (0, 1, 1, 0), (0, -1, -1, 0)])
def test_mirroring_of_the_container_is_applied(tmp_path: Path, matrix: tuple[int, int, int, int]) -> None:
    write_video(tmp_path / "a.mp4", [()] * 5)
    with open_video(tmp_path / "a.mp4") as plain:
        stored = [frame.image for frame in plain]
    set_matrix(tmp_path / "a.mp4", matrix)
    with open_video(tmp_path / "a.mp4") as mirrored:
        shown = [frame.image for frame in mirrored]
    # ISO/IEC 14496-12, 6.2.2: a pixel at x, y is shown at a x + c y, b x + d y.
    a, b, c, d = matrix
    height, width = stored[0].shape[:2]
    y, x = np.mgrid[:height, :width]
    to_x, to_y = a * x + c * y, b * x + d * y
    assert len(shown) == len(stored) == 5
    for before, after in zip(stored, shown, strict=True):
        np.testing.assert_array_equal(after[to_y - to_y.min(), to_x - to_x.min()], before)


def test_pixels_become_square(tmp_path: Path) -> None:
    """H.263 images of 176x144 have pixels of 12:11."""
    video = write(tmp_path / "a.3gp", "H263", 5, size=H263_SIZE)
    with open_video(video) as widened:
        assert widened.image_size == (192, 144)
        assert [frame.image.shape for frame in widened] == [(144, 192, 3)] * 5
    set_matrix(video, (0, 1, -1, 0))
    with open_video(video) as turned:
        assert turned.image_size == (144, 192)
        assert [frame.image.shape for frame in turned] == [(192, 144, 3)] * 5


@pytest.mark.parametrize(("width", "height"), [(65535, 1), (1, 65535)])
def test_pixels_that_no_camera_has(width: float, height: float) -> None:
    with pytest.raises(BadVideo, match="No camera has such pixels"):
        pixel_aspect("a.mp4", width, height)
    assert pixel_aspect("a.mp4", 0, 1) == 1


def test_a_folder_of_images_has_no_frame_rate_of_its_own(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "1.png"), np.zeros((20, 30, 3), np.uint8))
    with pytest.raises(BadVideo, match=r"does not state its frame rate\. State it: fps=25\.0, or --fps 25"):
        open_video(tmp_path)
    with open_video(tmp_path, fps=50.0) as source:
        assert source.frame_rate_hz == 50.0


def test_frames_were_called_pictures(tmp_path: Path) -> None:
    write(tmp_path / "a.avi", "MJPG", 3)
    with open_video(tmp_path / "a.avi") as old, open_video(tmp_path / "a.avi") as new:
        for before, now in zip(old.pictures(), new.frames(), strict=True):
            np.testing.assert_array_equal(before.image, now.image)
            assert before.timestamp_s == now.timestamp_s
