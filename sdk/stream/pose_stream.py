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
from sdk.lifting.lifter import Lifter, require_camera_axes, require_screen
from sdk.results.pose_frame import PoseFrame
from sdk.results.processors.base import Processor
from sdk.skeletons.skeleton import Skeleton
from sdk.stream.delay_statistics import Delays
from sdk.stream.pose_assembly import PoseAssembly
from sdk.stream.stream_threads import QUEUE_SIZES, StreamThreads
from sdk.tracking.lifetime import LONGEST_GAP_S
from sdk.tracking.people_choice import PeopleChoice, check_people
from sdk.video.frame_queue import QueueEnd, QueuePolicy, check_policy
from sdk.video.pushed_frames import PushedFrames
from sdk.video.reconnection import Reconnection
from sdk.video.source import DEFAULT_FRAME_RATE_HZ, VideoSource, open_video


@dataclass(frozen=True)
class StreamCounts:
    """What happened to the frames of a stream so far.

    Attributes:
        read: Frames that came from the source.
        dropped: Frames that were dropped for newer ones because the detector was busy (policy `latest`).
        late: Pushed frames that were left out because they were not newer than the one before.
        faults: Frames on which the detector failed.
        results: Results made.
        results_dropped: Results that were dropped for newer ones because nobody took them (policy `latest`).
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
    """The frames of a source with their people in 2D and 3D. It is a context manager.

    Take the results by iterating, by `async for`, or with a callback:

        with PoseStream(0) as stream:
            for frame in stream: ...

        async with PoseStream(0) as stream:
            async for frame in stream: ...

        with PoseStream(0, on_result=show) as stream:
            stream.wait()

    Reading, detecting and lifting run in one thread each, with short queues between them. They start when the first
    result is asked for (with a callback: with the context). Frames of a recording are detected two at a time if the
    detector can do that (ONNX files on the CPU), which is faster. Live frames never wait for another frame.

    The lifter needs future frames (`delay_s`). So a frame is held until the poses of all its people are known. Then
    image, 2D and 3D come out together, for the same moment. If a person is lost from sight, the frame waits for them up
    to the longest gap (`longest_delay_s`). At the end of the source the rest comes out; the last frame of each track
    replaces its missing future.

    A person who is not detected for up to half a second (`sdk.tracking.lifetime`) is bridged; see `PoseAssembly`. After
    a longer gap the window starts again; after a second the person gets a new number. No data of people who left is
    kept.

    Attributes:
        source: The open video, or the `PushedFrames`.
        skeleton: Skeleton of the 2D keypoints.
        pose_skeleton: Skeleton of the 3D poses.
        delay_s: Delay: how much future a window needs. A pose is at least this old when it is known.
        longest_delay_s: The delay if somebody was lost from sight. Without look-ahead, nobody is waited for.
        graph: `streaming` if the lifter's streaming graph is used, else `window`; see `LifterStream`.
        people: Who is meant.
        smoothing: Smoothing of the poses. It adds `smoothing.delay_s(speed)` to the delay of a moving joint.
    """

    def __init__(
        self,
        source: str | int | Path | VideoSource | PushedFrames | None,
        detector: Detector | str = "movenet",
        lifter: Lifter | None = None,
        *,
        boxes: str | None = None,
        device: str = "cpu",
        fps: float | None = None,
        policy: QueuePolicy | None = None,
        queue_size: int | None = None,
        smoothing: Smoothing | None = Smoothing(),  # noqa: B008  # frozen
        repair_sides: bool = True,
        camera: Pinhole | None = None,
        settle_bones: bool = False,
        height_m: float | None = None,
        processors: Sequence[Processor] = (),
        people: PeopleChoice = "all",
        on_result: Callable[[PoseFrame], object] | None = None,
        reconnection: Reconnection | None = Reconnection(),  # noqa: B008  # frozen
    ) -> None:
        """Open what is given by name.

        Args:
            source: A source for `open_video`, or an open video. It is closed with the stream. None for frames that the
                application passes to `push`.
            detector: A detector, or a name for `open_detector`. MoveNet's weights are fetched at first use.
            lifter: The lifter; None for the shipped one.
            boxes: Name of the detector of person boxes for a top-down detector. Only if `detector` is a name.
            device: Device for a detector and lifter that are opened here.
            fps: Frame rate of recordings that do not state theirs, such as image folders. For pushed images, about how
                many come a second (25 if not given); their times are what you state.
            policy: `latest`: if the detector is busy, frames are dropped for newer ones, and so are results that nobody
                takes. `all`: the source waits. None: `latest` for live sources and pushed frames, `all` for recordings.
            queue_size: How many frames may wait for the detector. None: 1 with `latest`, which keeps latency short, and
                4 with `all`.
            smoothing: Smoothing of the poses; None for none.
            repair_sides: Whether to repair left-right swaps of the detector; see `SideSwapRepair`.
            camera: If given, people get their position in the camera, `root_m`; see `Placement`.
            settle_bones: Whether bone lengths settle over time; see `Placement`.
            height_m: Height of the people, if it is known (one person, or all of one height). Poses and positions are
                scaled to it; see `Placement`.
            processors: Steps of the application, in order.
            people: Who is meant: `all`, `largest`, `central`, or the number of the largest people; see `PeopleFilter`.
                The others are tracked, and counted in `PoseFrame.bystanders`.
            on_result: Called with every result, in its own thread. If it raises an error, the stream ends; `wait` or
                the end of the context raises the error again.
            reconnection: How to open a camera or live stream again after it is lost; None ends the stream there.

        Raises:
            BadVideo: the source can't be opened.
            UnknownPolicy: the policy is neither `latest` nor `all`.
            UnknownDetector, UnknownDevice, DeviceUnavailable, BadModelFile, MissingDependency: see `open_detector`.
            BadSetting: the queue has no length, or there is no such choice of people.
            BadBodyHeight: no person has this height.
            BadKeypoints: camera, settled bones or height were given, but the lifter is for cropped footage.
            MissingVertical: the lifter is `upright`; the processor `Upright` is for streams.
        """
        if policy is not None:
            check_policy(policy)
        if fps is not None and not (np.isfinite(fps) and fps > 0):
            raise BadVideo(f"fps must be a positive number of frames per second, not {fps!r}.")
        self.people = check_people(people)
        self._detector = open_detector(detector, boxes=boxes, device=device) if isinstance(detector, str) else detector
        self._lifter = Lifter(device=device, threads=1) if lifter is None else lifter
        require_camera_axes(self._lifter)
        placement = partial(Placement, camera or ASSUMED, settle_bones=settle_bones, height_m=height_m)
        placed = camera is not None or settle_bones or height_m is not None
        if placed:
            placement()  # refuses bad values before a source is opened
            require_screen(self._lifter.metadata)
        if source is None:
            policy = policy or "latest"
            source = PushedFrames(
                frame_rate_hz=fps or DEFAULT_FRAME_RATE_HZ,
                policy=policy,
                queue_size=QUEUE_SIZES[policy] if queue_size is None else queue_size,
            )
        elif not isinstance(source, VideoSource | PushedFrames):
            source = open_video(source, fps=fps, reconnection=reconnection)
        self.source: VideoSource | PushedFrames = source
        self.skeleton: Skeleton = self._detector.skeleton
        self.pose_skeleton: Skeleton = self._lifter.skeleton
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
            people=people,
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
        """Percentiles of the latency over the last frames. It can be read at any time, from any thread."""
        return self._threads.delays.read()

    @property
    def counts(self) -> StreamCounts:
        """Frames read, dropped and failed, and results, so far. It can be read at any time, from any thread."""
        pushed, threads = self.source if isinstance(self.source, PushedFrames) else None, self._threads
        return StreamCounts(
            read=threads.read + (pushed.dropped if pushed else 0),
            dropped=threads.images.dropped + (pushed.dropped if pushed else 0),
            late=pushed.late if pushed else 0,
            faults=threads.faults,
            results=threads.made,
            results_dropped=threads.results.dropped,
            interruptions=self.source.interruptions,
        )

    def push(self, image: np.ndarray, timestamp_s: float) -> bool:
        """Pass in a frame, for a stream without a source; see `PushedFrames.push`.

        Raises:
            BadImage: the image is not (H, W, 3) uint8.
            BadVideo: the stream has a source, or the time is not finite.
        """
        if not isinstance(self.source, PushedFrames):
            raise BadVideo(f"this stream reads {self.source.name}; make one with source=None to push images.")
        self.start()
        return self.source.push(image, timestamp_s)

    def end(self) -> None:
        """Say that no more frames will be pushed. The held results come out, then the stream ends.

        Raises:
            BadVideo: the stream has a source.
        """
        if not isinstance(self.source, PushedFrames):
            raise BadVideo(f"this stream ends with {self.source.name}; close() ends it earlier.")
        self.source.end()

    def start(self) -> None:
        """Start the threads if they do not run. Iterating, pushing and the context of a callback do this automatically.

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
        """Wait until a stream with a callback has ended. Returns False on timeout.

        Raises:
            Whatever ended the stream: an error of the callback, the source, the detector or a processor.
        """
        done = self._finished.wait(timeout_s)
        self._raise_callback_error()
        return done

    def close(self) -> None:
        """End all threads, close the source and drop all held frames. Any thread may call it, also more than once.

        The callback is not called any more. A read that blocks inside a camera's driver is not waited for: its thread
        releases the camera as soon as it returns.
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
