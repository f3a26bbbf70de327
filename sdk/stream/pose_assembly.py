"""Makes results from detections, frame by frame: tracks, repair, windows, lifter, smoothing."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from sdk.camera.one_euro import Smoothing, smooth_together
from sdk.camera.placement import Placement
from sdk.detectors.detection import Detections
from sdk.errors import BadKeypoints
from sdk.keypoint_files.limits import FARTHEST_PX
from sdk.keypoint_files.live_plausibility import LiveDoubts
from sdk.lifting.lifter import Lifter
from sdk.lifting.people_windows import PeopleWindows
from sdk.lifting.windows import ReadyWindow
from sdk.results.pose_frame import LiftStatus, PersonPose, PoseFrame, StageTimes
from sdk.results.processors.base import Processor
from sdk.skeletons.joint_conversion import pose_scores
from sdk.skeletons.skeleton import Skeleton
from sdk.stream.people import FEWEST_FRAMES, FollowedPeople, People, Sighting, Tracklet
from sdk.tracking.left_right_swap import repair_together
from sdk.tracking.lifetime import is_forgotten
from sdk.tracking.people_choice import PeopleChoice
from sdk.tracking.person_tracker import TrackedPerson
from sdk.video.source import VideoFrame


@dataclass(frozen=True)
class DetectedImage:
    """A frame that went through the detector.

    Attributes:
        frame: The frame.
        detections: The people; None if the detector failed.
        fault: Why the detector failed.
        arrived_s: `time.perf_counter()` when the frame had been read.
        read_s: Seconds to read the frame.
        detect_s: Seconds in the detector.
    """

    frame: VideoFrame
    detections: Detections | None
    fault: str | None
    arrived_s: float
    read_s: float
    detect_s: float


class PoseAssembly:
    """Takes frames in order and returns results in order, each as soon as its poses are known.

    A person who is not detected for up to `LONGEST_GAP_S` and then comes back is bridged: the frames in between have
    the person too, with interpolated 2D and status `BRIDGED`. The last frames before the gap wait for the person until
    then, and so do the frames in the gap. Without look-ahead no frame waits and nobody is bridged; the gap is only
    interpolated in the windows of later frames.

    All tracks end, and the next people get new numbers, at a frame of another size, after a gap of the source, after a
    step of the clock that is longer than anybody is remembered, and at a frame that is older than the one before.
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
        people: PeopleChoice = "all",
    ) -> None:
        self._lifter, self._skeleton, self._live = lifter, skeleton, live
        self._repair_sides, self._processors = repair_sides, tuple(processors)
        self._people = People(skeleton, frame_rate_hz, smoothing, placement, people)
        self._streaming = lifter.streaming_graph()
        self._windows: PeopleWindows | None = None
        self._size = (0, 0)
        self._doubts: LiveDoubts | None = None
        self._newest_s = -np.inf
        self._held: deque[_HeldImage] = deque()

    def push(self, image: DetectedImage) -> list[PoseFrame]:
        """Take the next frame. Return the results that it completes.

        Raises:
            BadKeypoints: detections do not fit the skeleton, or boxes are not finite.
        """
        started = time.perf_counter()
        frame = image.frame
        results: list[PoseFrame] = []
        forgotten: tuple[int, ...] = ()
        size = (frame.image.shape[1], frame.image.shape[0])
        step_s = frame.timestamp_s - self._newest_s
        cut = frame.after_gap or not step_s > 0 or is_forgotten(step_s) or size != self._size
        if cut:
            is_first = self._windows is None
            results, forgotten = self.flush(), self._people.forget_everybody()
            self._windows = PeopleWindows(
                self._lifter.metadata, size, self._skeleton.name, self._lifter.missing_below, self._streaming
            )
            if size != self._size and self._lifter.metadata.normalisation == "screen":
                self._doubts = LiveDoubts(self._skeleton.name, size)
            self._size = size
            cut = frame.after_gap or not is_first
        self._newest_s = frame.timestamp_s

        detections = image.detections
        if detections is None:
            detections = Detections.none(len(self._skeleton))
        if detections.scores.shape[1] != len(self._skeleton):
            raise BadKeypoints(
                f"the detector returned {detections.scores.shape[1]} joints; its skeleton, {self._skeleton.name}, has "
                f"{len(self._skeleton)}."
            )
        followed = self._people.follow(detections, size, frame.timestamp_s)
        ended = self._people.end_those_away(frame.timestamp_s)
        held = _HeldImage(image, len(detections), followed, cut, (*forgotten, *followed.forgotten))
        held.people = {one.track_id: one for one in self._sightings(followed.people)}
        if self._doubts is not None:
            held.notes = self._doubts.push([one.scored() for one in held.people.values()], frame.timestamp_s)
        usable = self._repaired([one for one in held.people.values() if one.status is None], frame.timestamp_s)
        held.people |= {one.track_id: one for one in usable}
        self._held.append(held)
        track_s = time.perf_counter()
        self._lift(self._flushed(ended) + self._entered(usable, frame.timestamp_s))
        held.times = StageTimes(image.read_s, image.detect_s, track_s - started, lift_s=time.perf_counter() - track_s)
        return results + self._finished()

    def flush(self) -> list[PoseFrame]:
        """All held results; the last frame of each tracklet replaces its missing future. Then nobody is known."""
        self._lift(self._flushed(self._people.end_all()))
        return self._finished()

    def drop(self) -> None:
        """Forget everything held."""
        self._held.clear()
        self._people.end_all()

    def _sightings(self, people: Sequence[TrackedPerson]) -> list[Sighting]:
        """The tracked people; the status says if nothing of a person can be lifted.

        Joints that are not finite, or farther away than any image reaches, count as not seen.
        """
        if not people:
            return []
        keypoints, scores = np.stack([one.keypoints_px for one in people]), np.stack([one.scores for one in people])
        finite = (np.abs(keypoints) <= FARTHEST_PX).all(-1)  # false for NaN too
        if not (finite.all() and np.isfinite(scores).all()):
            keypoints = np.where(finite[..., None], keypoints, np.float32(np.nan))
            scores = np.where(finite & np.isfinite(scores), scores, np.float32(0))
        may_miss = self._lifter.metadata.input_channels == 3
        usable = (finite & (scores >= self._lifter.missing_below)).any(-1) if may_miss else finite.all(-1)
        sightings = [
            Sighting(one.track_id, one.box, *seen) for one, *seen in zip(people, keypoints, scores, strict=True)
        ]
        for sighting, is_usable in zip(sightings, usable.tolist(), strict=True):
            if not is_usable:
                sighting.status = LiftStatus.NOT_FINITE
        return sightings

    def _repaired(self, sightings: list[Sighting], timestamp_s: float) -> list[Sighting]:
        """The people who can be lifted, with their tracklets and correct sides."""
        assert self._windows is not None
        for one in sightings:
            one.tracklet = self._people.tracklet(one.track_id, timestamp_s, self._windows.begin)
        if not (sightings and self._repair_sides):
            return sightings
        repaired = repair_together(
            [one.tracklet.sides for one in sightings if one.tracklet is not None],
            np.stack([one.keypoints_px for one in sightings]),
            np.stack([one.scores for one in sightings]),
            timestamp_s,
        )
        return [
            replace(one, keypoints_px=right.keypoints_px, scores=right.scores, exchanged=right.exchanged)
            if right.exchanged
            else one
            for one, right in zip(sightings, repaired, strict=True)
        ]

    def _entered(self, sightings: list[Sighting], now_s: float) -> list[_Ready]:
        """Give the people to the windows, with the bridges over the frames before."""
        assert self._windows is not None
        ready = []
        before_s = self._held[-2].timestamp_s if len(self._held) > 1 else -np.inf
        for one in sightings:
            tracklet = one.tracklet
            assert tracklet is not None
            if tracklet.last is None or tracklet.last_s >= before_s:
                continue
            absent_from = [held for held in self._held if tracklet.last_s < held.timestamp_s < now_s]
            bridges = [tracklet.between(held.timestamp_s, one, now_s) for held in absent_from]
            for held, bridge in zip(absent_from, bridges, strict=True):
                held.people[one.track_id] = bridge
                tracklet.enter(bridge, held.timestamp_s)
                ready += self._push([tracklet], [bridge.keypoints_px], held.timestamp_s)
        for one in sightings:
            assert one.tracklet is not None
            one.tracklet.enter(one, now_s)
        tracklets = [one.tracklet for one in sightings if one.tracklet is not None]
        return ready + self._push(tracklets, [one.scored() for one in sightings], now_s)

    def _push(self, tracklets: list[Tracklet], keypoints_px: list[np.ndarray], timestamp_s: float) -> list[_Ready]:
        assert self._windows is not None
        windows = self._windows.push([one.windows for one in tracklets], keypoints_px, timestamp_s)
        return [self._settled(one, w) for one, ready in zip(tracklets, windows, strict=True) for w in ready]

    def _flushed(self, ended: list[Tracklet]) -> list[_Ready]:
        if not ended:
            return []
        assert self._windows is not None
        return [self._settled(one, window) for one in ended for window in self._windows.flush(one.windows)]

    def _settled(self, tracklet: Tracklet, window: ReadyWindow) -> _Ready:
        """The person of a window, with the present status."""
        sighting, metadata = tracklet.waiting.pop(window.timestamp_s), self._lifter.metadata
        sighting.filling = window.timestamp_s - tracklet.first_s < metadata.window_reach_s - 1e-4
        at_edge = sighting.filling or tracklet.last_s - window.timestamp_s < metadata.lookahead_s - 1e-4
        if tracklet.frames < FEWEST_FRAMES:
            sighting.status = LiftStatus.TOO_SHORT
        elif sighting.bridged:
            sighting.status = LiftStatus.BRIDGED
        else:
            sighting.status = LiftStatus.AT_EDGE if at_edge else LiftStatus.LIFTED
        return sighting, window

    def _lift(self, ready: list[_Ready]) -> None:
        """One call of the network for everybody."""
        lifted = [(sighting, window) for sighting, window in ready if sighting.status is not LiftStatus.TOO_SHORT]
        answers = self._lifter.answer_ready([window for _, window in lifted])
        for (sighting, window), answer in zip(lifted, answers, strict=True):
            if np.isfinite(answer.joints_m).all():
                sighting.joints_m, sighting.points, sighting.answer = answer.joints_m, window.keypoints, answer
            else:
                sighting.status = LiftStatus.NOT_FINITE

    def _finished(self) -> list[PoseFrame]:
        results = []
        while self._held:
            held = self._held[0]
            if any(one.status is None for one in held.people.values()):
                break
            young = self._newest_s - held.timestamp_s < self._lifter.delay_s - 1e-6
            if young and self._people.may_bridge(held.timestamp_s, self._newest_s):
                break
            results.append(self._result(self._held.popleft()))
        return results

    def _result(self, held: _HeldImage) -> PoseFrame:
        started = time.perf_counter()
        people = self._poses(held)
        smoothed = time.perf_counter()
        image, frame = held.detected, held.detected.frame
        result = PoseFrame(
            frame.index,
            frame.timestamp_s,
            frame.image,
            people,
            held.detections,
            replace(held.times, smooth_s=smoothed - started),
            delay_s=0.0,
            fault=image.fault,
            after_gap=held.cut,
            untracked=held.detections - len(held.followed.people) - len(held.followed.bystanders),
            forgotten=held.forgotten,
            notes=held.notes,
            bystanders=held.followed.bystanders,
        )
        for processor in self._processors:
            result = processor.process(result)
        now = time.perf_counter()
        latency_s = now - image.arrived_s
        return replace(
            result,
            stage_times_s=replace(result.stage_times_s, process_s=now - smoothed),
            delay_s=latency_s if self._live else self._newest_s - frame.timestamp_s,
            latency_s=latency_s,
        )

    def _poses(self, held: _HeldImage) -> tuple[PersonPose, ...]:
        """All people to show, placed and smoothed, in the order of their numbers."""
        shown = sorted((one for one in held.people.values() if one.shown), key=lambda one: one.track_id)
        if not shown:
            return ()
        now_s = held.timestamp_s
        joints = [one.joints_m for one in shown]
        roots: list[np.ndarray | None] = [None] * len(shown)
        for row, one in enumerate(shown):
            if one.tracklet is None or one.joints_m is None or one.points is None or one.tracklet.placement is None:
                continue
            joints[row], root_m = one.tracklet.placement(one.joints_m, one.points, now_s, one.deviations_m)
            if np.isfinite(root_m).all():
                roots[row] = root_m
        smoothed = [
            (row, one, one.tracklet.smoothing, pose)
            for row, (one, pose) in enumerate(zip(shown, joints, strict=True))
            if pose is not None and one.tracklet is not None and one.tracklet.smoothing is not None
        ]
        if smoothed:
            filters, poses = [one for _, _, one, _ in smoothed], np.stack([pose for *_, pose in smoothed])
            told = [one.deviations_m for _, one, *_ in smoothed if one.deviations_m is not None]
            deviations = np.stack(told) if told else None  # of one lifter: it tells all or none
            steady = smooth_together(filters, poses, now_s, deviations)
            for (row, *_), pose in zip(smoothed, steady, strict=True):
                joints[row] = pose
        scores = np.stack([one.scores for one in shown])
        visibilities = pose_scores(scores, self._skeleton.name, self._lifter.skeleton.name)
        return tuple(
            PersonPose(
                one.track_id,
                one.box,
                one.keypoints_px,
                one.scores,
                one.status or LiftStatus.NOT_FINITE,
                pose,
                root_m=root_m,
                visibility=visibility,
                window_filling=one.filling,
                exchanged=one.exchanged,
                **({} if one.answer is None else one.answer.further()),
            )
            for one, pose, root_m, visibility in zip(shown, joints, roots, visibilities, strict=True)
        )


_Ready = tuple[Sighting, ReadyWindow]


@dataclass(eq=False)
class _HeldImage:
    """A frame that waits for poses, and for people who may come back."""

    detected: DetectedImage
    detections: int
    followed: FollowedPeople
    cut: bool
    forgotten: tuple[int, ...]
    people: dict[int, Sighting] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    times: StageTimes = field(default_factory=lambda: StageTimes(0.0, 0.0, 0.0, 0.0))

    @property
    def timestamp_s(self) -> float:
        return self.detected.frame.timestamp_s
