"""Latency of results, as percentiles over the last frames. It can be read at any time, from any thread."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np

WINDOW_FRAMES = 1000
"""Percentiles are over so many of the last frames. So a drift can be seen, and memory stays constant."""


@dataclass(frozen=True)
class Percentiles:
    """Percentiles 50, 95 and 99 in seconds; NaN without frames."""

    p50_s: float
    p95_s: float
    p99_s: float


@dataclass(frozen=True)
class Delays:
    """Latency of a stream.

    Attributes:
        camera_to_3d: Wall-clock time from a frame's arrival to its result.
        beyond_detector: The same, without the time of the frame in the detector.
        frames: Number of frames, at most `WINDOW_FRAMES`.
    """

    camera_to_3d: Percentiles
    beyond_detector: Percentiles
    frames: int


class DelayStatistics:
    """Keeps the delays of the last frames."""

    def __init__(self, window_frames: int = WINDOW_FRAMES) -> None:
        self._seconds = np.zeros((window_frames, 2))
        self._frames = 0
        self._lock = threading.Lock()

    def add(self, latency_s: float, detect_s: float) -> None:
        """Add a frame: seconds from its arrival to its result, and seconds in the detector."""
        with self._lock:
            self._seconds[self._frames % len(self._seconds)] = latency_s, latency_s - detect_s
            self._frames += 1

    def read(self) -> Delays:
        """The delays of the last frames."""
        with self._lock:
            seconds = self._seconds[: min(self._frames, len(self._seconds))].copy()
        if not len(seconds):
            nothing = Percentiles(np.nan, np.nan, np.nan)
            return Delays(nothing, nothing, 0)
        whole, beyond = (Percentiles(*map(float, column)) for column in np.percentile(seconds, [50, 95, 99], axis=0).T)
        return Delays(whole, beyond, len(seconds))
