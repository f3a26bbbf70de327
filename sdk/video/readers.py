"""Readers of images: what OpenCV can capture (files, cameras, addresses), and folders of images."""

from __future__ import annotations

import threading
import time
from array import array
from contextlib import nullcontext
from pathlib import Path
from typing import Protocol

import numpy as np

from sdk.errors import BadVideo
from sdk.files.input_files import readable_name, shown
from sdk.runtime.threads import thread_limit
from sdk.video.container import Container, read_container
from sdk.video.frame_times import HIGHEST_FRAME_RATE_HZ, FrameTimes, find_frame_times
from sdk.video.lost_frames import LostFrames, find_lost_frames
from sdk.video.opencv_log import silence

OPEN_TIMEOUT_MS = 10_000
"""Longest time that an address may take to answer."""
READ_TIMEOUT_MS = 3_000
"""An address that sends no image for this long is lost."""

TimedImage = tuple[np.ndarray, "float | None"]
"""An image (H, W, 3) uint8 BGR and its time in seconds: time of arrival if live, else the container's, or None."""


class Reader(Protocol):
    """An open source of images.

    Attributes:
        live: Whether images arrive in real time.
        frame_count: Number of frames that the source states, or None.
        frame_rate_hz: Frames per second that the source states, or None.
        interruptions: How often the source was lost and came back.
        widened: Width and height of a stored pixel, in pixels of the images.
    """

    interruptions: int
    widened: tuple[float, float]
    live: bool
    frame_count: int | None
    frame_rate_hz: float | None

    def read(self) -> TimedImage | None:
        """The next image, None at the end."""

    def lost_frames(self) -> tuple[LostFrames, ...]:
        """The frames that were announced but could not be read. Known after the end."""

    def close(self) -> None:
        """Release the source. Another thread may be reading; its `read` then soon returns None."""


class CaptureReader:
    """A file, camera or address through OpenCV. Images are upright, with square pixels, as the container states.

    Attributes:
        frame_rate_hz: For a file, from its timestamps (`FrameTimes.frame_rate_hz`). Else as the source states.
    """

    interruptions = 0

    def __init__(self, source: str | int | Path, name: str, *, live: bool | None) -> None:
        """Open the source. Raises BadVideo if that fails.

        Args:
            source: Address, camera index or device file; a video file as a Path.
            name: For the error message.
            live: True for cameras, False for files. None for addresses: live if the source states no frame count.
        """
        import cv2

        self._container = read_container(source) if isinstance(source, Path) else Container()
        with readable_name(Path(source)) if isinstance(source, Path) else nullcontext(source) as readable, silence():
            if live:
                self._capture = cv2.VideoCapture(source if isinstance(source, int) else str(readable))
            else:
                # FFmpeg only: OpenCV's other backends read a numbered file as an image sequence.
                timeouts = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, OPEN_TIMEOUT_MS]
                timeouts += [cv2.CAP_PROP_READ_TIMEOUT_MSEC, READ_TIMEOUT_MS]
                threads = [cv2.CAP_PROP_N_THREADS, thread_limit()] if thread_limit() else []
                self._capture = cv2.VideoCapture(str(readable), cv2.CAP_FFMPEG, timeouts + threads)
        if not self._capture.isOpened():
            raise BadVideo(f"{name} can't be opened: {_REASONS[live]}")
        frames, stated_hz = self._capture.get(cv2.CAP_PROP_FRAME_COUNT), self._capture.get(cv2.CAP_PROP_FPS)
        counted = 0 < frames < 1e9
        self.live: bool = not counted if live is None else live
        self._times: FrameTimes | None = None
        self._end_s = frames / stated_hz if counted and stated_hz > 0 else None
        self.frame_count: int | None = int(frames) if counted and not self.live else None
        self.frame_rate_hz: float | None = float(stated_hz) if 0 < stated_hz <= HIGHEST_FRAME_RATE_HZ else None
        if isinstance(source, Path):
            self._times = times = find_frame_times(source, self._container)
            self.frame_rate_hz = times.frame_rate_hz(stated_hz)
            if times.complete and not (counted and self._container.counts_frames):
                self.frame_count = times.frames
        self.widened: tuple[float, float] = (1.0, 1.0)
        if self.live:
            self._capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)  # no queue of old images, if the driver can
        else:
            # Off by default in OpenCV 4.11: a phone's portrait video would lie on its side.
            self._capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 0 if self._container.mirrored else 1)
            turned = self._container.turns or self._capture.get(cv2.CAP_PROP_ORIENTATION_META) in (90, 270)
            sar = self._capture.get(cv2.CAP_PROP_SAR_NUM), self._capture.get(cv2.CAP_PROP_SAR_DEN)
            aspect = pixel_aspect(name, *sar)
            self.widened = (1.0, aspect) if turned else (aspect, 1.0)
        self._position_ms = cv2.CAP_PROP_POS_MSEC
        self._read_s, self._failures = array("d"), list[tuple[int, int]]()
        self._failed = 0
        self._reading = threading.Lock()
        self._closed = False

    def read(self) -> TimedImage | None:
        """The next image, None at the end."""
        with self._reading:
            image = None if self._closed else self._read()
        if self._closed:
            self._release_if_free()
        return image

    def seek(self, time_s: float) -> None:
        """Continue with the frame at that time or a little before, if the container can."""
        with self._reading:
            self._capture.set(self._position_ms, 1000 * time_s)

    def _read(self) -> TimedImage | None:
        image = self._decode()
        if image is None:
            return None
        if self.live:
            return image, time.monotonic()
        position_s = self._capture.get(self._position_ms) / 1000
        self._read_s.append(position_s)
        return self._shown(image), position_s if np.isfinite(position_s) else None

    def _decode(self) -> np.ndarray | None:
        """The next image that can be decoded. Damaged frames are passed over while more may follow."""
        failures = 0
        while not self._closed:
            began = time.monotonic()
            decoded, image = self._capture.read()
            if decoded and image is not None:
                if failures:
                    self._failures.append((len(self._read_s), failures))
                    self._failed += failures
                return image
            failures += 1
            # An address that has ended or is lost waits for its timeout at every call.
            lost = self._times is None and time.monotonic() - began > _SLOW_FAILURE_S
            if self.live or lost or failures > self._patience():
                return None
        return None

    def _patience(self) -> int:
        """How many failures in a row are allowed before the announced end. A frame has one or two packets."""
        left = (self.frame_count or 0) - len(self._read_s) - self._failed
        return min(2 * max(0, left), _MOST_FAILURES) + 2

    def _shown(self, image: np.ndarray) -> np.ndarray:
        """The image upright and with square pixels."""
        import cv2

        if self._container.mirrored:
            image = self._container.upright(image)
        if self.widened == (1.0, 1.0):
            return image
        height, width = image.shape[:2]
        size = round(width * self.widened[0]), round(height * self.widened[1])
        return cv2.resize(image, size, interpolation=cv2.INTER_LINEAR)

    def lost_frames(self) -> tuple[LostFrames, ...]:
        """The frames that were announced but could not be read. Known after the end."""
        if self.live or self.frame_rate_hz is None:
            return ()
        return find_lost_frames(
            np.array(self._read_s),
            self._failures,
            self._times or FrameTimes(np.zeros(0), 0, False, False),
            self.frame_rate_hz,
            self._end_s,
            counts_frames=self._container.counts_frames,
            cut_off=self._container.missing_bytes > 0,
        )

    def close(self) -> None:
        """Release the file or camera. If another thread is reading, that thread releases it after the read."""
        self._closed = True
        self._release_if_free()

    def _release_if_free(self) -> None:
        # OpenCV's backends crash if they are released during a read.
        if self._reading.acquire(blocking=False):
            try:
                self._capture.release()
            finally:
                self._reading.release()


