"""The times and the rate of a video file's frames, from its timestamps.

The frame rate that a container states is only a hint. If it states none, FFmpeg guesses: 1000 frames/s for recordings
of browsers. Timestamps are reliable.
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
"""Of a larger file without an index, only the beginning is scanned."""
SHORTEST_SCAN_FRAMES = 1000
"""Number of frames scanned of such a file."""
HIGHEST_FRAME_RATE_HZ = 1000.0
"""A higher stated number is a time base (90 kHz in some streams), not a frame rate."""
SAME_RATE = 0.001
"""A stated rate within this share of the measured one is right. So 30 is not 29.97, unless times are rounded."""
REGULAR_SHARE = 0.8
"""If this share of intervals is as stated, the stated rate is right, and the other intervals are gaps."""
MOST_S = 1e7
"""Later times are not times: if a stream has none, FFmpeg counts from a number of its own."""
_ROUNDING_S = 0.0011


@dataclass(frozen=True)
class FrameTimes:
    """The frame times of one file.

    Attributes:
        times_s: (N,) float64 different presentation times, increasing, the first frame at 0.
        frames: Number of frames. More than N if some have no time.
        complete: Whether all frames of the file are counted.
        indexed: Whether this is the container's own index. It also counts frames that were cut off.
    """

    times_s: np.ndarray
    frames: int
    complete: bool
    indexed: bool

    def frame_rate_hz(self, stated_hz: float) -> float | None:
        """Frames per second: the stated rate if the times agree, else the mean rate. None if nothing is known."""
        plausible = 0 < stated_hz <= HIGHEST_FRAME_RATE_HZ
        if len(self.times_s) < 3:
            return stated_hz if plausible else None
        span_s = float(self.times_s[-1] - self.times_s[0])
        mean_hz = (self.frames - 1) / span_s
        if not plausible:
            return mean_hz
        if len(self.times_s) < 0.9 * self.frames:  # in MPEG program streams, only some frames have a time
            return stated_hz
        tolerance = SAME_RATE + _ROUNDING_S / span_s
        intervals = np.diff(self.times_s)
        regular = np.abs(intervals - 1 / stated_hz) <= max(_ROUNDING_S, 0.1 / stated_hz)
        same = abs(mean_hz / stated_hz - 1) <= tolerance
        same |= regular.mean() >= REGULAR_SHARE and abs(intervals[regular].mean() * stated_hz - 1) <= tolerance
        two_fields = not self.indexed and abs(mean_hz / stated_hz / 2 - 1) <= tolerance
        return stated_hz if same or two_fields else mean_hz


def find_frame_times(path: Path, container: Container) -> FrameTimes:
    """Frame times from the container's index if it has one, else by reading the whole file without decoding it."""
    if container.times_s is not None:
        return FrameTimes(container.times_s, len(container.times_s), True, True)
    times, complete = _scan(path, None if path.stat().st_size <= LARGEST_SCAN_BYTES else SHORTEST_SCAN_FRAMES)
    known = np.unique(times[(times >= 0) & (times < MOST_S)])
    if len(known) < len(times) / 2:
        known = np.zeros(0)
    return FrameTimes(known - known[:1], len(times), complete, False)


def video_times(path: str | Path) -> np.ndarray | None:
    """The times of all frames of a video file in seconds, (N,) float64 from 0. None if not all are known.

    Raises:
        BadVideo: there is no such file.
    """
    file = user_path(path, BadVideo)
    check_regular_file(file, BadVideo)
    if not file.exists():
        raise BadVideo(f"{file}: no such file.")
    found = find_frame_times(file, read_container(file))
    return found.times_s if found.complete and len(found.times_s) == found.frames else None


def _scan(path: Path, most: int | None) -> tuple[np.ndarray, bool]:
    """Sorted presentation times of the packets in seconds, and whether these are all packets."""
    import cv2

    times: list[float] = []
    failures, ended = 0, False
    with readable_name(path) as name, silence():
        packets = cv2.VideoCapture(str(name), cv2.CAP_FFMPEG, [cv2.CAP_PROP_FORMAT, -1])
    try:
        announced = packets.get(cv2.CAP_PROP_FRAME_COUNT)
        while packets.isOpened() and not ended and (most is None or len(times) < most):
            if packets.grab():
                times.append(packets.get(cv2.CAP_PROP_POS_MSEC) / 1000)
                failures = 0
            else:
                failures += 1
                # Damage in the middle is an error of a few packets: more may follow while the announced end is far.
                left = max(0.0, min(announced - len(times), _MOST_FAILURES))
                ended = failures >= _FAILURES_IN_A_ROW + left
    finally:
        packets.release()
    return np.sort(np.array(times, np.float64)), ended


_FAILURES_IN_A_ROW, _MOST_FAILURES = 4, 10_000
