"""Measures frames per second from video to 3D, our own share of the time, and the latency of live frames.

    python -m benchmarks.live VIDEO --detector onnx:MODEL.onnx [--model RUN|.onnx] [--people 10] [--rtmpose FILE.onnx]

All rows are measured in one run, so that other load on the machine affects them in the same way. The rows are: bare
loops that only decode and detect (one or two frames at a time); the stream with 3D; the stream with every result drawn;
MediaPipe's own loop and that of rtmlib, if they are installed, each next to a stream with the same network. Own work is
all except decoding and the detector: tracking, repair, windows, lifting, smoothing, passing results on. It is given in
processor time of its thread, and in wall-clock time, which includes waiting for a core that the detector uses.
`--people N` repeats every detection N times side by side. The latency is measured on the video at its own speed. With
look-ahead, it contains the delay for the future frames that the lifter waits for. `--frames N` ends each row after so
many frames of the video.

For `movenet` and `movenet-fast`, it also says which share of the detector's time the search for new people takes while
somebody is followed.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from operator import attrgetter
from pathlib import Path
from typing import Annotated, Any

import cv2
import numpy as np
import tyro

from export.machine import cpu_name
from sdk import (
    SKELETONS,
    Detections,
    Detector,
    Lifter,
    PoseFrame,
    PoseStream,
    VideoFrame,
    draw_frame,
    open_detector,
    open_video,
)
from sdk.detectors.movenet.people import MoveNetPeople
from sdk.detectors.onnx_models import open_onnx_detector
from sdk.detectors.parallel import OrderedDetection, ParallelDetector, detect_in_order, parallel_form


@dataclass(frozen=True)
class LiveBenchmark:
    """Measure the live chain on a video."""

    video: Annotated[str, tyro.conf.Positional]
    """A video file."""
    detector: str = "movenet"
    """The 2D detector."""
    device: str = "cpu"
    """Device of the detector."""
    model: Path | None = None
    """The lifter; default: the shipped one."""
    lookahead: str = "offline"
    """Look-ahead of the lifter: live, balanced or offline."""
    people: int = 10
    """Also repeat every detection this many times."""
    frames: int | None = None
    """Frames of the video in each row; default: all."""
    rounds: int = 3
    """How often every row is measured, in turn. The table has medians."""
    mediapipe: bool = True
    """Compare with MediaPipe's own loop, if it is installed."""
    rtmpose: Path | None = None
    """Compare with rtmlib on this RTMPose file, with one box per frame (the whole image)."""
    live_s: float = 10.0
    """Seconds of video to play at its own speed, to measure latency."""


class Crowd:
    """A detector that finds everybody several times, side by side. Its extra work does not count as overhead."""

    def __init__(self, detector: Detector, copies: int) -> None:
        self._detector, self._copies = detector, copies
        self.skeleton, self.identity = detector.skeleton, f"{detector.identity} x {copies}"

    def __call__(self, image_bgr: np.ndarray) -> Detections:
        """Detect in one image."""
        return self._repeated(self._detector(image_bgr), image_bgr)

    def parallel(self) -> ParallelDetector | None:
        """The parallel form of the detector, if it has one."""
        shared = parallel_form(self._detector)
        if shared is None:
            return None

        def look(image_bgr: np.ndarray, kept: Any) -> tuple[Detections, Any]:
            found, kept = shared.look(image_bgr, kept)
            return self._repeated(found, image_bgr), kept

        return ParallelDetector(look, self.identity)

    def _repeated(self, found: Detections, image_bgr: np.ndarray) -> Detections:
        shift = np.repeat(np.arange(self._copies), len(found)).astype(np.float32) * image_bgr.shape[1]
        keypoints = np.tile(found.keypoints_px, (self._copies, 1, 1))
        boxes = np.tile(found.boxes, (self._copies, 1))
        keypoints[..., 0] += shift[:, None]
        boxes[:, ::2] += shift[:, None]
        scores = np.tile(found.scores, (self._copies, 1))
        return replace(
            found,
            keypoints_px=keypoints,
            boxes=boxes,
            scores=scores,
            box_scores=np.tile(found.box_scores, self._copies),
        )

    def reset(self) -> None:
        """Start another video."""
        self._detector.reset()


class WholePicture:
    """One fixed box for RTMPose, so that the figures contain no person detector."""

    skeleton, identity = SKELETONS["coco17"], "whole image"

    def __call__(self, image_bgr: np.ndarray) -> Detections:
        """One person as large as the image."""
        height, width = image_bgr.shape[:2]
        joints = len(self.skeleton)
        box = np.array([[0, 0, width, height]], np.float32)
        return Detections(np.zeros((1, joints, 2), np.float32), np.ones((1, joints), np.float32), box, np.ones(1))

    def parallel(self) -> ParallelDetector:
        """The parallel form; there is no state."""
        return ParallelDetector(lambda image_bgr, _: (self(image_bgr), None), self.identity)

    def reset(self) -> None:
        """Does nothing: there is no state."""


