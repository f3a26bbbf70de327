"""One filter for each person in sight."""

from __future__ import annotations

import numpy as np

from sdk.one_euro import OneEuroFilter, Smoothing
from sdk.track_windows import LONGEST_GAP_S


class TrackSmoothing:
    """Smooths the poses of any number of people; keeps nothing of those who left."""

    def __init__(self, smoothing: Smoothing) -> None:
        self._smoothing = smoothing
        self._filters: dict[int, tuple[OneEuroFilter, float]] = {}

    def __len__(self) -> int:
        return len(self._filters)

    def __call__(self, track_id: int, joints_m: np.ndarray, timestamp_s: float) -> np.ndarray:
        """The person's joints, (J, 3) metres, smoothed; after a gap that is not bridged they come back as they are."""
        smooth, last_s = self._filters.get(track_id, (None, -np.inf))
        if smooth is None or not 0 < timestamp_s - last_s <= LONGEST_GAP_S + 1e-6:
            smooth = OneEuroFilter(self._smoothing)
        self._filters[track_id] = smooth, timestamp_s
        return smooth(joints_m, timestamp_s)

    def forget(self, timestamp_s: float) -> None:
        """Drop the filters of people whose next pose, from this time on, would start over."""
        for track_id, (_, last_s) in list(self._filters.items()):
            if not 0 <= timestamp_s - last_s <= LONGEST_GAP_S + 1e-6:
                del self._filters[track_id]
