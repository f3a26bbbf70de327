"""Medians of lengths over any time, in a fixed amount of memory."""

from __future__ import annotations

import numpy as np

_STEP_M = 0.001
_LONGEST_M = 2.0


class LengthHistogram:
    """Counts lengths in steps of a millimetre, for each of a number of bones."""

    def __init__(self, bones: int) -> None:
        self._counts = np.zeros((bones, round(_LONGEST_M / _STEP_M) + 1), np.int64)

    def add(self, lengths_m: np.ndarray) -> None:
        """Count one length for each bone, (bones,) metres; longer ones than two metres count as that."""
        steps = np.round(np.clip(lengths_m, 0, _LONGEST_M) / _STEP_M).astype(int)
        self._counts[np.arange(len(steps)), steps] += 1

    def medians(self) -> np.ndarray:
        """(bones,) metres, to the millimetre; zero before the first."""
        below = np.cumsum(self._counts, 1)
        return (below * 2 >= below[:, -1:]).argmax(1) * _STEP_M
