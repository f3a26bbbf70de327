"""How pictures are read: from what OpenCV can capture, and from single images."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import numpy as np

from sdk.errors import BadVideo

OPEN_TIMEOUT_MS = 10_000
"""How long an address may take to answer."""
READ_TIMEOUT_MS = 3_000
"""An address that sends no picture for this long is lost."""
HIGHEST_FRAME_RATE_HZ = 1000.0
"""Above it, what a container states is a time base (90 kHz in some streams), not a frame rate."""

Picture = tuple[np.ndarray, "float | None"]
"""(H, W, 3) uint8 BGR, and its time in seconds: the container's, if it has one; of arrival if live."""


class Reader(Protocol):
    """An open source of pictures.

    Attributes:
        live: Pictures arrive in real time.
        frame_count: As announced, or None.
        frame_rate_hz: As stated, or None.
        interruptions: How often it was lost and came back.
    """

    interruptions: int
    live: bool
    frame_count: int | None
    frame_rate_hz: float | None

    def read(self) -> Picture | None:
        """The next picture, None at the end."""

    def close(self) -> None:
        """Release what is held; also while another thread reads, whose `read` then returns None soon."""


class CaptureReader:
    """A file, camera or address through OpenCV, with the rotation that the container asks for."""

    interruptions = 0

    def __init__(self, source: str | int, name: str, *, live: bool | None) -> None:
        """Open it; raises BadVideo if that fails.

        Args:
            source: File, address, camera index or device file.
            name: For the error message.
            live: True for cameras, False for files, None to decide by whether frames are counted (addresses).
        """
        import cv2

        with _silence():
            if live:
                self._capture = cv2.VideoCapture(source)
            else:
                # Only FFmpeg: OpenCV's other backends take a numbered file for an image sequence.
                timeouts = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, OPEN_TIMEOUT_MS]
                timeouts += [cv2.CAP_PROP_READ_TIMEOUT_MSEC, READ_TIMEOUT_MS]
                self._capture = cv2.VideoCapture(str(source), cv2.CAP_FFMPEG, timeouts)
        if not self._capture.isOpened():
            raise BadVideo(f"{name} can't be opened: {_REASONS[live]}")
        if not live:
            # Off by default in OpenCV 4.11: a telephone's portrait video would lie on its side.
            self._capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 1)
        frames, rate = self._capture.get(cv2.CAP_PROP_FRAME_COUNT), self._capture.get(cv2.CAP_PROP_FPS)
        counted = 0 < frames < 1e9
        self.live: bool = not counted if live is None else live
        self.frame_count: int | None = int(frames) if counted and not self.live else None
        self.frame_rate_hz: float | None = float(rate) if 0 < rate <= HIGHEST_FRAME_RATE_HZ else None
        if self.live:
            self._capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)  # where the driver can: no queue of old pictures
        self._position_ms = cv2.CAP_PROP_POS_MSEC
        self._reading = threading.Lock()
        self._closed = False

    def read(self) -> Picture | None:
        """The next picture, None at the end."""
        with self._reading:
            picture = None if self._closed else self._read()
        if self._closed:
            self._release_if_free()
        return picture

    def _read(self) -> Picture | None:
        decoded, image = self._capture.read()
        if not decoded or image is None:
            return None
        if self.live:
            return image, time.monotonic()
        position_ms = self._capture.get(self._position_ms)
        return image, position_ms / 1000 if np.isfinite(position_ms) else None

    def close(self) -> None:
        """Release the file or camera; from another thread in mid-read, the reading one does when it returns."""
        self._closed = True
        self._release_if_free()

    def _release_if_free(self) -> None:
        # Released under a read, OpenCV's backends crash.
        if self._reading.acquire(blocking=False):
            try:
                self._capture.release()
            finally:
                self._reading.release()


class FolderReader:
    """Images of one folder, one file a frame."""

    interruptions = 0
    live: bool = False
    frame_rate_hz: float | None = None

    def __init__(self, images: list[Path]) -> None:
        self.frame_count: int | None = len(images)
        self._images = iter(images)

    def read(self) -> Picture | None:
        """The next image, None at the end; raises BadVideo for a file that is no image."""
        import cv2

        path = next(self._images, None)
        if path is None:
            return None
        with _silence():
            # imdecode, because imread can't open every file name on Windows
            data = np.fromfile(path, np.uint8)
            image = cv2.imdecode(data, cv2.IMREAD_COLOR) if len(data) else None
        if image is None:
            raise BadVideo(f"{path} is not a readable image. Remove it from the folder or write it again.")
        return image, None

    def close(self) -> None:
        """Nothing is held open."""


_REASONS = {
    True: "there is no such camera, or another program holds it. The first camera is usually 0.",
    False: "it is not a video that FFmpeg can read, or its index is missing (a recording that was cut off).",
    None: "no video answers at this address.",
}


@contextmanager
def _silence() -> Iterator[None]:
    """Keep OpenCV and FFmpeg from printing what becomes a BadVideo; the caller's settings come back afterwards.

    FFmpeg's level is read once per process, at the first opening.
    """
    import cv2

    log = getattr(cv2.utils, "logging", cv2)  # OpenCV 5 has the levels there, 4 in cv2
    variable, level = "OPENCV_FFMPEG_LOGLEVEL", log.getLogLevel()
    set_here = variable not in os.environ
    if set_here:
        os.environ[variable] = "-8"  # AV_LOG_QUIET
    log.setLogLevel(0)
    try:
        yield
    finally:
        log.setLogLevel(level)
        if set_here:
            del os.environ[variable]
