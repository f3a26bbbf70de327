"""When the frames of a video file are due, and how many there are in a second: from timestamps, not from guesses.

A container states a frame rate only as a hint, and FFmpeg guesses one where it states none: 1000 frames/s for what
browsers record. The timestamps of the frames are facts.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sdk.errors import BadVideo
from sdk.files.input_files import check_regular_file, readable_name, user_path
from sdk.video.container import Container, read_container
from sdk.video.opencv_log import silence

LARGEST_SCAN_BYTES = 1 << 30
"""Of a larger file without an index only the beginning is looked through."""
SHORTEST_SCAN_FRAMES = 1000
"""Of such a file."""
HIGHEST_FRAME_RATE_HZ = 1000.0
"""Above it, what a container states is a time base (90 kHz in some streams), not a frame rate."""
SAME_RATE = 0.001
"""A stated rate this near to the measured one is the exact one; 30 is not 29.97 but where times are rounded."""
REGULAR_SHARE = 0.8
"""With so many intervals as stated, the rate is right and the others are gaps."""
MOST_S = 1e7
"""A later time is none: where a stream has no times FFmpeg counts from a number of its own."""
_ROUNDING_S = 0.0011


@dataclass(frozen=True)
class FrameTimes:
    """Of one file.

    Attributes:
        times_s: Distinct presentation times, increasing, from the first frame; (N,) float64.
        frames: How many frames; more than times where some have none.
        complete: All frames of the file are counted.
        indexed: The container's own index says so: frames that are not in the file any more count as well.
    """

    times_s: np.ndarray
    frames: int
    complete: bool
    indexed: bool

    def frame_rate_hz(self, stated_hz: float) -> float | None:
        """Frames in a second: the stated rate if the times agree with it, else their mean; None if nothing is known."""
        plausible = 0 < stated_hz <= HIGHEST_FRAME_RATE_HZ
        if len(self.times_s) < 3:
            return stated_hz if plausible else None
        span_s = float(self.times_s[-1] - self.times_s[0])
        mean_hz = (self.frames - 1) / span_s
        if not plausible:
            return mean_hz
        if len(self.times_s) < 0.9 * self.frames:  # MPEG program streams give only some frames a time
            return stated_hz
        tolerance = SAME_RATE + _ROUNDING_S / span_s
        intervals = np.diff(self.times_s)
        regular = np.abs(intervals - 1 / stated_hz) <= max(_ROUNDING_S, 0.1 / stated_hz)
        same = abs(mean_hz / stated_hz - 1) <= tolerance
        same |= regular.mean() >= REGULAR_SHARE and abs(intervals[regular].mean() * stated_hz - 1) <= tolerance
        two_fields = not self.indexed and abs(mean_hz / stated_hz / 2 - 1) <= tolerance
        return stated_hz if same or two_fields else mean_hz


def find_frame_times(path: Path, container: Container) -> FrameTimes:
    """From the container's index if it has one, else by reading the file through without decoding it."""
    if container.times_s is not None:
        return FrameTimes(container.times_s, len(container.times_s), True, True)
    times, complete = _scan(path, None if path.stat().st_size <= LARGEST_SCAN_BYTES else SHORTEST_SCAN_FRAMES)
    known = np.unique(times[(times >= 0) & (times < MOST_S)])
    if len(known) < len(times) / 2:
        known = np.zeros(0)
    return FrameTimes(known - known[:1], len(times), complete, False)


def video_times(path: str | Path) -> np.ndarray | None:
    """The times in seconds of all frames of a video file, (N,) float64 from 0; None where they are not all known.

    Raises:
        BadVideo: if there is no such file.
    """
    file = user_path(path, BadVideo)
    check_regular_file(file, BadVideo)
    if not file.exists():
        raise BadVideo(f"{file}: no such file.")
    found = find_frame_times(file, read_container(file))
    return found.times_s if found.complete and len(found.times_s) == found.frames else None


def _scan(path: Path, most: int | None) -> tuple[np.ndarray, bool]:
    """Presentation times of the packets in seconds, sorted, and whether these are all."""
    import cv2

    times: list[float] = []
    failures = 0
    with readable_name(path) as name, silence():
        packets = cv2.VideoCapture(str(name), cv2.CAP_FFMPEG, [cv2.CAP_PROP_FORMAT, -1])
    try:
        while packets.isOpened() and failures < _FAILURES_IN_A_ROW and (most is None or len(times) < most):
            if packets.grab():
                times.append(packets.get(cv2.CAP_PROP_POS_MSEC) / 1000)
                failures = 0
            else:
                failures += 1
    finally:
        packets.release()
    return np.sort(np.array(times, np.float64)), failures == _FAILURES_IN_A_ROW


_FAILURES_IN_A_ROW = 4
