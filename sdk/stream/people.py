"""The people of a stream: who begins, is bridged, and ends. All data of a person is in their tracklet."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from sdk.camera.one_euro import OneEuroFilter, Smoothing
from sdk.camera.placement import Placement
from sdk.detectors.detection import Detections
from sdk.lifting.answers import PoseAnswer
from sdk.lifting.people_windows import PersonWindows
from sdk.results.pose_frame import LiftStatus
from sdk.skeletons.skeleton import Skeleton
from sdk.tracking.left_right_swap import SideSwapRepair
from sdk.tracking.lifetime import LONGEST_GAP_S, goes_on
from sdk.tracking.people_choice import PeopleChoice, PeopleFilter
from sdk.tracking.person_tracker import PersonTracker, TrackedPerson

FEWEST_FRAMES = 3
"""Fewest frames of a tracklet that is lifted. One repeated frame shows no motion."""


@dataclass(eq=False)
class Sighting:
    """One person in one frame: the 2D, and later the 3D.

    Attributes:
        track_id: Number of the person.
        box: (4,) pixels.
        keypoints_px: (J, 2), NaN where a joint was not seen.
        scores: (J,), 0 where a joint was not seen.
        exchanged: Limbs whose left-right swap was repaired.
        bridged: Not detected, or not usable, in this frame: interpolated between the frames before and after.
        tracklet: The person's tracklet; None if the 2D can't be used.
        status: Whether there is a 3D pose; None while the frame waits for it.
        joints_m: (J, 3) lifted pose.
        points: (J, 2) keypoints that it was lifted from.
        answer: What the lifter said.
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
    answer: PoseAnswer | None = None
    filling: bool = False
    _scored: np.ndarray | None = field(default=None, init=False, repr=False)

    @property
    def shown(self) -> bool:
        """Whether to show the person. A bridge that could not be lifted is not shown: the person was not there."""
        return self.joints_m is not None or not self.bridged

    @property
    def deviations_m(self) -> np.ndarray | None:
        """(J, 3) standard deviations of the pose's coordinates; None if the lifter does not tell them."""
        return None if self.answer is None else self.answer.deviations_m

    def scored(self) -> np.ndarray:
        """(J, 3): keypoints with their scores."""
        if self._scored is None:
            self._scored = np.concatenate([self.keypoints_px, self.scores[:, None]], -1)
        return self._scored


@dataclass(eq=False)
class Tracklet:
    """One person without a gap that is too long to bridge, and all data of that person.

    Attributes:
        track_id: Number of the person.
        windows: The person's frames, for the lifter.
        sides: Repairs left-right swaps.
        smoothing: Filters the poses; None if they are not smoothed.
        placement: Body and position; None if they are not wanted.
        first_s: Time of the first frame.
        last_s: Time of the last frame.
        frames: Number of frames so far, with bridged ones.
        last: 2D of the last frame.
        waiting: Frames whose pose is not known yet, by their time.
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
        """Add a frame, which now waits for its pose."""
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


@dataclass(frozen=True)
class FollowedPeople:
    """The tracked people in a frame.

    Attributes:
        people: Those who are meant.
        bystanders: Numbers of the others.
        forgotten: Numbers of those who are forgotten with this frame.
    """

    people: Sequence[TrackedPerson]
    bystanders: tuple[int, ...]
    forgotten: tuple[int, ...]


class People:
    """Decides who is who and for how long. Only this class begins, bridges and ends a person in a stream.

    A person keeps a number until they are away for longer than `lifetime.FORGET_AFTER_S`, and a tracklet until they are
    away for longer than `lifetime.LONGEST_GAP_S`. All data of a tracklet ends with it.
    """

    def __init__(
        self,
        skeleton: Skeleton,
        frame_rate_hz: float,
        smoothing: Smoothing | None,
        placement: Callable[[], Placement] | None,
        people: PeopleChoice = "all",
    ) -> None:
        """Start with nobody. `people` says who is followed; the others are bystanders."""
        self._skeleton, self._smoothing, self._placement = skeleton, smoothing, placement
        self._tracker = PersonTracker(frame_rate_hz)
        self._meant = PeopleFilter(people)
        self._tracklets: dict[int, Tracklet] = {}

    def __len__(self) -> int:
        """Number of tracklets that may go on."""
        return len(self._tracklets)

    def __iter__(self) -> Iterator[Tracklet]:
        return iter(self._tracklets.values())

    def follow(self, detections: Detections, image_size: tuple[int, int], timestamp_s: float) -> FollowedPeople:
        """Track the people in the next frame, and take those who are meant."""
        tracked = self._tracker.update(detections, timestamp_s)
        meant = self._meant(tracked, image_size, timestamp_s)
        numbers = {one.track_id for one in meant}
        bystanders = tuple(one.track_id for one in tracked if one.track_id not in numbers)
        return FollowedPeople(meant, bystanders, self._tracker.forgotten)

    def end_those_away(self, timestamp_s: float) -> list[Tracklet]:
        """Remove and return the tracklets that can't go on any more."""
        return self._take_out([one for one in self if not goes_on(timestamp_s - one.last_s)])

    def end_all(self) -> list[Tracklet]:
        """Remove and return all tracklets. People who come back with the same number begin a new tracklet."""
        return self._take_out(list(self))

    def forget_everybody(self) -> tuple[int, ...]:
        """End all tracks, so that the next people get new numbers. Returns the numbers that are not used any more."""
        self._tracklets.clear()
        self._meant.reset()
        return self._tracker.forget_everybody()

    def tracklet(self, track_id: int, timestamp_s: float, windows: Callable[[], PersonWindows]) -> Tracklet:
        """The tracklet of a person if it goes on, else a new one."""
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
        """Whether somebody who is not in a frame may still come back and be bridged over it."""
        return any(one.last_s < timestamp_s and newest_s - one.last_s < LONGEST_GAP_S for one in self)

    def _take_out(self, tracklets: list[Tracklet]) -> list[Tracklet]:
        for one in tracklets:
            del self._tracklets[one.track_id]
        return tracklets
