"""Frames with timestamps from a video file, a folder of images, a camera or a stream."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import numpy as np

from sdk.errors import BadVideo
from sdk.files.addresses import is_address, masked
from sdk.files.input_files import check_regular_file, entries_of, shown, user_path, why_unreadable
from sdk.video.lost_frames import LostFrames, describe
from sdk.video.readers import LEAVE_OUT, CaptureReader, FolderReader, Reader
from sdk.video.reconnection import ReconnectingReader, Reconnection

VIDEO_SUFFIXES = (
    *(".mp4", ".mov", ".avi", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg", ".wmv", ".ts", ".mts", ".m2ts", ".3gp", ".3g2"),
    *(".flv", ".f4v", ".gif", ".lrv", ".asf", ".vob", ".ogv", ".mxf", ".qt", ".divx", ".m2v", ".mod", ".tod", ".dv"),
)
IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp")
DEFAULT_FRAME_RATE_HZ = 25.0
"""Nominal rate of cameras and pushed images. Their frames' times come from the clock or the caller."""
_LIKE_IMAGES = (".gif",)
"""Suffixes of videos that can also be images in a folder."""


@dataclass(frozen=True)
class VideoFrame:
    """One frame of a video.

    Attributes:
        index: Position in the source, from 0.
        timestamp_s: Seconds, strictly increasing: presentation time for recordings, `time.monotonic()` on arrival for
            cameras and live streams.
        image: (H, W, 3) uint8 BGR.
        after_gap: A live source was lost and came back before this frame.
    """

    index: int
    timestamp_s: float
    image: np.ndarray
    after_gap: bool = False


class VideoSource:
    """An open video. Iterate over it once, and close it (or use it as a context manager). It holds at most one frame.

    Attributes:
        name: File or folder name, address without its secrets, or `camera 0`. It can always be printed.
        image_size: Width and height of the first decoded frame in pixels, upright and with square pixels.
        widened: Width and height of a stored pixel, relative to the pixels of `image_size`: (1, 1) if square.
        stored_size: Width and height in stored pixels, upright, as in programs that take all pixels as square.
        frame_rate_hz: Frame rate. Files: from their timestamps, else as stated. Image folders and unknown rates: the
            given rate.
        frame_count: Announced number of frames; None for cameras and live streams.
        live: Whether frames arrive in real time and can't be read again.
        lost: After iteration: announced frames that could not be read, and pauses in an otherwise constant frame rate;
            see `LostFrames`.
        truncated: After iteration: whether fewer frames could be decoded than were announced.
        damage: After iteration: `lost` as a sentence for people; empty if nothing is lost.
    """

    def __init__(self, name: str, reader: Reader, frame_rate_hz: float | None) -> None:
        """Take an open reader (use `open_video`).

        Raises:
            BadVideo: there is no first frame, or no frame rate: a recording does not state it, and the caller neither.
        """
        self.name = name
        self.live = reader.live
        self.frame_count = reader.frame_count
        self.frame_rate_hz = reader.frame_rate_hz or frame_rate_hz or (DEFAULT_FRAME_RATE_HZ if reader.live else 0.0)
        self.lost: tuple[LostFrames, ...] = ()
        self.damage = ""
        self._reader = reader
        self._started = False
        self._closed = False
        try:
            self._first = reader.read()
            if self._first is None:
                raise BadVideo(f"{name} opens, but no frame of it can be decoded. Check the file, or convert it again.")
            if not self.frame_rate_hz:
                raise BadVideo(f"{name} does not state its frame rate. State it: fps=25.0, or --fps 25.")
        except BaseException:
            reader.close()
            raise
        height, width = self._first[0].shape[:2]
        self.image_size: tuple[int, int] = (width, height)
        self.widened = reader.widened
        self.stored_size = (round(width / self.widened[0]), round(height / self.widened[1]))

    @property
    def truncated(self) -> bool:
        """After iteration: whether fewer frames could be decoded than were announced."""
        return any(one.certain for one in self.lost)

    @property
    def interruptions(self) -> int:
        """How often a live source was lost and came back so far."""
        return self._reader.interruptions

    def __iter__(self) -> Iterator[VideoFrame]:
        return self._of_one_size(self.frames())

    def _of_one_size(self, images: Iterator[VideoFrame]) -> Iterator[VideoFrame]:
        for frame in images:
            if frame.image.shape[1::-1] != self.image_size:
                raise BadVideo(
                    f"{self.name}: frame {frame.index} is {frame.image.shape[1]}x{frame.image.shape[0]} pixels, the "
                    f"first was {self.image_size[0]}x{self.image_size[1]}. All frames of a source must have one size."
                )
            yield frame
            del frame  # the caller's is the only reference while the next one is decoded

    def frames(self) -> Iterator[VideoFrame]:
        """Iterate over frames of any size. (Iterating over the source itself expects one size; cameras may change it.)

        Raises:
            BadVideo: the source was already read or closed.
        """
        if self._started or self._closed:
            raise BadVideo(f"{self.name} was already read or closed; open it again with open_video to read it anew.")
        self._started = True
        return self._read()

    def pictures(self) -> Iterator[VideoFrame]:
        """The older name of `frames`."""
        return self.frames()

    def _read(self) -> Iterator[VideoFrame]:
        timed, self._first = self._first, None
        index, last_s, interruptions = 0, -np.inf, 0
        while timed is not None:
            image, stated_s = timed
            timestamp_s = stated_s if stated_s is not None and stated_s >= 0 else index / self.frame_rate_hz
            if timestamp_s <= last_s:  # containers with broken or missing timestamps
                timestamp_s = max(last_s + 1 / self.frame_rate_hz, index / self.frame_rate_hz)
            yield VideoFrame(index, timestamp_s, image, after_gap=self.interruptions > interruptions)
            interruptions = self.interruptions
            index, last_s = index + 1, timestamp_s
            del image, timed  # the caller's is the only reference while the next one is decoded
            timed = None if self._closed else self._reader.read()
        if not self._closed:
            self.lost = self._reader.lost_frames()
            self.damage = describe(self.lost, index)
        self.close()

    def close(self) -> None:
        """Release the file or camera. Iteration ends. Closing twice does no harm."""
        if not self._closed:
            self._closed = True
            self._first = None
            self._reader.close()

    def __enter__(self) -> VideoSource:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_video(
    source: str | Path | int,
    *,
    fps: float | None = None,
    reconnection: Reconnection | None = None,
) -> VideoSource:
    """Open a source of frames.

    Args:
        source: A video file; a folder of images, read in the natural order of their names (`2.jpg` before `10.jpg`);
            the index of a camera (0 or "0") or its device file; or an address (rtsp://, http://, ...).
        fps: Frame rate of an image folder, and of a video file that does not state its own; these need it. A camera
            that does not state its rate counts as 25 Hz, its frames' times come from the clock.
        reconnection: How to open a camera or live stream again after it is lost; None ends the source there.

    Raises:
        BadVideo: the source is missing, can't be opened, has no frame, or no frame rate.
    """
    if fps is not None and not (fps > 0 and np.isfinite(fps)):
        raise BadVideo(f"fps must be a positive number of frames per second, not {fps!r}.")
    if isinstance(source, int) or (isinstance(source, str) and source.isdecimal()):
        return _camera(source, fps, reconnection)
    if isinstance(source, str) and is_address(source):
        # An address without a frame count is a live stream; a file on a web server announces one.
        return _capture(source, masked(source), None, fps, reconnection)
    path = user_path(source, BadVideo)
    if path.is_dir():
        return VideoSource(shown(path.name or path), FolderReader(_images(path)), fps)
    if path.is_char_device():
        return _capture(str(path), str(path), True, fps, reconnection)
    check_regular_file(path, BadVideo)
    if not path.exists():
        raise BadVideo(f"{masked(shown(path))}: no such file or folder. {_OTHERS}")
    return VideoSource(shown(path.name), CaptureReader(path, shown(path), live=False), fps)


