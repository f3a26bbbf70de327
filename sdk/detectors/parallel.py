"""Two pictures of a recording in a detector at once.

A core for each picture does more than both cores on one: MoveNet's small layers leave a second thread little to do.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol, TypeVar, runtime_checkable

import numpy as np

from sdk.detectors.detection import Detections, Detector

T = TypeVar("T")


@dataclass(frozen=True)
class ParallelDetector:
    """A detector that two threads can use at the same time; what a detector's own `parallel()` returns.

    Attributes:
        look: Takes a picture and what is kept of those before it (None at the start); returns what it finds and what is
            to be kept. Changes nothing else.
        identity: As `Detector.identity`, of results with two pictures at a time.
    """

    look: Callable[[np.ndarray, Any], tuple[Detections, Any]]
    identity: str


@runtime_checkable
class SupportsParallel(Detector, Protocol):
    """A detector that can look at two pictures at the same time."""

    def parallel(self) -> ParallelDetector | None:
        """A twin of it for two threads; None where its device or its settings do not allow that."""
        ...


@dataclass(frozen=True)
class DetectionOutcome:
    """What came of one picture.

    Attributes:
        detections: None where the detector failed.
        error: Why it did.
        seconds: In the detector.
    """

    detections: Detections | None
    error: Exception | None
    seconds: float

    def result(self) -> Detections:
        """The people; raises what the detector raised."""
        if self.error is not None:
            raise self.error
        assert self.detections is not None
        return self.detections


class OrderedDetection:
    """A detector on pictures in order: two at a time where it can, one at a time where not; a context manager.

    Both pictures of a pair are looked at with what was known before the pair, whichever is done first and however many
    cores there are: the results depend on the pictures alone.

    Attributes:
        at_once: How many pictures each call takes at most.
    """

    def __init__(self, detector: Detector, *, pairs: bool = True) -> None:
        """Start anew with a detector.

        Args:
            detector: Is reset.
            pairs: Whether the pictures come fast enough for two at a time: those of a recording.
        """
        shared = parallel_form(detector) if pairs else None
        self.at_once = 1 if shared is None else 2
        self._look = shared.look if shared is not None else lambda image_bgr, _: (detector(image_bgr), None)
        self._kept: Any = None
        self._other_thread = ThreadPoolExecutor(1, "adaptpose-detect")
        detector.reset()

    def __call__(self, images_bgr: Sequence[np.ndarray]) -> list[DetectionOutcome]:
        """Look at the next `at_once` pictures, at the last ones of a recording fewer; each (H, W, 3) uint8 BGR."""
        kept = self._kept
        others = [self._other_thread.submit(self._see, image, kept) for image in images_bgr[1:]]
        outcomes = [self._see(images_bgr[0], kept), *(other.result() for other in others)]
        for seen, now_kept in outcomes:
            if seen.error is None:
                self._kept = now_kept
        return [seen for seen, _ in outcomes]

    def _see(self, image_bgr: np.ndarray, kept: Any) -> tuple[DetectionOutcome, Any]:
        """One picture, and what is to be kept of it."""
        started = time.perf_counter()
        try:
            found, kept = self._look(image_bgr, kept)
        except Exception as error:
            return DetectionOutcome(None, error, time.perf_counter() - started), None
        return DetectionOutcome(found, None, time.perf_counter() - started), kept

    def __enter__(self) -> OrderedDetection:
        return self

    def __exit__(self, *_: object) -> None:
        self._other_thread.shutdown()


def parallel_form(detector: Detector) -> ParallelDetector | None:
    """The detector for two threads; None where it can't."""
    return detector.parallel() if isinstance(detector, SupportsParallel) else None


def identity_on_recordings(detector: Detector) -> str:
    """What names a detector's results where it takes two pictures at a time; as `Detector.identity`."""
    return (parallel_form(detector) or detector).identity


def detect_in_order(
    detector: OrderedDetection, pictures: Iterable[T], image_of: Callable[[T], np.ndarray]
) -> Iterator[tuple[T, DetectionOutcome]]:
    """Every picture with what is found in it; what ends the pictures is raised after those before it are done."""
    for batch in _batches(iter(pictures), detector.at_once):
        yield from zip(batch, detector([image_of(picture) for picture in batch]), strict=True)
        del batch  # not held while the next ones are read


def _batches(items: Iterator[T], size: int) -> Iterator[list[T]]:
    while True:
        batch: list[T] = []
        trouble: BaseException | None = None
        try:
            batch.extend(islice(items, size))
        except BaseException as error:
            trouble = error
        ended = len(batch) < size
        if batch:
            yield batch
        del batch
        if trouble is not None:
            raise trouble
        if ended:
            return