_SLOW_FAILURE_S = 1.0
_MOST_FAILURES = 10_000
WIDEST_PIXEL = 4.0
"""A pixel that is more than this times as wide as high, or as high as wide, means damaged metadata."""


def pixel_aspect(name: str, width: float, height: float) -> float:
    """Width of a pixel divided by its height. 1 if the container does not state it.

    Raises:
        BadVideo: no camera has such pixels.
    """
    if width <= 0 or height <= 0:
        return 1.0
    aspect = width / height
    if not 1 / WIDEST_PIXEL <= aspect <= WIDEST_PIXEL:
        raise BadVideo(
            f"{name} states pixels {width:g} wide and {height:g} high. No camera has such pixels. If they are square, "
            f"write the video again: ffmpeg -i {name} -vf setsar=1 square.mp4"
        )
    return aspect


class FolderReader:
    """Images of one folder, one file for each frame."""

    interruptions = 0
    widened = (1.0, 1.0)
    live: bool = False
    frame_rate_hz: float | None = None

    def __init__(self, images: list[Path]) -> None:
        self.frame_count: int | None = len(images)
        self._images = iter(images)

    def read(self) -> TimedImage | None:
        """The next image, None at the end. Raises BadVideo for a file that is not an image."""
        import cv2

        path = next(self._images, None)
        if path is None:
            return None
        with silence():
            # imdecode, because imread can't open every file name on Windows
            try:
                data = np.fromfile(path, np.uint8)
                image = cv2.imdecode(data, cv2.IMREAD_COLOR) if len(data) else None
            except (OSError, cv2.error) as error:  # removed or no permission; more than 2^30 pixels
                reason = getattr(error, "strerror", None) or str(error).strip().splitlines()[-1]
                raise BadVideo(f"{shown(path)} can't be read as an image: {reason}. {LEAVE_OUT}") from error
        if image is None:
            raise BadVideo(f"{shown(path)} is not a readable image. {LEAVE_OUT}")
        return image, None

    def lost_frames(self) -> tuple[LostFrames, ...]:
        """Always empty: an image that can't be read is an error."""
        return ()

    def close(self) -> None:
        """Nothing is held open."""


LEAVE_OUT = "Remove it from the folder or write it again."
_REASONS = {
    True: "there is no such camera, or another program uses it. The first camera is usually 0.",
    False: "it is not a video that FFmpeg can read, or its index is missing (the recording was cut off).",
    None: "no video answers at this address.",
}
