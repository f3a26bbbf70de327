"""How long results take, as percentiles over the last frames, to be read at any time from any thread."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np

WINDOW_FRAMES = 1000
"""Percentiles are over this many of the last frames: a drift shows, memory stays flat."""


@dataclass(frozen=True)
class Percentiles:
    """Seconds that half, 95 and 99 of 100 frames stay below; NaN without frames."""

    p50_s: float
    p95_s: float
    p99_s: float


@dataclass(frozen=True)
class Delays:
    """Delays of a stream.

    Attributes:
        camera_to_3d: From a picture's arrival to its result, on the clock.
        beyond_detector: The same without the time that the picture itself spent in the detector.
        frames: How many frames these are of, at most `WINDOW_FRAMES`.
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
        """Count a frame: seconds from its arrival to its result, and those it spent in the detector."""
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
