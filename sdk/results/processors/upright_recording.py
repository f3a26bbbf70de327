"""Turns a whole recording upright: its first second stands by the same vertical and floor as its last."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np

from sdk.camera.camera_motion import CameraMotion, check_camera_motion
from sdk.results.pose_frame import PersonPose, PoseFrame
from sdk.results.processors.base import checked_direction
from sdk.results.processors.upright import (
    FLOOR_PERCENTILE,
    MEMORY_S,
    level_rotation,
    lowest_m,
    median_direction,
    require_told,
    tilt_of_up,
    turned_person,
)

MOVES_RAD = math.radians(12)
MOVES_SHARE = 0.1
"""A camera moves if the vertical of ten seconds is farther than the first from that of the whole recording, for more
than the second of the time. What a lifter tells is wrong for seconds at a time, so this can't be sure. Of people whom
it knows (31 clips, `benchmarks/moving_camera.py`), no still camera is followed even from 8 degrees on; half as much
again is left for people whom it does not know. From 12 degrees on, cameras that turn by 60 are followed in 94% (one
vertical is off by 15.2 degrees in the mean, then 4.9), by 30 at once in 97% (15.0, 3.5), by 30 slowly in 29% (7.8,
6.2)."""
_STEP_S = 1.0
"""Of a moving camera, vertical and floor are found at such steps; between them they are interpolated."""


@dataclass(frozen=True)
class Course:
    """A quantity over a recording: one value, or values at even steps of time.

    Attributes:
        times_s: (N,) increasing.
        values: (N, C).
    """

    times_s: np.ndarray
    values: np.ndarray

    @property
    def moves(self) -> bool:
        """Whether it is more than one value."""
        return len(self.values) > 1

    def at(self, time_s: float) -> np.ndarray:
        """(C,) interpolated linearly; the first value before all times, the last after them."""
        if not self.moves:
            return self.values[0]
        return np.array([np.interp(time_s, self.times_s, column) for column in self.values.T])


def vertical_of_recording(times_s: np.ndarray, told: np.ndarray, motion: CameraMotion = "auto") -> Course:
    """Which way is up in a recording: one direction if its camera stands still, else the median of ten seconds.

    Args:
        times_s: (N,) seconds of what was told; of one moment there may be many, of many people.
        told: (N, 3) up in camera axes, as a lifter tells it; N is 1 or more.
        motion: Whether the camera moves; for `auto` see `MOVES_RAD`.

    Raises:
        BadSetting: `motion` is no `CameraMotion`.
    """
    check_camera_motion(motion)
    whole = median_direction(told)
    still = Course(times_s[:1], whole[None])
    if motion == "still":
        return still
    slow = _over_ten_seconds(times_s, told, median_direction)
    off_rad = np.arccos(np.clip(slow.values @ whole, -1, 1))
    return slow if motion == "moving" or (off_rad > MOVES_RAD).mean() > MOVES_SHARE else still


def up_at(vertical: Course, time_s: float) -> np.ndarray:
    """(3,) of length 1: the vertical at a time."""
    up = vertical.at(time_s)
    length = np.linalg.norm(up)
    if length < 0.1:  # between two opposite ones there is no middle
        return vertical.values[np.abs(vertical.times_s - time_s).argmin()]
    return up / length


class UprightRecording:
    """A processor that turns everybody in a recording upright, as `Upright` does in a stream.

    It goes through all results before it turns the first. Its vertical is that of `vertical_of_recording`, of
    everybody; the floor of people with a position is where their lowest point mostly was at its lowest: in the whole
    recording, or within ten seconds if the camera moves.

    Args:
        frames: All results in camera axes. They are gone through twice.
        up: (3,) up in camera axes, of a camera that does not move. None: what the lifter tells.
        motion: Whether the camera moves: see `vertical_of_recording`.

    Attributes:
        vertical: The vertical over time; None if nothing was told: then results stay as they are.

    Raises:
        BadSetting: `up` is no direction, or `motion` no `CameraMotion`.
        MissingVertical: `up` was not given, and the lifter tells none.
    """

    def __init__(
        self, frames: Iterable[PoseFrame], up: np.ndarray | None = None, motion: CameraMotion = "auto"
    ) -> None:
        self.vertical = (
            _told_in(frames, motion) if up is None else Course(np.zeros(1), checked_direction("up", up)[None])
        )
        self._floors: dict[int, Course] = {}
        self._last: tuple[np.ndarray, np.ndarray] | None = None  # a vertical, and its rotation
        if self.vertical is not None:
            self._floors = self._floors_in(frames, self.vertical.moves)

    def process(self, result: PoseFrame) -> PoseFrame:
        """The result in level axes."""
        if self.vertical is None:
            return result
        up = up_at(self.vertical, result.timestamp_s)
        rotation = self._rotation(up)
        people = tuple(self._on_floor(turned_person(one, rotation), result.timestamp_s) for one in result.people)
        return replace(result, people=people, tilt_rad=tilt_of_up(up))

    def _rotation(self, up: np.ndarray) -> np.ndarray:
        if self._last is None or not np.array_equal(up, self._last[0]):
            self._last = up, level_rotation(up)
        return self._last[1]

    def _on_floor(self, person: PersonPose, now_s: float) -> PersonPose:
        if person.joints_m is None:
            return person
        if person.root_m is None:
            return replace(person, floor_m=lowest_m(person.joints_m[:, 1]))
        return replace(person, floor_m=float(self._floors[person.track_id].at(now_s)[0] - person.root_m[1]))

    def _floors_in(self, frames: Iterable[PoseFrame], moving: bool) -> dict[int, Course]:
        """Of everybody with a position: how far below the camera their floor lies."""
        assert self.vertical is not None
        times: defaultdict[int, list[float]] = defaultdict(list)
        lowest: defaultdict[int, list[float]] = defaultdict(list)
        for frame in frames:
            down = self._rotation(up_at(self.vertical, frame.timestamp_s))[1]
            for person in frame.people:
                if person.joints_m is not None and person.root_m is not None:
                    times[person.track_id].append(frame.timestamp_s)
                    lowest[person.track_id].append(lowest_m(person.joints_m @ down) + float(person.root_m @ down))
        return {
            track_id: _over_ten_seconds(np.array(times[track_id]), np.array(values)[:, None], _usual_floor)
            if moving
            else Course(np.zeros(1), _usual_floor(np.array(values)[:, None])[None])
            for track_id, values in lowest.items()
        }


def _told_in(frames: Iterable[PoseFrame], motion: CameraMotion) -> Course | None:
    times: list[float] = []
    told: list[np.ndarray] = []
    for frame in frames:
        here = require_told(frame)
        times += [frame.timestamp_s] * len(here)
        told += here
    return vertical_of_recording(np.array(times), np.stack(told).astype(np.float64), motion) if told else None


def _usual_floor(lowest: np.ndarray) -> np.ndarray:
    return np.percentile(lowest, FLOOR_PERCENTILE, axis=0)


def _over_ten_seconds(times_s: np.ndarray, values: np.ndarray, usual: Callable[[np.ndarray], np.ndarray]) -> Course:
    """The usual value within ten seconds about each step of time, all of them within the recording. Steps with no value
    near them are left out."""
    order = np.argsort(times_s, kind="stable")
    times_s, values = times_s[order], values[order]
    first_s, last_s, half_s = times_s[0], times_s[-1], MEMORY_S / 2
    steps = np.arange(first_s, last_s + _STEP_S, _STEP_S)
    middles = np.clip(steps, first_s + half_s, max(first_s + half_s, last_s - half_s))
    starts, ends = np.searchsorted(times_s, middles - half_s), np.searchsorted(times_s, middles + half_s, "right")
    kept = ends > starts
    found = [usual(values[start:end]) for start, end in zip(starts[kept], ends[kept], strict=True)]
    return Course(steps[kept], np.stack(found))
