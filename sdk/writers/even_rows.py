"""One person's poses at even steps of time, as motion files want them."""

from __future__ import annotations

import numpy as np

from sdk.track_windows import LONGEST_GAP_S

_SAME_INSTANT = 0.02
"""A row this part of a step after a pose is still that pose's: timestamps are not exact."""


class EvenRows:
    """Turns poses at any times into rows at `start_s + k / frame_rate_hz`.

    Rows between two poses are interpolated linearly, unless more than `LONGEST_GAP_S` lies between: those are missing.

    Attributes:
        start_s: Time of the first row, that of the first pose.
        rows: How many there are so far.
    """

    def __init__(self, frame_rate_hz: float) -> None:
        self._frame_rate_hz = frame_rate_hz
        self.rows = 0
        self.start_s = self._last_s = np.nan
        self._last = np.zeros(0)

    def push(self, joints_m: np.ndarray, timestamp_s: float) -> list[np.ndarray | None]:
        """Take the next pose, (J, 3), later than the one before; return the rows up to its time, None for missing."""
        if self.rows == 0:
            self.start_s = timestamp_s
        rows: list[np.ndarray | None] = []
        until = (timestamp_s - self.start_s) * self._frame_rate_hz + _SAME_INSTANT
        while self.rows <= until:
            at_s = self.start_s + self.rows / self._frame_rate_hz
            step_s = timestamp_s - self._last_s
            if self.rows == 0 or at_s >= timestamp_s:
                rows.append(joints_m)
            elif step_s > LONGEST_GAP_S + 1e-6:
                rows.append(None)
            else:
                share = min(max((at_s - self._last_s) / step_s, 0.0), 1.0)
                rows.append(self._last * (1 - share) + joints_m * share)
            self.rows += 1
        self._last, self._last_s = joints_m, timestamp_s
        return rows
