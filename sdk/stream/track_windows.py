"""The windows of everybody in a stream: one buffer for each person in sight."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from sdk.lifting.model_metadata import LifterMetadata
from sdk.lifting.people_windows import PeopleWindows, ReadyFrame
from sdk.lifting.streaming import StreamingGraph
from sdk.lifting.windows import MISSING_BELOW

LONGEST_GAP_S = 0.5
"""A track is bridged by interpolation where it was not detected for up to this long; after more it starts over."""
FEWEST_FRAMES = 3
"""A person seen in fewer frames without a longer gap is not lifted: one repeated frame says nothing about motion."""


@dataclass(frozen=True, eq=False)
class PersonWindow:
    """The window of one person in one picture.

    Attributes:
        track_id: Of the person.
        frame: The person in the picture, with the window or the streamed pose; None where seen too shortly.
        timestamp_s: Of the picture.
        at_edge: The track's first or last frame stands in for a part of the window.
        filling: The first frame does: the track is younger than a window.
    """

    track_id: int
    frame: ReadyFrame | None
    timestamp_s: float
    at_edge: bool
    filling: bool


class TrackWindows:
    """Cuts windows for any number of people; holds only those seen within the longest gap."""

    def __init__(
        self,
        metadata: LifterMetadata,
        image_size: tuple[int, int],
        skeleton: str,
        missing_below: float = MISSING_BELOW,
        graph: StreamingGraph | None = None,
        *,
        longest_gap_s: float = LONGEST_GAP_S,
    ) -> None:
        """Start with nobody; the first five arguments are those of `PeopleWindows`."""
        self._metadata, self._longest_gap_s = metadata, longest_gap_s
        self._windows = PeopleWindows(metadata, image_size, skeleton, missing_below, graph)
        self._people: dict[int, _Sighting] = {}

    def __len__(self) -> int:
        return len(self._people)

    def push(self, keypoints_px: Mapping[int, np.ndarray], timestamp_s: float) -> list[PersonWindow]:
        """Take a picture's people and return every window that became ready, also of those who left.

        Args:
            keypoints_px: All (J, 2), or all (J, 3) with scores, by track id; finite.
            timestamp_s: Of the picture, larger than each person's one before.

        Raises:
            BadKeypoints: as `PeopleWindows.push`.
        """
        windows: list[PersonWindow] = []
        for track_id, person in list(self._people.items()):
            if timestamp_s - person.last_s > self._longest_gap_s + 1e-6:
                windows += self._leave(track_id)
        ready = self._windows.push(keypoints_px, timestamp_s)
        for track_id in keypoints_px:
            person = self._people.setdefault(track_id, _Sighting(timestamp_s))
            person.last_s, person.frames = timestamp_s, person.frames + 1
            windows += self._name(track_id, person, ready[track_id])
        return windows

    def flush(self) -> list[PersonWindow]:
        """Everybody's remaining windows; then nobody is left."""
        return [window for track_id in list(self._people) for window in self._leave(track_id)]

    def _leave(self, track_id: int) -> list[PersonWindow]:
        return self._name(track_id, self._people.pop(track_id), self._windows.flush(track_id))

    def _name(self, track_id: int, person: _Sighting, ready: list[ReadyFrame]) -> list[PersonWindow]:
        seen_enough = person.frames >= FEWEST_FRAMES
        past_s, future_s = self._metadata.window_reach_s - 1e-4, self._metadata.lookahead_s - 1e-4
        windows = []
        for frame in ready:
            filling = frame.timestamp_s - person.first_s < past_s
            at_edge = filling or person.last_s - frame.timestamp_s < future_s
            windows.append(PersonWindow(track_id, frame if seen_enough else None, frame.timestamp_s, at_edge, filling))
        return windows


class _Sighting:
    """One person without a gap that is too long."""

    def __init__(self, first_s: float) -> None:
        self.first_s = self.last_s = first_s
        self.frames = 0
