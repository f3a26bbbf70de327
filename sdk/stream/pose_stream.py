"""Video in, people in 3D out: source, detector, tracks, lifter and filter in one chain of threads."""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType

import numpy as np

from sdk.camera.one_euro import Smoothing
from sdk.camera.pinhole_camera import ASSUMED, Pinhole
from sdk.camera.placement import Placement
from sdk.detectors.detection import Detector
from sdk.detectors.factory import open_detector
from sdk.errors import BadVideo
from sdk.lifting.graph_metadata import GraphKind
from sdk.lifting.lifter import Lifter, require_screen
from sdk.results.pose_frame import PoseFrame
from sdk.results.processors.base import Processor
from sdk.skeletons.skeleton import Skeleton
from sdk.stream.delay_statistics import Delays
from sdk.stream.pose_assembly import PoseAssembly
from sdk.stream.stream_threads import QUEUE_SIZES, StreamThreads
from sdk.tracking.lifetime import LONGEST_GAP_S
from sdk.video.frame_queue import QueueEnd, QueuePolicy, check_policy
from sdk.video.pushed_frames import PushedFrames
from sdk.video.reconnection import Reconnection
from sdk.video.source import DEFAULT_FRAME_RATE_HZ, VideoSource, open_video


@dataclass(frozen=True)
class StreamCounts:
    """What happened to the pictures of a stream so far.

    Attributes:
        read: Pictures that came from the source.
        dropped: Of those, how many newer ones replaced before the detector was free (policy `latest`).
        late: Pushed pictures left out because they were not newer than the one before.
        faults: Pictures on which the detector failed.
        results: Results made.
        results_dropped: Of those, how many newer ones replaced because nobody took them (policy `latest`).
        interruptions: How often the source was lost and came back.
    """

    read: int
    dropped: int
    late: int
    faults: int
    results: int
    results_dropped: int
    interruptions: int


