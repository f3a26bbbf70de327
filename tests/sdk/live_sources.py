"""Sources that behave badly, and detectors that do."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from sdk.detectors.detection import Detections
from sdk.detectors.parallel import ParallelDetector
from sdk.errors import BadVideo
from sdk.skeletons.skeleton import COCO17
from sdk.video.lost_frames import LostFrames
from sdk.video.readers import TimedImage
from tests.sdk.stick_figures import KnowingDetector, read_index


class ListReader:
    """A reader of given images and times; live or not."""

    frame_rate_hz = 25.0
    interruptions = 0
    widened = (1.0, 1.0)

    def __init__(self, images: Sequence[TimedImage], live: bool = True) -> None:
        self.live = live
        self.frame_count = None if live else len(images)
        self.closed = False
        self._pictures: Iterator[TimedImage] = iter(images)

    def read(self) -> TimedImage | None:
        return None if self.closed else next(self._pictures, None)

    def lost_frames(self) -> tuple[LostFrames, ...]:
        return ()

    def close(self) -> None:
        self.closed = True


class EndlessReader(ListReader):
    """One image for ever, as fast as it is asked for or as a gate lets through."""

    def __init__(self, image: np.ndarray, gate: threading.Semaphore | None = None) -> None:
        super().__init__([])
        self._image, self._gate, self.reads = image, gate, 0

    def read(self) -> TimedImage | None:
        if self._gate is not None:
            self._gate.acquire()
        if self.closed:
            return None
        self.reads += 1
        return self._image, self.reads / 25


class Reopening:
    """Opens one reader after the other; None stands for a trial that fails."""

    def __init__(self, readers: Sequence[ListReader | None]) -> None:
        self._readers = iter(readers)
        self.trials = 0

    def __call__(self) -> ListReader:
        self.trials += 1
        reader = next(self._readers, None)
        if reader is None:
            raise BadVideo("nobody answers")
        return reader


class FailingDetector(KnowingDetector):
    """Raises on the images with these numbers."""

    def __init__(self, people: Sequence[Sequence[np.ndarray | None]], fails: Callable[[int], bool]) -> None:
        super().__init__(people)
        self._fails = fails

    def __call__(self, image_bgr: np.ndarray) -> Detections:
        index = read_index(image_bgr)
        if self._fails(index):
            raise RuntimeError(f"no luck with {index}")
        return super().__call__(image_bgr)


class SharedFailingDetector(FailingDetector):
    """Looks at two images at a time; each look of a pair waits for the other."""

    def __init__(self, people: Sequence[Sequence[np.ndarray | None]], fails: Callable[[int], bool]) -> None:
        super().__init__(people, fails)
        self.together = 0
        self._both = threading.Barrier(2, self._count)

    def parallel(self) -> ParallelDetector:
        def look(image_bgr: np.ndarray, kept: object) -> tuple[Detections, object]:
            self._both.wait(timeout=10)
            return self(image_bgr), kept

        return ParallelDetector(look, self.identity)

    def _count(self) -> None:
        self.together += 1


class NobodyDetector:
    """Finds nobody in images of any size."""

    identity = "nobody"
    skeleton = COCO17

    def __call__(self, image_bgr: np.ndarray) -> Detections:
        return Detections.none(len(self.skeleton))

    def reset(self) -> None:
        """Nothing to forget."""


def adaptpose_threads() -> list[str]:
    """Names of the stream's threads that are alive."""
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("adaptpose-")]
