"""The people of a stream: who begins, is bridged, and ends. What is kept of a person hangs on their tracklet."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from sdk.camera.one_euro import OneEuroFilter, Smoothing
from sdk.camera.placement import Placement
from sdk.detectors.detection import Detections
from sdk.lifting.people_windows import PersonWindows
from sdk.results.pose_frame import LiftStatus
from sdk.skeletons.skeleton import Skeleton
from sdk.tracking.left_right_swap import SideSwapRepair
from sdk.tracking.lifetime import LONGEST_GAP_S, goes_on
from sdk.tracking.person_tracker import PersonTracker, TrackedPerson

FEWEST_FRAMES = 3
"""A person seen in fewer frames without a longer gap is not lifted: one repeated frame says nothing about motion."""


@dataclass(eq=False)
class Sighting:
    """One person in one picture: the 2D, and once it is known what became of it.

    Attributes:
        track_id: Of the person.
        box: (4,) pixels.
        keypoints_px: (J, 2), NaN where a joint was not seen.
        scores: (J,), 0 where a joint was not seen.
        exchanged: Limbs whose sides were put right.
        bridged: Not detected, or not usable, in this picture: interpolated between the pictures before and after.
        tracklet: What the person's windows, filters and position hang on; None where the 2D can't be used.
        status: Whether there is a 3D pose; None as long as the picture waits for it.
        joints_m: (16, 3), as lifted.
        points: (16, 2), what it was lifted from.
        filling: The tracklet is younger than a window.
    """

    track_id: int
    box: np.ndarray
    keypoints_px: np.ndarray
    scores: np.ndarray
    exchanged: tuple[str, ...] = ()
    bridged: bool = False
    tracklet: Tracklet | None = None
    status: LiftStatus | None = None
    joints_m: np.ndarray | None = None
    points: np.ndarray | None = None
    filling: bool = False

    @property
    def shown(self) -> bool:
        """A bridge that could not be lifted shows nothing: the person was not there."""
        return self.joints_m is not None or not self.bridged

    def scored(self) -> np.ndarray:
        """(J, 3): keypoints with their scores."""
        return np.concatenate([self.keypoints_px, self.scores[:, None]], -1)


@dataclass(eq=False)
class Tracklet:
    """One person for as long as no gap is too long to be bridged, and all that is kept of them.

    Attributes:
        track_id: Of the person.
        windows: Their frames, for the lifter.
        sides: Repairs left and right.
        smoothing: Filters the poses; None where they are not smoothed.
        placement: Body and position; None where nobody asked for them.
        first_s: Time of the first frame.
        last_s: Of the last one.
        frames: How many there are so far, bridged ones included.
        last: The last picture's 2D.
        waiting: Pictures whose pose is not known yet, by their time.
    """

    track_id: int
    windows: PersonWindows
    sides: SideSwapRepair
    smoothing: OneEuroFilter | None
    placement: Placement | None
    first_s: float
    last_s: float = -np.inf
    frames: int = 0
    last: Sighting | None = None
    waiting: dict[float, Sighting] = field(default_factory=dict)

    def enter(self, sighting: Sighting, timestamp_s: float) -> None:
        """A frame comes: it waits for its pose."""
        sighting.tracklet = self
        self.waiting[timestamp_s] = sighting
        self.last, self.last_s = sighting, timestamp_s
        self.frames += 1

    def between(self, timestamp_s: float, end: Sighting, end_s: float) -> Sighting:
        """The person at a time between the last frame and a later one, by linear interpolation."""
        assert self.last is not None
        share = np.float32((timestamp_s - self.last_s) / (end_s - self.last_s))
        return Sighting(
            self.track_id,
            self.last.box * (1 - share) + end.box * share,
            self.last.keypoints_px * (1 - share) + end.keypoints_px * share,
            np.zeros_like(end.scores),
            bridged=True,
        )


class People:
    """Decides who is who and for how long: the only place in a stream that begins, bridges and ends a person.

    A person has a number from the tracker until they are away for longer than `lifetime.FORGET_AFTER_S`, and a tracklet
    until they are away for longer than `lifetime.LONGEST_GAP_S`. Whatever hangs on a tracklet goes with it.
    """

    def __init__(
        self,
        skeleton: Skeleton,
        frame_rate_hz: float,
        smoothing: Smoothing | None,
        placement: Callable[[], Placement] | None,
    ) -> None:
        """Start with nobody."""
        self._skeleton, self._smoothing, self._placement = skeleton, smoothing, placement
        self._tracker = PersonTracker(frame_rate_hz)
        self._tracklets: dict[int, Tracklet] = {}

    def __len__(self) -> int:
        """Tracklets that may go on."""
        return len(self._tracklets)

    def __iter__(self) -> Iterator[Tracklet]:
        return iter(self._tracklets.values())

    def follow(self, detections: Detections, timestamp_s: float) -> tuple[Sequence[TrackedPerson], tuple[int, ...]]:
        """Who is who in the next picture, and the numbers of those who are forgotten with it."""
        tracked = self._tracker.update(detections, timestamp_s)
        return tracked, self._tracker.forgotten

    def end_those_away(self, timestamp_s: float) -> list[Tracklet]:
        """Take out the tracklets that can't go on by now."""
        return self._take_out([one for one in self if not goes_on(timestamp_s - one.last_s)])

    def end_all(self) -> list[Tracklet]:
        """Take out all tracklets; who comes back with the same number begins another."""
        return self._take_out(list(self))

    def forget_everybody(self) -> tuple[int, ...]:
        """Whoever comes next is somebody new; returns the numbers that nobody has any more."""
        self._tracklets.clear()
        return self._tracker.forget_everybody()

    def tracklet(self, track_id: int, timestamp_s: float, windows: Callable[[], PersonWindows]) -> Tracklet:
        """The tracklet that goes on with a person, or a new one."""
        if track_id not in self._tracklets:
            self._tracklets[track_id] = Tracklet(
                track_id,
                windows(),
                SideSwapRepair(self._skeleton),
                None if self._smoothing is None else OneEuroFilter(self._smoothing),
                None if self._placement is None else self._placement(),
                timestamp_s,
            )
        return self._tracklets[track_id]

    def may_bridge(self, timestamp_s: float, newest_s: float) -> bool:
        """Whether somebody who is not in a picture may come back, and then be bridged over it."""
        return any(one.last_s < timestamp_s and newest_s - one.last_s < LONGEST_GAP_S for one in self)

    def _take_out(self, tracklets: list[Tracklet]) -> list[Tracklet]:
        for one in tracklets:
            del self._tracklets[one.track_id]
        return tracklets
