"""From detections, picture by picture, to whole results: tracks, repair, windows, lifter, smoothing."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from sdk.camera.one_euro import OneEuroFilter, Smoothing, smooth_together
from sdk.camera.placement import Placement
from sdk.detectors.detection import Detections
from sdk.errors import BadKeypoints
from sdk.lifting.lifter import Lifter
from sdk.results.pose_frame import LiftStatus, PersonPose, PoseFrame, StageTimes
from sdk.results.processors.base import Processor
from sdk.skeletons.joint_conversion import scores_of_h36m16
from sdk.skeletons.skeleton import Skeleton
from sdk.stream.track_states import TrackStates
from sdk.stream.track_windows import LONGEST_GAP_S, PersonWindow, TrackWindows
from sdk.tracking.left_right_swap import SideSwapRepair, repair_together
from sdk.tracking.person_tracker import FORGET_AFTER_S, PersonTracker, TrackedPerson
from sdk.video.source import VideoFrame


@dataclass(frozen=True)
class DetectedPicture:
    """A picture that went through the detector.

    Attributes:
        frame: The picture.
        detections: None where the detector failed.
        fault: Why it did.
        arrived_s: `time.perf_counter()` when the picture had been read.
        read_s: Seconds that reading took.
        detect_s: Seconds in the detector.
    """

    frame: VideoFrame
    detections: Detections | None
    fault: str | None
    arrived_s: float
    read_s: float
    detect_s: float


class PoseAssembly:
    """Takes pictures in order and returns results in order, each once its poses are known.

    A track that is not detected for up to `LONGEST_GAP_S` and then comes back is bridged: the pictures in between have
    the person too, with interpolated 2D and status `BRIDGED`. The last pictures before the gap wait for the person's
    future until then, and those in it behind them; without look-ahead no picture waits, nothing is bridged, and the gap
    is interpolated only in the windows of the pictures after it. A picture of another size, one after a gap of the
    source, and one older than the one before it start over with nobody known.
    """

    def __init__(
        self,
        lifter: Lifter,
        skeleton: Skeleton,
        frame_rate_hz: float,
        *,
        live: bool,
        smoothing: Smoothing | None,
        placement: Callable[[], Placement] | None,
        repair_sides: bool,
        processors: Sequence[Processor],
    ) -> None:
        self._lifter, self._skeleton, self._live = lifter, skeleton, live
        self._filters = None if smoothing is None else TrackStates(lambda: OneEuroFilter(smoothing))
        self._placements = None if placement is None else TrackStates(placement)
        self._repair_sides, self._processors = repair_sides, tuple(processors)
        self._tracker = PersonTracker(frame_rate_hz)
        self._streaming = lifter.streaming_graph()
        self._windows: TrackWindows | None = None
        self._size = (0, 0)
        self._newest_s = -np.inf
        self._held: deque[_HeldPicture] = deque()
        self._waiting: dict[tuple[int, float], _HeldPicture] = {}
        self._people: dict[int, _Person] = {}

    def push(self, picture: DetectedPicture) -> list[PoseFrame]:
        """Take the next picture; return the results that it completes.

        Raises:
            BadKeypoints: detections do not fit the skeleton, or have boxes that are not finite.
        """
        started = time.perf_counter()
        frame, results = picture.frame, []
        size = (frame.image.shape[1], frame.image.shape[0])
        cut = frame.after_gap or not frame.timestamp_s > self._newest_s or size != self._size
        if cut:
            is_first = self._windows is None
            results = self.flush()
            self._tracker.forget_everybody()
            lifter = self._lifter
            self._windows = TrackWindows(
                lifter.metadata, size, self._skeleton.name, lifter.missing_below, self._streaming
            )
            self._size = size
            cut = frame.after_gap or not is_first
        self._newest_s = frame.timestamp_s
        assert self._windows is not None

        detections = picture.detections
        if detections is None:
            detections = Detections.none(len(self._skeleton))
        if detections.scores.shape[1] != len(self._skeleton):
            raise BadKeypoints(
                f"the detector returned {detections.scores.shape[1]} joints; its skeleton, {self._skeleton.name}, has "
                f"{len(self._skeleton)}."
            )
        tracked = self._repaired(self._tracker.update(detections, frame.timestamp_s), frame.timestamp_s)
        held = _HeldPicture(picture, len(detections), cut, {person.track_id: person for person in tracked})
        self._held.append(held)
        track_s = time.perf_counter()
        self._lift(self._enter(held))
        held.times = StageTimes(
            picture.read_s, picture.detect_s, track_s - started, lift_s=time.perf_counter() - track_s
        )
        return results + self._finished()

    def flush(self) -> list[PoseFrame]:
        """All results still held, the last frame of each track standing in for its future; then nobody is known."""
        if self._windows is not None:
            self._lift(self._windows.flush())
        for held in self._held:
            held.hoped_for.clear()
        results = self._finished()
        self._people.clear()
        return results

    def drop(self) -> None:
        """Forget everything held."""
        self._held.clear()
        self._waiting.clear()
        self._people.clear()

    def _repaired(self, tracked: Sequence[TrackedPerson], timestamp_s: float) -> list[_Sighting]:
        """The people with sides put right; NaN is left to be bridged."""
        sightings = []
        for one in tracked:
            person = self._people.get(one.track_id)
            if person is None or timestamp_s - person.last_s > LONGEST_GAP_S + 1e-6:
                if person is not None:
                    person.give_up(one.track_id)
                self._people[one.track_id] = _Person(self._skeleton)
            finite = bool(np.isfinite(one.keypoints).all())
            sightings.append(_Sighting(one.track_id, one.box, one.keypoints, one.scores, finite))
        watched = [sighting for sighting in sightings if sighting.finite and self._repair_sides]
        if not watched:
            return sightings
        repaired = repair_together(
            [self._people[sighting.track_id].sides for sighting in watched],
            np.stack([sighting.keypoints for sighting in watched]),
            np.stack([sighting.scores for sighting in watched]),
            timestamp_s,
        )
        by_id = {sighting.track_id: person for sighting, person in zip(watched, repaired, strict=True)}
        return [
            replace(sighting, keypoints=put_right.keypoints_px, scores=put_right.scores, exchanged=put_right.exchanged)
            if (put_right := by_id.get(sighting.track_id)) and put_right.exchanged
            else sighting
            for sighting in sightings
        ]

    def _enter(self, held: _HeldPicture) -> list[PersonWindow]:
        """Give the picture's people, and those it brings back for the pictures before it, to the windows."""
        assert self._windows is not None
        now_s, windows = held.timestamp_s, []
        usable = {i: sighting for i, sighting in held.people.items() if sighting.finite}
        for track_id, person in list(self._people.items()):
            if track_id in usable:
                for before in person.absent_from:
                    bridge = _between(person.last_s, person.last, before.timestamp_s, now_s, usable[track_id])
                    before.people[track_id] = bridge
                    before.poses.pop(track_id, None)
                    before.hoped_for.discard(track_id)
                    self._waiting[track_id, before.timestamp_s] = before
                    windows += self._windows.push({track_id: bridge.keypoints}, before.timestamp_s)
                person.absent_from.clear()
                person.last_s, person.last = now_s, usable[track_id]
            elif person.last is not None and now_s - person.last_s < LONGEST_GAP_S:
                person.absent_from.append(held)
                held.hoped_for.add(track_id)
            else:
                person.give_up(track_id)
                if now_s - person.last_s > FORGET_AFTER_S:
                    del self._people[track_id]
        for track_id, sighting in held.people.items():
            if sighting.finite:
                self._waiting[track_id, now_s] = held
            else:
                held.poses[track_id] = _Lifted(LiftStatus.NOT_FINITE, None, False)
        return windows + self._windows.push({i: sighting.scored() for i, sighting in usable.items()}, now_s)

    def _lift(self, windows: list[PersonWindow]) -> None:
        """One call of the network for everybody; hand the poses to the pictures that wait for them."""
        poses = iter(self._lifter.lift_ready([w.frame for w in windows if w.frame is not None]))
        for w in windows:
            held = self._waiting.pop((w.track_id, w.timestamp_s))
            if w.frame is None:
                held.poses[w.track_id] = _Lifted(LiftStatus.TOO_SHORT, None, w.filling)
                continue
            status = LiftStatus.AT_EDGE if w.at_edge else LiftStatus.LIFTED
            if held.people[w.track_id].bridged:
                status = LiftStatus.BRIDGED
            held.poses[w.track_id] = _Lifted(status, next(poses), w.filling, w.frame.keypoints)

    def _finished(self) -> list[PoseFrame]:
        results = []
        while self._held:
            held = self._held[0]
            if len(held.poses) < len(held.people):
                break
            if held.hoped_for and self._newest_s - held.timestamp_s < self._lifter.delay_s - 1e-6:
                break
            self._held.popleft()
            for track_id in held.hoped_for:
                self._people[track_id].absent_from.remove(held)
            results.append(self._result(held))
        return results

    def _result(self, held: _HeldPicture) -> PoseFrame:
        started = time.perf_counter()
        people = self._poses(held)
        for states in (self._filters, self._placements):
            if states is not None:
                states.forget(held.timestamp_s)
        smoothed = time.perf_counter()
        picture, frame = held.picture, held.picture.frame
        result = PoseFrame(
            frame.index,
            frame.timestamp_s,
            frame.image,
            people,
            held.detections,
            replace(held.times, smooth_s=smoothed - started),
            delay_s=0.0,
            fault=picture.fault,
            after_gap=held.cut,
        )
        for processor in self._processors:
            result = processor.process(result)
        now = time.perf_counter()
        latency_s = now - picture.arrived_s
        return replace(
            result,
            stage_times_s=replace(result.stage_times_s, process_s=now - smoothed),
            delay_s=latency_s if self._live else self._newest_s - frame.timestamp_s,
            latency_s=latency_s,
        )

    def _poses(self, held: _HeldPicture) -> tuple[PersonPose, ...]:
        """Everybody who is shown, placed and smoothed, in the order of their numbers."""
        shown = [track_id for track_id in sorted(held.people) if held.shown(track_id)]
        if not shown:
            return ()
        now_s = held.timestamp_s
        joints = {i: held.poses[i].joints_m for i in shown}
        roots: dict[int, np.ndarray] = {}
        if self._placements is not None:
            for track_id in shown:
                pose, points = joints[track_id], held.poses[track_id].points
                if pose is not None and points is not None:
                    joints[track_id], root_m = self._placements.of(track_id, now_s)(pose, points, now_s)
                    if np.isfinite(root_m).all():
                        roots[track_id] = root_m
        lifted = {i: pose for i, pose in joints.items() if pose is not None}
        if self._filters is not None and lifted:
            filters = [self._filters.of(track_id, now_s) for track_id in lifted]
            joints |= zip(lifted, smooth_together(filters, np.stack(list(lifted.values())), now_s), strict=True)
        scores = np.nan_to_num(np.stack([held.people[track_id].scores for track_id in shown]))
        return tuple(
            PersonPose(
                track_id,
                (sighting := held.people[track_id]).box,
                sighting.keypoints,
                sighting.scores,
                held.poses[track_id].status,
                joints[track_id],
                root_m=roots.get(track_id),
                visibility=visibility,
                window_filling=held.poses[track_id].filling,
                exchanged=sighting.exchanged,
            )
            for track_id, visibility in zip(shown, scores_of_h36m16(scores, self._skeleton.name), strict=True)
        )