def _camera(source: str | int, fps: float | None, reconnection: Reconnection | None) -> VideoSource:
    if isinstance(source, str) and user_path(source, BadVideo).exists():
        raise BadVideo(
            f"{source} is a camera's index, and there is a file or folder of this name here. Write ./{source} for the "
            "file or folder; for the camera, name its device (/dev/video0), or work in another folder."
        )
    index = int(source)
    if index < 0:
        raise BadVideo(f"camera index {index} is negative; the first camera is 0.")
    if index > _LAST_CAMERA:
        raise BadVideo(f"there is no camera {index}; the first camera is 0. {_OTHERS}")
    return _capture(index, f"camera {index}", True, fps, reconnection)


_LAST_CAMERA = 99
"""Highest camera index. In OpenCV, numbers from a hundred on mean how to open a camera; nobody has so many cameras."""


def _capture(
    source: str | int, name: str, live: bool | None, fps: float | None, reconnection: Reconnection | None
) -> VideoSource:
    def reopen() -> Reader:
        return CaptureReader(source, name, live=live)

    reader: Reader = reopen()
    if reader.live and reconnection is not None:
        reader = ReconnectingReader(reader, reopen, name, reconnection)
    return VideoSource(name, reader, fps)


_OTHERS = "A source is a video file, a folder of images, a camera index such as 0, or an address such as rtsp://..."


def find_videos(folder: str | Path) -> list[Path]:
    """The video files in a folder (not in its sub-folders), in the natural order of their names; may be empty.

    What only has the name of a video (a pipe, a link to nothing) is listed too: `open_video` says what it is.

    Raises:
        BadVideo: there is no such folder, or it can't be read.
    """
    folder = user_path(folder, BadVideo)
    if not folder.is_dir():
        raise BadVideo(f"{shown(folder)}: no such folder.")
    return _with_suffix(folder, VIDEO_SUFFIXES)


def _images(folder: Path) -> list[Path]:
    images, videos = _with_suffix(folder, IMAGE_SUFFIXES, folders=True), _with_suffix(folder, VIDEO_SUFFIXES)
    if images:
        videos = [path for path in videos if path.suffix.lower() not in _LIKE_IMAGES]
    if videos:
        raise BadVideo(
            f"{shown(folder)} holds {len(videos)} videos ({shown(videos[0].name)}, ...): name one, or a folder of "
            "images."
        )
    if not images:
        raise BadVideo(f"{shown(folder)}: no images ({', '.join(IMAGE_SUFFIXES)}) in this folder. {_OTHERS}")
    for path in images:
        if kind := why_unreadable(path):
            raise BadVideo(f"{shown(path)} is no image but {kind}. {LEAVE_OUT}")
    return images


def _with_suffix(folder: Path, suffixes: tuple[str, ...], *, folders: bool = False) -> list[Path]:
    """What is named so, in natural order; folders of such a name only if they are asked for."""

    def natural(path: Path) -> list[tuple[int, str]]:
        return [(int(part), "") if part.isdecimal() else (0, part) for part in re.split(r"(\d+)", path.name.lower())]

    entries = entries_of(folder, BadVideo)
    found = (path for path in entries if path.suffix.lower() in suffixes and not path.name.startswith("."))
    return sorted((path for path in found if folders or not path.is_dir()), key=natural)
