"""The threads of a stream: one reads, one detects, one lifts, with short queues between them."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator

from sdk.detectors.detection import Detector
from sdk.detectors.parallel import OrderedDetection, detect_in_order
from sdk.errors import StreamFailed
from sdk.results.pose_frame import PoseFrame
from sdk.stream.delay_statistics import DelayStatistics
from sdk.stream.pose_assembly import DetectedImage, PoseAssembly
from sdk.tracking.person_tracker import check_boxes
from sdk.video.frame_queue import FrameQueue, QueuePolicy
from sdk.video.pushed_frames import PushedFrames
from sdk.video.source import VideoFrame, VideoSource

MOST_FAULTS_IN_A_ROW = 10
"""The stream ends after so many detector failures in a row."""
QUEUE_SIZES: dict[QueuePolicy, int] = {"latest": 1, "all": 4}
"""How many frames may wait for the detector, by default."""
_JOIN_S = 0.8
"""How long closing waits for threads; one inside a driver's blocking read ends by itself when that returns."""
_RESULTS_SIZE = 8

_log = logging.getLogger(__name__)
_ReadImage = tuple[VideoFrame, float, float]
"""A frame, the seconds to read it, and when it had been read."""


class StreamThreads:
    """Runs a stream. It has no reference to the `PoseStream` of the application, so that an abandoned one is collected.

    Attributes:
        images: Frames that wait for the detector.
        results: Results that wait for the application.
        delays: Latency of the results so far.
        read: Number of frames that came from the source.
        faults: Number of frames on which the detector failed.
        made: Number of results.
    """

    def __init__(
        self,
        source: VideoSource | PushedFrames,
        detector: Detector,
        assembly: PoseAssembly,
        policy: QueuePolicy,
        queue_size: int,
    ) -> None:
        """Prepare; no thread runs yet.

        Raises:
            BadSetting: the queue has no length.
        """
        self._source, self._detector, self._assembly, self._policy = source, detector, assembly, policy
        # After the first queue nothing is dropped: every frame that was detected is lifted.
        self.images: FrameQueue[_ReadImage] = FrameQueue(queue_size, policy)
        self._detected: FrameQueue[DetectedImage] = FrameQueue(1, "all")
        self.results: FrameQueue[PoseFrame] = FrameQueue(_RESULTS_SIZE, policy)
        self.delays = DelayStatistics()
        self.read = self.faults = self.made = 0
        self._threads: list[threading.Thread] = []

    def start(self, callback: Callable[[], None] | None) -> None:
        """Start the threads if they do not run, and one more for a callback.

        Raises:
            BadVideo: the source was already read.
        """
        if self._threads:
            return
        images = self._source.frames()
        self._thread("read", self.images, lambda: self._read_all(images))
        self._thread("detect", self._detected, self._detect_all)
        self._thread("lift", self.results, self._lift_all)
        if callback is not None:
            self._threads.append(threading.Thread(target=callback, name="adaptpose-callback", daemon=True))
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        """Tell the threads to end, and close the source. It does not wait, so that garbage collection can call it."""
        for queue in (self.images, self._detected, self.results):
            queue.close()
        self._source.close()

    def close(self) -> None:
        """End, wait for the threads, and drop what is held."""
        threads = list(self._threads)
        self.end()
        until = time.monotonic() + _JOIN_S
        for thread in threads:
            if thread is not threading.current_thread():
                thread.join(max(0.0, until - time.monotonic()))
        if not any(thread.is_alive() and thread.name == "adaptpose-lift" for thread in threads):
            self._assembly.drop()

    def _thread(self, name: str, output: FrameQueue, work: Callable[[], None]) -> None:
        """A thread that ends its output queue when it ends, also after an error."""

        def run() -> None:
            try:
                work()
            except BaseException as error:  # also KeyboardInterrupt: it goes to the receiver of the results
                output.end(error)
            else:
                output.end()

        self._threads.append(threading.Thread(target=run, name=f"adaptpose-{name}", daemon=True))

    def _read_all(self, images: Iterator[VideoFrame]) -> None:
        before = time.perf_counter()
        for frame in images:
            now = time.perf_counter()
            self.read += 1
            if not self.images.put((frame, now - before, now)):
                return
            del frame  # the queue's is the only reference while the next one is decoded
            before = time.perf_counter()

    def _detect_all(self) -> None:
        in_a_row = 0
        pairs = isinstance(self._source, VideoSource) and not self._source.live and self._policy == "all"
        with OrderedDetection(self._detector, pairs=pairs) as detector:
            for (frame, read_s, arrived_s), seen in detect_in_order(
                detector, self.images, lambda image: image[0].image
            ):
                found, detections, fault = None, None, None
                try:
                    found = seen.result()
                    check_boxes(found)
                    detections, in_a_row = found, 0
                except Exception as error:
                    in_a_row += 1
                    self.faults += 1
                    fault = f"{type(error).__name__}: {error}"
                    _log.warning("the detector failed on image %d: %s", frame.index, fault)
                    if in_a_row >= MOST_FAULTS_IN_A_ROW:
                        raise StreamFailed(
                            f"the detector failed on {in_a_row} images in a row, last on image {frame.index}: {fault}"
                        ) from error
                if not self._detected.put(DetectedImage(frame, detections, fault, arrived_s, read_s, seen.seconds)):
                    return
                del frame, found, detections, seen

    def _lift_all(self) -> None:
        for image in self._detected:
            if not self._hand_over(self._assembly.push(image)):
                return
            del image
        self._hand_over(self._assembly.flush())

    def _hand_over(self, results: list[PoseFrame]) -> bool:
        for result in results:
            self.delays.add(result.latency_s, result.stage_times_s.detect_s)
            self.made += 1
            if not self.results.put(result):
                return False
        return True
