"""Finds the frames of a video file that could not be read, by comparing the times read with those announced."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sdk.video.frame_times import MOST_S, FrameTimes

SLACK_FRAMES = 2
"""So many missing frames are not counted as lost: encoders and edit lists count one too many at each end."""
LONGEST_UNTOLD_TAIL_S = 1.0
"""A shorter missing end is not reported if there is no index: the stated length may be that of the sound."""
_LONGEST_UNTOLD_PAUSE_S = 0.25
_SAME_PLACE_S = 0.25
_MOST_PLACES = 3


@dataclass(frozen=True)
class LostFrames:
    """Frames in a row that were not read.

    Attributes:
        frames: How many. An estimate if the container has no index; 0 if unknown.
        from_s: Time of the last frame before them. None if the place is unknown.
        until_s: Time of the first frame after them. None if no frame follows.
        certain: Whether they were in the file. If not, the recording may have paused.
    """

    frames: int
    from_s: float | None
    until_s: float | None
    certain: bool = True

    @property
    def at_the_end(self) -> bool:
        """Whether no readable frame follows: the file is cut off there."""
        return self.certain and self.until_s is None and self.from_s is not None

    @property
    def place(self) -> str:
        """Where, in words."""
        if self.from_s is None:
            return "at an unknown place"
        if self.until_s is None:
            return f"from {self.from_s:.2f} s to the end"
        return f"between {self.from_s:.2f} and {self.until_s:.2f} s"


def find_lost_frames(
    read_s: np.ndarray,
    failures: Sequence[tuple[int, int]],
    announced: FrameTimes,
    rate_hz: float,
    end_s: float | None = None,
    *,
    counts_frames: bool = False,
    cut_off: bool = False,
) -> tuple[LostFrames, ...]:
    """Compare the frames that were read, up to the end, with those that the container announces.

    Args:
        read_s: (N,) times of the frames that were read, as the container states them.
        failures: For each failure of the decoder: the number of frames read before it, and of failures in a row.
        announced: The file's frame times.
        rate_hz: Frames per second.
        end_s: Stated end of the file. None if it is not stated.
        counts_frames: Whether `end_s` is the end of the frames. If not, it may be the end of the sound.
        cut_off: Whether the file is shorter than it states.
    """
    if announced.indexed:
        return _joined(_missing(read_s, announced.times_s))
    known_s = read_s[(read_s >= 0) & (read_s < MOST_S)]
    if len(known_s) < 0.9 * len(read_s) or not len(read_s):  # the frames have no times
        return tuple(LostFrames(times, None, None) for _, times in failures)
    last_s, step_s = float(known_s.max()), 1 / rate_hz
    lost = _around_failures(read_s, failures, step_s) if failures else _pauses(known_s, rate_hz)
    if end_s is None:
        if cut_off:
            lost.append(LostFrames(0, last_s, None))
        return _joined(lost)
    tail_s, exact = end_s - last_s - step_s, cut_off or counts_frames
    if tail_s > (SLACK_FRAMES * step_s if exact else max(SLACK_FRAMES * step_s, LONGEST_UNTOLD_TAIL_S)):
        # If the container counts frames and has no times, frames after a loss have wrong times.
        place = last_s if cut_off or not counts_frames else None
        lost.append(LostFrames(round(tail_s * rate_hz), place, None, exact))
    return _joined(lost)


def _missing(read_s: np.ndarray, due_s: np.ndarray) -> list[LostFrames]:
    """The frames of an index that were not read."""
    absent = len(due_s) - len(read_s)
    if absent <= SLACK_FRAMES:
        return []
    tolerance_s = 0.45 * float(np.diff(due_s).min())
    # The first frame may be lost too: then the times read do not begin at 0.
    read = max((_found(read_s - shift, due_s, tolerance_s) for shift in (0.0, read_s[0])), key=np.sum)
    if len(due_s) - int(read.sum()) != absent:
        return [LostFrames(absent, None, None)]
    lost = []
    edges = np.flatnonzero(np.diff(np.concatenate([[True], read, [True]])))
    for start, end in edges.reshape(-1, 2):
        before = float(due_s[max(0, start - 1)])
        lost.append(LostFrames(int(end - start), before, float(due_s[end]) if end < len(due_s) else None))
    return lost


def _found(read_s: np.ndarray, due_s: np.ndarray, tolerance_s: float) -> np.ndarray:
    ordered = np.sort(read_s)
    at = np.searchsorted(ordered, due_s)
    before, after = ordered[np.maximum(at - 1, 0)], ordered[np.minimum(at, len(ordered) - 1)]
    return np.minimum(np.abs(due_s - before), np.abs(due_s - after)) <= tolerance_s


def _around_failures(read_s: np.ndarray, failures: Sequence[tuple[int, int]], step_s: float) -> list[LostFrames]:
    """The widest gap near each failure. After a failure, decoders still return some frames from before it."""
    lost = []
    for after, times in failures:
        near = slice(max(0, after - 1), after + _FRAMES_HELD_BACK)
        gaps = np.diff(read_s[near])
        widest = near.start + int(gaps.argmax()) if len(gaps) else after - 1
        if len(gaps) and gaps.max() > 1.5 * step_s:
            frames = max(times, round(gaps.max() / step_s) - 1)
            lost.append(LostFrames(frames, float(read_s[widest]), float(read_s[widest + 1])))
        else:
            lost.append(LostFrames(times, None, None))
    return lost


_FRAMES_HELD_BACK = 20


def _pauses(read_s: np.ndarray, rate_hz: float) -> list[LostFrames]:
    """Long gaps in a recording of otherwise constant rate. Some demuxers skip damage without an error."""
    if len(read_s) < 10:
        return []
    gaps, step_s = np.diff(read_s), 1 / rate_hz
    if (np.abs(gaps - step_s) <= max(0.0011, 0.1 * step_s)).mean() < 0.9:
        return []
    long = np.flatnonzero(gaps > max(_LONGEST_UNTOLD_PAUSE_S, 5 * step_s))
    return [LostFrames(round(gaps[i] * rate_hz) - 1, float(read_s[i]), float(read_s[i + 1]), False) for i in long]


def _joined(lost: Sequence[LostFrames]) -> tuple[LostFrames, ...]:
    """Joins losses with only a few good frames between them: damage hits frames in stored order, not shown order."""
    joined: list[LostFrames] = []
    for one in lost:
        if joined and _near(joined[-1], one):
            last = joined.pop()
            one = LostFrames(last.frames + one.frames, last.from_s, one.until_s, one.certain)
        joined.append(one)
    return tuple(joined)


def _near(one: LostFrames, other: LostFrames) -> bool:
    if one.until_s is None or other.from_s is None or one.certain != other.certain:
        return False
    return other.from_s - one.until_s <= _SAME_PLACE_S


def describe(lost: Sequence[LostFrames], frames_read: int) -> str:
    """One sentence: how many frames were lost, and where. Empty if none was."""
    counted = [one for one in lost if one.certain and one.frames]
    count = sum(one.frames for one in counted)
    cut = "cut off, " if any(one.at_the_end for one in counted) else ""
    parts = [f"{cut}{count} of {count + frames_read} frames could not be read"] if counted else []
    parts += [
        f"{one.frames} {one.place}" for one in counted[:_MOST_PLACES] if len(counted) > 1 or one.from_s is not None
    ]
    if len(counted) > _MOST_PLACES:
        parts.append(f"and more at {len(counted) - _MOST_PLACES} other places")
    sentences = [": ".join([parts[0], ", ".join(parts[1:])]) if len(parts) > 1 else "".join(parts)]
    sentences += [f"the file is cut off {one.place.removesuffix(' to the end')} on" for one in lost if not one.frames]
    pauses = [one for one in lost if not one.certain]
    for one in pauses[:_MOST_PLACES]:
        reason = "only sound is there" if one.until_s is None else "the recording paused"
        sentences.append(f"no frames {one.place}: {reason}, or {one.frames} are lost")
    if len(pauses) > _MOST_PLACES:
        sentences.append(f"the same at {len(pauses) - _MOST_PLACES} other places")
    return "; ".join(filter(None, sentences))