class _Person:
    """What is kept of a person in sight."""

    def __init__(self, skeleton: Skeleton) -> None:
        self.sides = SideSwapRepair(skeleton)
        self.last_s = -np.inf
        self.last: _Sighting | None = None
        self.absent_from: list[_HeldPicture] = []

    def give_up(self, track_id: int) -> None:
        """Tell the pictures that wait for the person to come back that it is too late."""
        for held in self.absent_from:
            held.hoped_for.discard(track_id)
        self.absent_from.clear()


@dataclass(frozen=True, eq=False)
class _Sighting:
    """One person's 2D in one picture; as `TrackedPerson`."""

    track_id: int
    box: np.ndarray
    keypoints: np.ndarray
    scores: np.ndarray
    finite: bool
    exchanged: tuple[str, ...] = ()
    bridged: bool = False

    def scored(self) -> np.ndarray:
        """(J, 3): keypoints with their scores."""
        return np.concatenate([self.keypoints, self.scores[:, None]], -1)


@dataclass(frozen=True)
class _Lifted:
    """What became of a person's window."""

    status: LiftStatus
    joints_m: np.ndarray | None
    filling: bool
    points: np.ndarray | None = None


@dataclass(eq=False)
class _HeldPicture:
    """A picture that waits for poses, and for people who may come back."""

    picture: DetectedPicture
    detections: int
    cut: bool
    people: dict[int, _Sighting]
    times: StageTimes = field(default_factory=lambda: StageTimes(0.0, 0.0, 0.0, 0.0))
    poses: dict[int, _Lifted] = field(default_factory=dict)
    hoped_for: set[int] = field(default_factory=set)

    @property
    def timestamp_s(self) -> float:
        return self.picture.frame.timestamp_s

    def shown(self, track_id: int) -> bool:
        """A bridge that could not be lifted shows nothing: the person was not there."""
        return self.poses[track_id].joints_m is not None or not self.people[track_id].bridged


def _between(start_s: float, start: _Sighting | None, at_s: float, end_s: float, end: _Sighting) -> _Sighting:
    """The person at a time between two sightings, by linear interpolation."""
    assert start is not None
    share = np.float32((at_s - start_s) / (end_s - start_s))
    return _Sighting(
        end.track_id,
        start.box * (1 - share) + end.box * share,
        start.keypoints * (1 - share) + end.keypoints * share,
        np.zeros_like(end.scores),
        finite=True,
        bridged=True,
    )
