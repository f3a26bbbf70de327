"""When a growing file is next brought to the disk."""

from __future__ import annotations

import time

INTERVAL_S = 1.0
"""A killed process loses at most what came after the last flush: this much."""


class FlushClock:
    """Says once a second that it is time."""

    def __init__(self) -> None:
        self._last_s = time.monotonic()

    def due(self) -> bool:
        """Whether a second passed since this was last true."""
        now_s = time.monotonic()
        if now_s - self._last_s < INTERVAL_S:
            return False
        self._last_s = now_s
        return True
