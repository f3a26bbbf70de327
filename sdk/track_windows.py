"""The windows of everybody in a stream: one buffer for each person in sight."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sdk.lifter_card import LifterCard
from sdk.windows import ReadyWindow, WindowBuffer

LONGEST_GAP_S = 0.5
"""A track is bridged by interpolation where it was not detected for up to this long; after more it starts over."""
FEWEST_FRAMES = 3
"""A person seen in fewer frames without a longer gap is not lifted: one repeated frame says nothing about motion."""


@dataclass(frozen=True)
class PersonWindow:
    """The window of one person in one picture.

    Attributes:
        track_id: Of the person.
        timestamp_s: Of the picture.
        window: (receptive_field, 16, 2); None where the person was seen too shortly.
        at_edge: The track's first or last frame stands in for a part of it.
    """

    track_id: int
    timestamp_s: float
    window: np.ndarray | None
    at_edge: bool


class TrackWindows:
    """Cuts windows for any number of people; holds only those seen within the longest gap."""

    def __init__(
        self, card: LifterCard, image_size: tuple[int, int], skeleton: str, longest_gap_s: float = LONGEST_GAP_S
    ) -> None:
        """Start with nobody; the first three arguments are those of `WindowBuffer`."""
        self._card, self._image_size, self._skeleton = card, image_size, skeleton
        self._longest_gap_s = longest_gap_s
        self._people: dict[int, _Sighting] = {}

    def __len__(self) -> int:
        return len(self._people)

    def push(self, keypoints_px: dict[int, np.ndarray], timestamp_s: float) -> list[PersonWindow]:
        """Take a picture's people and return every window that became ready, also of those who left.

        Args:
            keypoints_px: (J, 2) by track id; finite.
            timestamp_s: Of the picture, larger than the one before.

        Raises:
            BadKeypoints: as `WindowBuffer.push`.
        """
        windows: list[PersonWindow] = []
        for track_id, person in list(self._people.items()):
            if timestamp_s - person.last_s > self._longest_gap_s + 1e-6:
                windows += self._name(track_id, person, person.buffer.flush())
                del self._people[track_id]
        for track_id, keypoints in keypoints_px.items():
            if track_id not in self._people:
                buffer = WindowBuffer(self._card, self._image_size, self._skeleton)
                self._people[track_id] = _Sighting(buffer, timestamp_s, timestamp_s)
            person = self._people[track_id]
            ready = person.buffer.push(keypoints, timestamp_s)
            person.last_s, person.frames = timestamp_s, person.frames + 1
            windows += self._name(track_id, person, ready)
        return windows

    def flush(self) -> list[PersonWindow]:
        """Everybody's remaining windows; then nobody is left."""
        windows: list[PersonWindow] = []
        for track_id, person in self._people.items():
            windows += self._name(track_id, person, person.buffer.flush())
        self._people.clear()
        return windows

    def _name(self, track_id: int, person: _Sighting, ready: list[ReadyWindow]) -> list[PersonWindow]:
        seen_enough = person.frames >= FEWEST_FRAMES
        past_s, future_s = self._card.window_reach_s - 1e-4, self._card.lookahead_s - 1e-4
        return [
            PersonWindow(
                track_id,
                w.timestamp_s,
                w.window if seen_enough else None,
                at_edge=w.timestamp_s - person.first_s < past_s or person.last_s - w.timestamp_s < future_s,
            )
            for w in ready
        ]


@dataclass
class _Sighting:
    """One person without a gap that is too long."""

    buffer: WindowBuffer
    first_s: float
    last_s: float
    frames: int = 0