class OwnWork:
    """A processor that measures the work of the tracking and lifting thread between two results."""

    def __init__(self) -> None:
        self.clock_s: list[float] = []
        self._cpu_s: list[float] = []

    def process(self, result: PoseFrame) -> PoseFrame:
        """Measure the time since the last result."""
        times = result.stage_times_s
        self.clock_s.append(times.track_s + times.lift_s + times.smooth_s)
        self._cpu_s.append(time.thread_time())
        return result

    def medians_ms(self) -> tuple[float, float]:
        """Medians per frame: processor time and wall-clock time."""
        return 1000 * float(np.median(np.diff(self._cpu_s))), 1000 * float(np.median(self.clock_s))


@dataclass(frozen=True)
class Run:
    """Times of one pass over the video.

    Attributes:
        clock_s: Wall-clock seconds.
        cpu_s: Seconds of processor time, over all threads.
        frames: Number of frames.
        own_ms: Own work per frame: processor time and wall-clock time.
    """

    clock_s: float
    cpu_s: float
    frames: int
    own_ms: tuple[float, float] = (float("nan"), float("nan"))


def main(options: LiveBenchmark) -> None:
    """Print the tables."""
    started = time.perf_counter()
    with PoseStream(
        options.video, options.detector, Lifter(options.model, lookahead=options.lookahead, threads=1)
    ) as stream:
        next(iter(stream))
        first_s = time.perf_counter() - started
        size = stream.source.image_size
    load = os.getloadavg()[0]
    print(f"{cpu_name()}, {os.cpu_count()} cores, load {load:.1f}; Python {platform.python_version()}")
    print(f"{options.video}, {size[0]}x{size[1]}; first result {first_s:.2f} s after opening")

    detector = open_detector(options.detector, device=options.device)
    rows = _rows(options, detector)
    runs: dict[str, list[Run]] = {name: [] for name in rows}
    for _ in range(options.rounds):
        for name, row in rows.items():
            runs[name].append(row())
    print(
        f"\n{'':46}{'frames/s':>10}{'CPU ms':>9}{'own CPU':>9}{'own clock':>11}   a frame, medians of {options.rounds}"
    )
    for name, of_row in runs.items():
        rate = np.median([run.frames / run.clock_s for run in of_row])
        cpu = np.median([1000 * run.cpu_s / run.frames for run in of_row])
        own_cpu, own_clock = np.median([run.own_ms for run in of_row], 0)
        print(f"{name:46}{rate:10.1f}{cpu:9.2f}{own_cpu:9.2f}{own_clock:11.2f}")
    _search(options, detector)
    _delay(options, detector, "1 person")
    _delay(options, Crowd(detector, options.people), f"{options.people} people")


def _rows(options: LiveBenchmark, detector: Detector) -> dict[str, Callable[[], Run]]:
    rows: dict[str, Callable[[], Run]] = {
        "decode and detect, nothing else": lambda: _bare(options, detector),
        "the same, two images at a time": lambda: _bare_in_pairs(options, detector),
        "PoseStream, 3D": lambda: _stream(options, detector),
        "PoseStream, 3D, every result drawn": lambda: _stream(options, detector, draw=True),
        f"PoseStream, 3D, {options.people} people": lambda: _stream(options, Crowd(detector, options.people)),
    }
    if options.mediapipe and importlib.util.find_spec("mediapipe"):
        blazepose = open_detector("mediapipe")
        rows["MediaPipe's own loop, its 3D"] = lambda: _mediapipe(options)
        rows["PoseStream with MediaPipe's detector, 3D"] = lambda: _stream(options, blazepose)
    if options.rtmpose is not None and importlib.util.find_spec("rtmlib"):
        rtmpose = open_onnx_detector(options.rtmpose, WholePicture)
        rows["rtmlib's RTMPose, 2D only"] = lambda: _rtmlib(options)
        rows["PoseStream with the same RTMPose, 3D"] = lambda: _stream(options, rtmpose)
    return rows


def _bare(options: LiveBenchmark, detector: Detector) -> Run:
    detector.reset()
    return _loop(options, detector)


def _bare_in_pairs(options: LiveBenchmark, detector: Detector) -> Run:
    with OrderedDetection(detector) as pairs:
        return _time(options, lambda frames: detect_in_order(pairs, frames, attrgetter("image")))


