"""Facts that the keypoints of a stream contradict: looked at in its first seconds, then rarely."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sdk.keypoint_files.plausibility import find_doubts
from sdk.keypoint_files.track_collection import SEEN_SCORE

_FIRST_ROWS = 25
_FIRST_LOOK_S, _LONGEST_S = 10.0, 300.0
"""The first seconds are looked at as a whole, then intervals that are each twice as long, up to the longest."""
_MOST_ROWS = 120
"""Rows (people times frames) of a look. A look takes 2 to 5 ms, any other frame a few microseconds."""
_MOST_PEOPLE = 4


class LiveDoubts:
    """Looks at the people of a stream. It keeps at most 120 rows, tells each doubt once, and never raises.

    The first look is at the first 25 rows, the second at the first 10 s. How people hold themselves (head down, lying)
    counts in the second only: later, somebody may well lie for some time. Times that go back or jump count as no time.
    """

    def __init__(self, skeleton: str, image_size: tuple[int, int]) -> None:
        self._skeleton, self._image_size = skeleton, image_size
        self._rows: list[np.ndarray] = []
        self._stride = 1
        self._skipped = 0
        self._first = self._begun = True
        self._last_s = -np.inf
        self._looked_s, self._interval_s = 0.0, _FIRST_LOOK_S
        self._told: set[str] = set()
        self.notes: tuple[str, ...] = ()

    def push(self, people: Sequence[np.ndarray], timestamp_s: float) -> tuple[str, ...]:
        """Take a frame.

        Args:
            people: (J, 3) of each person: pixels and score; NaN where a joint was not seen.
            timestamp_s: Seconds.

        Returns:
            What is in doubt since this frame, each with the likely cause and the way out; mostly nothing.
        """
        if not people:
            return ()
        step_s, self._last_s = timestamp_s - self._last_s, timestamp_s
        self._looked_s += step_s if 0 < step_s < 1 else 0.0
        self._skipped += 1
        if self._skipped < self._stride and self._looked_s < self._interval_s:
            return ()
        seen = [one for one in people if (one[:, 2] >= SEEN_SCORE).any()]
        if self._skipped >= self._stride and seen:
            self._skipped = 0
            self._rows += seen[:_MOST_PEOPLE]
            if len(self._rows) > _MOST_ROWS:
                self._rows = self._rows[::2]
                self._stride *= 2
        if self._first and len(self._rows) >= _FIRST_ROWS:
            self._first = False
            return self._look(posture=False)
        if self._looked_s >= self._interval_s and len(self._rows) >= _FIRST_ROWS:
            found = self._look(posture=self._begun)
            if not self._begun:
                self._interval_s = min(2 * self._interval_s, _LONGEST_S)
            self._begun = False
            self._rows, self._looked_s = [], 0.0
            return found
        return ()

    def _look(self, *, posture: bool) -> tuple[str, ...]:
        rows = np.array(self._rows, np.float32)
        places = np.where(rows[..., 2:] >= SEEN_SCORE, rows[..., :2], np.float32(np.nan))
        doubts = find_doubts([places], self._skeleton, self._image_size, None, posture=posture)
        new = tuple(doubt for doubt in doubts if doubt.about not in self._told)
        self._told.update(doubt.about for doubt in new)
        self.notes += tuple(doubt.message for doubt in new)
        return tuple(doubt.message for doubt in new)


def with_scores(keypoints_px: np.ndarray) -> np.ndarray:
    """(J, 3) of keypoints with or without scores; without, all that are no NaN are seen."""
    keypoints_px = np.asarray(keypoints_px, np.float32)
    if keypoints_px.shape[-1] == 3:
        return keypoints_px
    return np.concatenate([keypoints_px, np.isfinite(keypoints_px).all(-1, keepdims=True)], -1, dtype=np.float32)
