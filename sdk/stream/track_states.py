"""What is kept of each person in sight from one result to the next."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

import numpy as np

from sdk.stream.track_windows import LONGEST_GAP_S

State = TypeVar("State")


class TrackStates(Generic[State]):
    """A state for each person, such as a filter; nothing is kept of people who left."""

    def __init__(self, begin: Callable[[], State]) -> None:
        """Start with nobody; `begin` makes a new person's state."""
        self._begin = begin
        self._states: dict[int, tuple[State, float]] = {}

    def __len__(self) -> int:
        return len(self._states)

    def of(self, track_id: int, timestamp_s: float) -> State:
        """The person's state, which goes on to this time; a new one after a gap that is not bridged."""
        state, last_s = self._states.get(track_id, (None, -np.inf))
        if state is None or not _goes_on(last_s, timestamp_s):
            state = self._begin()
        self._states[track_id] = state, timestamp_s
        return state

    def forget(self, timestamp_s: float) -> None:
        """Drop the states of people who, from this time on, would get a new one."""
        for track_id, (_, last_s) in list(self._states.items()):
            if last_s != timestamp_s and not _goes_on(last_s, timestamp_s):
                del self._states[track_id]


def _goes_on(last_s: float, timestamp_s: float) -> bool:
    return 0 < timestamp_s - last_s <= LONGEST_GAP_S + 1e-6
