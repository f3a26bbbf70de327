"""Frames per second from video to 3D, and what of each frame's time is ours.

    python -m benchmarks.live VIDEO --detector onnx:MODEL.onnx [--model RUN|.onnx] [--draw] [--people 10]

Own overhead is everything but decoding and the detector: tracking, windows, lifting, handing over (and drawing, with
`--draw`). `--people N` repeats every detection N times side by side, to see how the overhead grows with people.
"""

from __future__ import annotations

import os
import platform
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import numpy as np
import tyro

from sdk import Detections, Detector, Lifter, PoseStream, draw_frame, open_detector


@dataclass(frozen=True)
class LiveBenchmark:
    """Measure the live chain on a video."""

    video: Annotated[str, tyro.conf.Positional]
    """A video file."""
    detector: str = "mediapipe"
    """The 2D detector."""
    boxes: str | None = None
    """Detector of person boxes, for a top-down one."""
    model: Path | None = None
    """The lifter; default: the shipped one."""
    draw: bool = False
    """Draw every frame as well."""
    people: int = 1
    """Repeat every detection this many times."""
    warm_up: int = 30
    """Frames left out at the start."""


class Crowd:
    """A detector that finds everybody several times, side by side; what it adds is not counted as overhead."""

    def __init__(self, detector: Detector, copies: int) -> None:
        self._detector, self._copies = detector, copies
        self.skeleton, self.identity = detector.skeleton, f"{detector.identity} x {copies}"

    def __call__(self, image_bgr: np.ndarray) -> Detections:
        """Detect in one picture."""
        found = self._detector(image_bgr)
        shift = np.repeat(np.arange(self._copies), len(found)).astype(np.float32) * image_bgr.shape[1]
        keypoints = np.tile(found.keypoints, (self._copies, 1, 1))
        boxes = np.tile(found.boxes, (self._copies, 1))
        keypoints[..., 0] += shift[:, None]
        boxes[:, ::2] += shift[:, None]
        scores = np.tile(found.scores, (self._copies, 1))
        return replace(
            found, keypoints=keypoints, boxes=boxes, scores=scores, box_scores=np.tile(found.box_scores, self._copies)
        )

    def reset(self) -> None:
        """Start another video."""
        self._detector.reset()


def main(options: LiveBenchmark) -> None:
    """Run once over the video and print the figures."""
    started = time.perf_counter()
    detector = Crowd(open_detector(options.detector, boxes=options.boxes), options.people)
    totals: list[float] = []
    poses, first_pose_s = 0, float("nan")
    stages: dict[str, list[float]] = {name: [] for name in ("read", "detect", "track", "lift", "draw")}
    with PoseStream(options.video, detector, Lifter(options.model)) as stream:
        before = time.perf_counter()
        for frame in stream:
            drawn = time.perf_counter()
            if options.draw:
                draw_frame(frame, stream.skeleton, stream.delay_s)
            poses += sum(person.joints_m is not None for person in frame.people)
            if poses and np.isnan(first_pose_s):
                first_pose_s = time.perf_counter() - started
            now = time.perf_counter()
            times = frame.stage_times_s
            for name, seconds in zip(
                stages, (times.read_s, times.detect_s, times.track_s, times.lift_s, now - drawn), strict=True
            ):
                stages[name].append(seconds)
            totals.append(now - before)
            before = now
    elapsed = sum(totals)
    others = [sum(step) for step in zip(stages["track"], stages["lift"], stages["draw"], strict=True)]
    # What the loop itself costs: all time that no stage accounts for, evenly.
    glue = (elapsed - sum(sum(values) for values in stages.values())) / len(totals)
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    width, height = stream.source.image_size
    print(f"{stream.source.name}, {width}x{height}; {detector.identity}; {poses} poses in {len(totals)} frames")
    print(f"{len(totals) / elapsed:.1f} frames/s end to end; first pose {first_pose_s:.2f} s after the start")
    for name, times_s in {**stages, "own overhead": others}.items():
        p50, p95, p99 = np.percentile(times_s[options.warm_up :], [50, 95, 99]) * 1000
        print(f"{name:<13} p50 {p50:7.2f}   p95 {p95:7.2f}   p99 {p99:7.2f} ms a frame")
    print(f"{'loop':<13} mean {glue * 1000:6.2f} ms a frame, not in the stages above")


if __name__ == "__main__":
    main(tyro.cli(LiveBenchmark))