def _mediapipe(options: LiveBenchmark) -> Run:
    import mediapipe

    with mediapipe.solutions.pose.Pose(model_complexity=1) as pose:
        return _loop(options, lambda image: pose.process(cv2.cvtColor(image, cv2.COLOR_BGR2RGB)).pose_world_landmarks)


def _rtmlib(options: LiveBenchmark) -> Run:
    from rtmlib import RTMPose

    pose = RTMPose(str(options.rtmpose), model_input_size=(192, 256), backend="onnxruntime", device="cpu")
    return _loop(options, lambda image: pose(image, bboxes=[[0, 0, image.shape[1], image.shape[0]]]))


def _loop(options: LiveBenchmark, work: Callable[[np.ndarray], object]) -> Run:
    return _time(options, lambda frames: (work(frame.image) for frame in frames))


def _time(options: LiveBenchmark, results: Callable[[Iterable[VideoFrame]], Iterable[object]]) -> Run:
    clock, cpu = time.perf_counter(), time.process_time()
    with open_video(options.video) as source:
        frames = sum(1 for _ in results(islice(source, options.frames)))
    return Run(time.perf_counter() - clock, time.process_time() - cpu, frames)


def _stream(options: LiveBenchmark, detector: Detector, *, draw: bool = False) -> Run:
    lifter = Lifter(options.model, lookahead=options.lookahead, threads=1)
    own, frames = OwnWork(), 0
    clock, cpu = time.perf_counter(), time.process_time()
    with PoseStream(options.video, detector, lifter, processors=[own]) as stream:
        for frame in stream:
            if draw:
                draw_frame(frame, stream.skeleton, stream.delay_s)
            frames += 1
            if frames == options.frames:
                break
        clock, cpu = time.perf_counter() - clock, time.process_time() - cpu
    return Run(clock, cpu, frames, own.medians_ms())


def _search(options: LiveBenchmark, detector: Detector) -> None:
    """Say how much of the time of MoveNet for all people goes into the search for new ones, one image at a time."""
    if not isinstance(detector, MoveNetPeople):
        return
    spent_s = dict.fromkeys(("find", "_search_once", "_search_all"), 0.0)

    def timed(name: str) -> Callable[..., Any]:
        method = getattr(detector, name)

        def call(*arguments: Any) -> Any:
            started = time.perf_counter()
            answer = method(*arguments)
            spent_s[name] += time.perf_counter() - started
            return answer

        return call

    for name in spent_s:
        setattr(detector, name, timed(name))
    _bare(options, detector)
    for name in spent_s:
        delattr(detector, name)
    following_s = spent_s["find"] - spent_s["_search_all"]
    print(
        f"\nthe search for new people takes {spent_s['_search_once'] / following_s:.1%} of the detector's time while "
        f"somebody is followed; {spent_s['_search_all']:.2f} s went into images in which nobody was"
    )


def _delay(options: LiveBenchmark, detector: Detector, people: str) -> None:
    """Push the video at its own speed and read the stream's delay statistics."""
    own = OwnWork()
    lifter = Lifter(options.model, lookahead=options.lookahead, threads=1)
    with open_video(options.video) as source:
        rate = source.frame_rate_hz
        images = [frame.image for frame, _ in zip(source, range(round(4 * rate)), strict=False)]
    with PoseStream(None, detector, lifter, fps=rate, processors=[own], on_result=lambda frame: None) as stream:
        start = time.perf_counter()
        for number, image in enumerate(_there_and_back(images)):
            due = start + number / rate
            if due > start + options.live_s:
                break
            time.sleep(max(0.0, due - time.perf_counter()))
            stream.push(image, number / rate)
        stream.end()
        stream.wait()
        delays, counts = stream.delays, stream.counts
    dropped = f"{counts.dropped} of {counts.read} dropped"
    print(f"\nplayed at {rate:g} frames/s, look-ahead {lifter.delay_s:.2f} s, {people}; {dropped}")
    print("own work {:.2f} ms of processor time a frame, {:.2f} ms on the clock, medians".format(*own.medians_ms()))
    for name, values in (("camera to 3D", delays.camera_to_3d), ("without the detector", delays.beyond_detector)):
        milliseconds = (1000 * value for value in (values.p50_s, values.p95_s, values.p99_s))
        print(f"{name:20} p50/p95/p99 {'/'.join(f'{value:.1f}' for value in milliseconds)} ms")


def _there_and_back(images: list[np.ndarray]) -> Iterator[np.ndarray]:
    while True:
        yield from images
        yield from images[::-1]


if __name__ == "__main__":
    main(tyro.cli(LiveBenchmark))
