"""Runs a detector on several images of a recording at once: on two threads, or in one call of the model.

On a CPU two images on one core each are faster than one image on both cores, because MoveNet's layers are too small for
two threads. On a GPU, where models wait in one queue, those that take several images get them in one call.
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
from sdk.runtime.threads import thread_limit

T = TypeVar("T")


@dataclass(frozen=True)
class ParallelDetector:
    """A detector that two threads can use at the same time. A detector's `parallel()` returns it.

    Attributes:
        look: Takes an image and the state after earlier images (None at the start). Returns the people and the new
            state. It changes nothing else.
        identity: As `Detector.identity`, for results with two images at a time.
    """

    look: Callable[[np.ndarray, Any], tuple[Detections, Any]]
    identity: str


@runtime_checkable
class SupportsParallel(Detector, Protocol):
    """A detector that can process two images at the same time."""

    def parallel(self) -> ParallelDetector | None:
        """Its form for two threads; None if its device or settings do not allow that."""
        ...


@dataclass(frozen=True)
class BatchDetector:
    """A detector that keeps nothing between images and takes several at once. A detector's `batches()` returns it.

    Attributes:
        look: Takes images, also of different sizes. Returns the people of each, as the detector itself finds them, but
            for rounding.
        at_once: Most images in one call.
    """

    look: Callable[[Sequence[np.ndarray]], list[Detections]]
    at_once: int


@runtime_checkable
class SupportsBatches(Detector, Protocol):
    """A detector that can take several images in one call."""

    def batches(self) -> BatchDetector | None:
        """Its form for several images; None if its settings do not allow that."""
        ...


@dataclass(frozen=True)
class DetectionOutcome:
    """The result for one image.

    Attributes:
        detections: The people; None if the detector failed.
        error: Why the detector failed.
        seconds: Time in the detector.
    """

    detections: Detections | None
    error: Exception | None
    seconds: float

    def result(self) -> Detections:
        """The people. Raises the detector's error if it failed."""
        if self.error is not None:
            raise self.error
        assert self.detections is not None
        return self.detections


class OrderedDetection:
    """Runs a detector on images in order: several at a time if it can, else one at a time. It is a context manager.

    Both images of a pair start from the state before the pair. So the results depend only on the images, not on which
    is done first or on the number of cores. A detector without a form for two threads (on a GPU) gets several images
    in one call, if it takes them.

    Attributes:
        at_once: Most images per call.
    """

    def __init__(self, detector: Detector, *, pairs: bool = True) -> None:
        """Start anew with a detector.

        Args:
            detector: The detector; it is reset.
            pairs: Whether to process two or more images at a time. Use it for recordings, where images do not have to
                be waited for.
        """
        shared = parallel_form(detector) if pairs else None
        self._batches = batch_form(detector) if pairs and shared is None else None
        self.at_once = 2 if shared is not None else 1 if self._batches is None else self._batches.at_once
        self._look = shared.look if shared is not None else lambda image_bgr, _: (detector(image_bgr), None)
        self._kept: Any = None
        self._other_thread = ThreadPoolExecutor(1, "adaptpose-detect")
        self._in_turn = thread_limit() == 1  # the same pairs, so the same results, one image after the other
        detector.reset()

    def __call__(self, images_bgr: Sequence[np.ndarray]) -> list[DetectionOutcome]:
        """Detect in the next `at_once` images (fewer at the end of a recording), each (H, W, 3) uint8 BGR."""
        if self._batches is not None and len(images_bgr) > 1:
            return self._see_batch(self._batches, images_bgr)
        kept = self._kept
        if self._in_turn:
            return self._keep([self._see(image, kept) for image in images_bgr])
        others = [self._other_thread.submit(self._see, image, kept) for image in images_bgr[1:]]
        return self._keep([self._see(images_bgr[0], kept), *(other.result() for other in others)])

    def _keep(self, outcomes: list[tuple[DetectionOutcome, Any]]) -> list[DetectionOutcome]:
        """The results of a pair, after whose last good one the next pair goes on."""
        for seen, now_kept in outcomes:
            if seen.error is None:
                self._kept = now_kept
        return [seen for seen, _ in outcomes]

    def _see_batch(self, batches: BatchDetector, images_bgr: Sequence[np.ndarray]) -> list[DetectionOutcome]:
        started = time.perf_counter()
        try:
            found = batches.look(images_bgr)
        except Exception:  # of one of them: each is looked at alone
            return [self._see(image, None)[0] for image in images_bgr]
        seconds = (time.perf_counter() - started) / len(images_bgr)
        return [DetectionOutcome(people, None, seconds) for people in found]

    def _see(self, image_bgr: np.ndarray, kept: Any) -> tuple[DetectionOutcome, Any]:
        """The result for one image, and the state after it."""
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
    """The parallel form of a detector; None if it has none."""
    return detector.parallel() if isinstance(detector, SupportsParallel) else None


def batch_form(detector: Detector) -> BatchDetector | None:
    """The form of a detector for several images in one call; None if it has none."""
    return detector.batches() if isinstance(detector, SupportsBatches) else None


def identity_on_recordings(detector: Detector) -> str:
    """The identity of a detector's results on recordings, where it may take two images at a time."""
    return (parallel_form(detector) or detector).identity


def detect_in_order(
    detector: OrderedDetection, images: Iterable[T], image_of: Callable[[T], np.ndarray]
) -> Iterator[tuple[T, DetectionOutcome]]:
    """Every image with its result. If the images end with an error, it is raised after all earlier results."""
    for batch in _batches(iter(images), detector.at_once):
        yield from zip(batch, detector([image_of(image) for image in batch]), strict=True)
        del batch  # not kept in memory while the next ones are read


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
