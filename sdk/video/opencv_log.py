"""Keeps OpenCV and FFmpeg from printing problems that this project reports as errors."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def silence() -> Iterator[None]:
    """Silence OpenCV and FFmpeg in this block: their problems become a BadVideo. Afterwards the settings are restored.

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
