"""Video in, people in 3D out: source, detector, tracks, windows and lifter in one chain."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

import numpy as np

from sdk.detectors.detection import Detector
from sdk.detectors.opening import open_detector
from sdk.lifter import Lifter
from sdk.poses import LiftStatus, PersonPose, PoseFrame, StageTimes
from sdk.skeletons import Skeleton
from sdk.track_windows import LONGEST_GAP_S, PersonWindow, TrackWindows
from sdk.tracks import PersonTracker, TrackedPerson
from sdk.video import DEFAULT_FRAME_RATE_HZ, VideoFrame, VideoSource, open_video


class PoseStream:
    """Iterates over the pictures of a source with their people in 2D and 3D; a context manager.

    The lifter needs to see a person's future (`delay_s`), so a picture is held until the poses of everybody in it are
    known and is then yielded whole: image, 2D and 3D are of one instant. Where a person is lost from sight, the stream
    waits up to the longest gap for them to come back (`longest_delay_s`); pictures held are bounded by that. At the end
    of the source the rest is yielded, with each track's last frame standing in for its future.

    A person not detected for up to `track_windows.LONGEST_GAP_S` is bridged by interpolation: the pictures in between
    have no pose of that person, the windows around them are whole. After a longer gap the window starts over, after
    `tracks.FORGET_AFTER_S` the person gets a new number. Nothing is kept of people who left.

    Attributes:
        source: The open video.
        skeleton: Layout of the 2D keypoints.
        delay_s: The future that a window needs: how old a pose is when it is known, at the least.
        longest_delay_s: The same where somebody was lost from sight.
    """

    def __init__(
        self,
        source: str | int | Path | VideoSource,
        detector: Detector | str,
        lifter: Lifter | None = None,
        *,
        boxes: str | None = None,
        device: str = "cpu",
        fps: float = DEFAULT_FRAME_RATE_HZ,
    ) -> None:
        """Open what is given by name.

        Args:
            source: What `open_video` takes, or an open video; closed with the stream in either case.
            detector: A detector, or a specification for `open_detector`.
            lifter: None for the shipped one.
            boxes: Specification of the detector that finds person boxes for a top-down one; only with a specification.
            device: Where a detector and lifter opened here run.
            fps: Frame rate of sources that do not state theirs.

        Raises:
            BadVideo, UnknownDetector, UnknownDevice, DeviceUnavailable, BadModelFile, MissingDependency
        """
        self._detector = open_detector(detector, boxes=boxes, device=device) if isinstance(detector, str) else detector
        self._lifter = Lifter(device=device) if lifter is None else lifter
        self.source = source if isinstance(source, VideoSource) else open_video(source, fps=fps)
        self.skeleton: Skeleton = self._detector.skeleton
        self.delay_s = self._lifter.delay_s
        self.longest_delay_s = self.delay_s + LONGEST_GAP_S
        self._tracker = PersonTracker(self.source.frame_rate_hz)
        self._windows = TrackWindows(self._lifter.card, self.source.image_size, self.skeleton.name)
        self._held: deque[_HeldFrame] = deque()
        self._missing: dict[tuple[int, float], _HeldFrame] = {}

    def __iter__(self) -> Iterator[PoseFrame]:
        self._detector.reset()
        last_s = -np.inf
        before = time.perf_counter()
        for frame in self.source:
            self._take(frame, time.perf_counter() - before)
            last_s = frame.timestamp_s
            del frame
            yield from self._finished(last_s)
            before = time.perf_counter()
        self._lift(self._windows.flush())
        yield from self._finished(last_s)

    def _take(self, frame: VideoFrame, read_s: float) -> None:
        """One step: detect, track, lift whatever windows are ready."""
        started = time.perf_counter()
        detections = self._detector(frame.image)
        detected = time.perf_counter()
        people = self._tracker.update(detections)
        tracked = time.perf_counter()
        held = _HeldFrame(frame, people, len(detections))
        self._held.append(held)
        finite = {p.track_id: p.keypoints for p in people if np.isfinite(p.keypoints).all()}
        for person in people:
            if person.track_id in finite:
                self._missing[person.track_id, frame.timestamp_s] = held
            else:
                held.poses[person.track_id] = (LiftStatus.NOT_FINITE, None)
        self._lift(self._windows.push(finite, frame.timestamp_s))
        held.times = StageTimes(read_s, detected - started, tracked - detected, time.perf_counter() - tracked)

    def _lift(self, windows: list[PersonWindow]) -> None:
        """One call of the network for everybody; hand the poses to the pictures that wait for them."""
        usable = [w.window for w in windows if w.window is not None]
        poses = iter(self._lifter.lift_windows(np.stack(usable)) if usable else ())
        for w in windows:
            held = self._missing.pop((w.track_id, w.timestamp_s))
            if w.window is None:
                held.poses[w.track_id] = (LiftStatus.TOO_SHORT, None)
            else:
                held.poses[w.track_id] = (LiftStatus.AT_EDGE if w.at_edge else LiftStatus.LIFTED, next(poses))

    def _finished(self, newest_s: float) -> Iterator[PoseFrame]:
        while self._held and len(self._held[0].poses) == len(self._held[0].people):
            held = self._held.popleft()
            now_s = time.monotonic() if self.source.live else newest_s
            yield held.result(now_s)

    def close(self) -> None:
        """Close the source and drop what is held."""
        self.source.close()
        self._held.clear()
        self._missing.clear()

    def __enter__(self) -> PoseStream:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@dataclass(eq=False)
class _HeldFrame:
    """A picture that waits for poses."""

    frame: VideoFrame
    people: list[TrackedPerson]
    detections: int
    times: StageTimes = field(default_factory=lambda: StageTimes(0.0, 0.0, 0.0, 0.0))
    poses: dict[int, tuple[LiftStatus, np.ndarray | None]] = field(default_factory=dict)

    def result(self, now_s: float) -> PoseFrame:
        people = tuple(
            PersonPose(p.track_id, p.box, p.keypoints, p.scores, *self.poses[p.track_id]) for p in self.people
        )
        frame = self.frame
        return PoseFrame(
            frame.index,
            frame.timestamp_s,
            frame.image,
            people,
            self.detections,
            self.times,
            delay_s=now_s - frame.timestamp_s,
        )
