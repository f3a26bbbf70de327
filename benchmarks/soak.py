"""Tests hours of live use in minutes: does memory grow, does the time per frame grow, is a frame lost?

    python -m benchmarks.soak [--hours 1] [--people 4]

Images of people who come, cross, vanish and go are pushed as fast as the stream takes them, with the timestamps of a
25 Hz camera. The stream keeps all frames. A detector that knows the people replaces the network, so an hour passes in
minutes. Memory is the resident set of the process. Every tenth of the run is a row. The exit code is 1 if, after the
first tenth, memory grew by more than 5 % or the processing time of a frame by more than half, or if a frame was lost.
"""

from __future__ import annotations

import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tyro

from sdk import SKELETONS, Detections, PoseStream

RATE_HZ = 25.0
BODY = np.random.default_rng(0).uniform(0, 1, (17, 2)).astype(np.float32) * (60, 160)


@dataclass(frozen=True)
class Soak:
    """Run the stream for a long time."""

    hours: float = 1.0
    """Hours of video."""
    people: int = 4
    """Most people at the same time."""


class ComingAndGoing:
    """A detector that generates people from the frame number, which is written in the first pixels."""

    identity = "coming and going"
    skeleton = SKELETONS["coco17"]

    def __init__(self, people: int) -> None:
        self._people = people

    def __call__(self, image_bgr: np.ndarray) -> Detections:
        """People stay for 12 s and are away for 3 s. Sometimes they are not seen for 0.3 s. Each has another speed."""
        number = int(image_bgr[0, 0, 0]) | int(image_bgr[0, 0, 1]) << 8 | int(image_bgr[0, 0, 2]) << 16
        keypoints = []
        for person in range(self._people):
            t = (number + 97 * person) % 375
            if t < 300 and t % 90 >= 8:
                place = (40 + 180 * person + (1.5 + person) * t * 0.4, 100 + 20 * person)
                keypoints.append(BODY + np.float32(place) + 4 * np.sin(0.2 * t + np.arange(17))[:, None])
        if not keypoints:
            return Detections.none(17)
        found = np.stack(keypoints).astype(np.float32)
        return Detections.from_keypoints(found, np.full(found.shape[:2], 0.9, np.float32), 0.2)

    def reset(self) -> None:
        """Does nothing: there is no state."""


def main(options: Soak) -> int:
    """Print a row for each tenth. Returns 1 if something grew or was lost."""
    frames = round(options.hours * 3600 * RATE_HZ)
    image = np.zeros((720, 1280, 3), np.uint8)
    stream = PoseStream(None, ComingAndGoing(options.people), policy="all", fps=RATE_HZ)

    def feed() -> None:
        for number in range(frames):
            changed = image.copy()
            changed[0, 0] = number & 255, number >> 8 & 255, number >> 16
            if not stream.push(changed, number / RATE_HZ):
                return
        stream.end()

    rows: list[tuple[float, float]] = []
    seen, ids, own = 0, 0, []
    started = time.perf_counter()
    with stream:
        threading.Thread(target=feed, daemon=True).start()
        print(f"{'video min':>10}{'clock s':>9}{'memory MB':>11}{'own ms p50':>12}{'p95':>8}{'people so far':>15}")
        for frame in stream:
            assert frame.index == seen, f"frame {seen} is missing"
            seen += 1
            ids = max([ids, *(person.track_id for person in frame.people)])
            times = frame.stage_times_s
            own.append(times.track_s + times.lift_s + times.smooth_s)
            if seen % (frames // 10) == 0:
                p50, p95 = np.percentile(own, [50, 95]) * 1000
                rows.append((_memory_mb(), p50))
                clock = time.perf_counter() - started
                print(f"{seen / RATE_HZ / 60:10.1f}{clock:9.0f}{rows[-1][0]:11.1f}{p50:12.2f}{p95:8.2f}{ids:15d}")
                own.clear()
        counts = stream.counts
    grown = rows[-1][0] / rows[0][0] - 1
    slower = rows[-1][1] / rows[0][1] - 1
    lost = frames - seen
    print(f"memory {grown:+.1%}, own time {slower:+.1%}, lost {lost} of {frames} frames; {counts}")
    return int(grown > 0.05 or slower > 0.5 or lost != 0)


def _memory_mb() -> float:
    """Resident memory of this process (Linux)."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    raise SystemExit("benchmarks.soak reads /proc/self/status: run it on Linux.")


if __name__ == "__main__":
    sys.exit(main(tyro.cli(Soak)))