class PoseStream:
    """The pictures of a source with their people in 2D and 3D; a context manager.

    Take the results by iterating, by `async for`, or with a callback:

        with PoseStream(0, "mediapipe") as stream:
            for frame in stream: ...

        async with PoseStream(0, "mediapipe") as stream:
            async for frame in stream: ...

        with PoseStream(0, "mediapipe", on_result=show) as stream:
            stream.wait()

    Reading, detecting and lifting run in a thread each, joined by short queues, and start with the first result asked
    for (with a callback: with the context). A recording's pictures are detected two at a time where the detector can do
    that (ONNX files on the CPU), which more than makes up for a core less for each; a live one's never wait for
    another. The lifter needs to see a person's future (`delay_s`), so a picture is held until the poses of everybody in
    it are known and then comes out whole: image, 2D and 3D are of one instant. Where a person is lost from sight, it
    waits up to the longest gap for them to come back (`longest_delay_s`). At the end of the source the rest comes out,
    with each track's last frame standing in for its future.

    A person not detected for up to half a second (`sdk.tracking.lifetime`) is bridged; see `PoseAssembly`. After a
    longer gap the window starts over, after a second the person gets a new number. Nothing is kept of people who left.

    Attributes:
        source: The open video, or the `PushedFrames`.
        skeleton: Layout of the 2D keypoints.
        delay_s: The future that a window needs: how old a pose is when it is known, at the least.
        longest_delay_s: The same where somebody was lost from sight; without look-ahead nobody is waited for.
        graph: `streaming` if the lifter's streaming graph takes part, else `window`; see `LifterStream`.
        smoothing: Of the poses; `smoothing.delay_s(speed)` is what it adds to the delay of a moving joint.
    """

    def __init__(
        self,
        source: str | int | Path | VideoSource | PushedFrames | None,
        detector: Detector | str,
        lifter: Lifter | None = None,
        *,
        boxes: str | None = None,
        device: str = "cpu",
        fps: float = DEFAULT_FRAME_RATE_HZ,
        policy: QueuePolicy | None = None,
        queue_size: int | None = None,
        smoothing: Smoothing | None = Smoothing(),  # noqa: B008  # frozen
        repair_sides: bool = True,
        camera: Pinhole | None = None,
        settle_bones: bool = False,
        height_m: float | None = None,
        processors: Sequence[Processor] = (),
        on_result: Callable[[PoseFrame], object] | None = None,
        reconnection: Reconnection | None = Reconnection(),  # noqa: B008  # frozen
    ) -> None:
        """Open what is given by name.

        Args:
            source: What `open_video` takes, or an open video; closed with the stream in either case. None for pictures
                that the application hands in with `push`.
            detector: A detector, or a specification for `open_detector`.
            lifter: None for the shipped one.
            boxes: Specification of the detector that finds person boxes for a top-down one; only with a specification.
            device: Where a detector and lifter opened here run.
            fps: Frame rate of sources that do not state theirs.
            policy: `latest`: a picture that the detector has no time for is dropped when a newer one comes, and so are
                results that nobody takes; `all`: the source waits. None for `latest` with live sources and pushed
                pictures, `all` with recordings.
            queue_size: How many pictures may wait for the detector; None for 1 with `latest`, which keeps the delay
                short, and 4 with `all`.
            smoothing: None for poses as the lifter gives them.
            repair_sides: Undo exchanges of left and right by the detector; see `SideSwapRepair`.
            camera: With it, people get their position in the camera, `root_m`; see `Placement`.
            settle_bones: Whether bone lengths settle over time; see `Placement`.
            height_m: How tall people are, if it is known (one person, a team of one height): poses and positions are
                scaled to it; see `Placement`.
            processors: The application's own steps, in order.
            on_result: Called with every result, in a thread of its own; what it raises ends the stream and is raised by
                `wait` or at the end of the context.
            reconnection: How a camera or live stream opened here is opened again when it is lost; None ends there.

        Raises:
            BadVideo: the source can't be opened.
            UnknownPolicy: a policy that is neither `latest` nor `all`.
            UnknownDetector, UnknownDevice, DeviceUnavailable, BadModelFile, MissingDependency: see `open_detector`.
            BadSetting: a queue of no length.
            BadBodyHeight: a height that no person has.
            BadKeypoints: a position, settled bones or a height were asked for, of a lifter for cropped footage.
        """
        if policy is not None:
            check_policy(policy)
        if not (np.isfinite(fps) and fps > 0):
            raise BadVideo(f"fps must be a positive number of frames per second, not {fps!r}.")
        self._detector = open_detector(detector, boxes=boxes, device=device) if isinstance(detector, str) else detector
        self._lifter = Lifter(device=device, threads=1) if lifter is None else lifter
        placement = partial(Placement, camera or ASSUMED, settle_bones=settle_bones, height_m=height_m)
        placed = camera is not None or settle_bones or height_m is not None
        if placed:
            placement()  # refuses what can't be before a source is opened
            require_screen(self._lifter.metadata)
        if source is None:
            policy = policy or "latest"
            source = PushedFrames(
                frame_rate_hz=fps, policy=policy, queue_size=QUEUE_SIZES[policy] if queue_size is None else queue_size
            )
        elif not isinstance(source, VideoSource | PushedFrames):
            source = open_video(source, fps=fps, reconnection=reconnection)
        self.source: VideoSource | PushedFrames = source
        self.skeleton: Skeleton = self._detector.skeleton
        self.delay_s = self._lifter.delay_s
        self.longest_delay_s = self.delay_s + (LONGEST_GAP_S if self._lifter.metadata.lookahead_frames else 0.0)
        self.smoothing = smoothing
        self.policy: QueuePolicy = policy or ("latest" if source.live else "all")
        self._assembly = PoseAssembly(
            self._lifter,
            self.skeleton,
            source.frame_rate_hz,
            live=source.live,
            smoothing=smoothing,
            placement=placement if placed else None,
            repair_sides=repair_sides,
            processors=processors,
        )
        self.graph: GraphKind = "window" if self._lifter.streaming_graph() is None else "streaming"
        self._on_result = on_result
        size = QUEUE_SIZES[self.policy] if queue_size is None else queue_size
        self._threads = StreamThreads(source, self._detector, self._assembly, self.policy, size)
        # A stream that is left by `break` and dropped ends its threads and frees its camera, too.
        weakref.finalize(self, self._threads.end).atexit = False
        self._state = threading.Lock()
        self._closed = False
        self._finished = threading.Event()
        self._callback_error: BaseException | None = None

    @property
    def delays(self) -> Delays:
        """Percentiles of the delay over the last frames; can be read at any time, from any thread."""
        return self._threads.delays.read()

    @property
    def counts(self) -> StreamCounts:
        """Pictures read, dropped, failed, and results, so far; can be read at any time, from any thread."""
        pushed, threads = self.source if isinstance(self.source, PushedFrames) else None, self._threads
        return StreamCounts(
            read=threads.read + (pushed.dropped if pushed else 0),
            dropped=threads.pictures.dropped + (pushed.dropped if pushed else 0),
            late=pushed.late if pushed else 0,
            faults=threads.faults,
            results=threads.made,
            results_dropped=threads.results.dropped,
            interruptions=self.source.interruptions,
        )

    def push(self, image: np.ndarray, timestamp_s: float) -> bool:
        """Hand in a picture of a stream without a source of its own; see `PushedFrames.push`.

        Raises:
            BadPicture: for another array than (H, W, 3) uint8.
            BadVideo: the stream has a source, or the time is not finite.
        """
        if not isinstance(self.source, PushedFrames):
            raise BadVideo(f"this stream reads {self.source.name}; make one with source=None to push pictures.")
        self.start()
        return self.source.push(image, timestamp_s)

    def end(self) -> None:
        """No more pictures will be pushed: the results still held come out, then the stream ends.

        Raises:
            BadVideo: the stream has a source.
        """
        if not isinstance(self.source, PushedFrames):
            raise BadVideo(f"this stream ends with {self.source.name}; close() ends it earlier.")
        self.source.end()

    def start(self) -> None:
        """Start the threads, unless they run; iterating, pushing and the context of a callback do so by themselves.

        Raises:
            BadVideo: the stream was closed, or its source was already read.
        """
        with self._state:
            if self._closed:
                raise BadVideo(f"this stream of {self.source.name} was closed; make another.")
            self._threads.start(None if self._on_result is None else self._call_back)

    def __iter__(self) -> Iterator[PoseFrame]:
        self.start()
        yield from self._threads.results

    async def __aiter__(self) -> AsyncIterator[PoseFrame]:
        self.start()
        while True:
            # Waiting takes nothing out: a cancelled task loses no result.
            while not await asyncio.to_thread(self._threads.results.wait, 0.1):
                pass
            try:
                yield self._threads.results.get()
            except QueueEnd:
                return

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until a stream with a callback has ended; False if that took longer.

        Raises:
            Whatever ended it: the callback's own error, or one of the source, the detector or a processor.
        """
        done = self._finished.wait(timeout_s)
        self._raise_callback_error()
        return done

    def close(self) -> None:
        """End all threads, close the source and drop what is held; from any thread, more than once.

        A callback is called no more. A read that blocks inside a camera's driver is not waited for: its thread releases
        the camera as soon as it returns.
        """
        with self._state:
            self._closed = True
        self._threads.close()
        self._finished.set()

    def __enter__(self) -> PoseStream:
        if self._on_result is not None:
            self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
        if error is None:
            self._raise_callback_error()

    async def __aenter__(self) -> PoseStream:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.close)
        if error is None:
            self._raise_callback_error()

    def _call_back(self) -> None:
        assert self._on_result is not None
        try:
            for frame in self:
                self._on_result(frame)
        except BaseException as error:  # raised where the application waits
            self._callback_error = error
            self._finished.set()
            self.close()
        finally:
            self._finished.set()

    def _raise_callback_error(self) -> None:
        error, self._callback_error = self._callback_error, None
        if error is not None:
            raise error
