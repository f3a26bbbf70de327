"""Motion files: one person a file, rows at even steps of time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np

from sdk.files.output_files import check_output_path, naming
from sdk.results.pose_frame import PoseFrame
from sdk.stream.track_windows import LONGEST_GAP_S
from sdk.tracking.person_tracker import FORGET_AFTER_S
from sdk.writers.base import ClosesItself, FlushClock

Y_UP = np.array([1.0, -1.0, -1.0])
"""From camera axes (x right, y down, z forward) to x right, y up, z backward: a half turn about x."""


class MotionFile(Protocol):
    """An open file of one person."""

    def add(self, joints_m: np.ndarray | None) -> None:
        """Write the next row: (16, 3) metres, y up; None where the person was not seen."""
        ...

    def flush(self) -> None:
        """Bring everything to the disk, with a head that fits it."""
        ...

    def close(self) -> None:
        """Flush and close."""
        ...


OpenMotionFile = Callable[[Path, int, float], MotionFile]
"""Opens a file for a track, by path, track, and time of the first row since the stream's first picture."""


class PersonFiles(ClosesItself):
    """Writes `NAME_person1.trc`, `NAME_person2.trc`, ...: one for each track that was lifted.

    Rows are at even steps of the stated frame rate, see `EvenRows`. Files are brought to the disk every second, with a
    head that fits what is in them, and closed when the person is forgotten. Poses are relative to the pelvis; where the
    root position is known, it is added.
    """

    def __init__(self, path: str | Path, suffix: str, frame_rate_hz: float, open_file: OpenMotionFile) -> None:
        """Check that files can be written; each is opened with its person's first pose.

        Args:
            path: Gives the folder and the name before `_person1`.
            suffix: Of the files.
            frame_rate_hz: Of their rows.
            open_file: Opens one.

        Raises:
            BadOutput: if nothing can be written there.
        """
        self.path = check_output_path(path, suffix)
        self.paths: list[Path] = []
        self._frame_rate_hz, self._open_file = frame_rate_hz, open_file
        self._people: dict[int, _OpenFile] = {}
        self._first_s: float | None = None
        self._flush = FlushClock()

    def write(self, frame: PoseFrame) -> None:
        """Add the people of a picture.

        Raises:
            BadOutput: if the disk is full.
        """
        now_s = frame.timestamp_s
        if self._first_s is None:
            self._first_s = now_s
        for person in frame.people:
            if person.joints_m is not None:
                root = np.zeros(3) if person.root_m is None else person.root_m
                self._add(person.track_id, (person.joints_m + root) * Y_UP, now_s)
        for track_id, person_file in list(self._people.items()):
            if not 0 <= now_s - person_file.last_s <= FORGET_AFTER_S:
                self._close(track_id)
        if self._flush.due():
            for person_file in self._people.values():
                with naming(person_file.path):
                    person_file.file.flush()

    def _add(self, track_id: int, joints_m: np.ndarray, timestamp_s: float) -> None:
        person = self._people.get(track_id)
        if person is None:
            assert self._first_s is not None
            path = self.path.with_name(f"{self.path.stem}_person{track_id}{self.path.suffix}")
            with naming(path):
                file = self._open_file(path, track_id, timestamp_s - self._first_s)
            person = self._people[track_id] = _OpenFile(path, file, EvenRows(self._frame_rate_hz))
            self.paths.append(path)
        person.last_s = timestamp_s
        with naming(person.path):
            for row in person.rows.push(joints_m, timestamp_s):
                person.file.add(row)

    def _close(self, track_id: int) -> None:
        person = self._people.pop(track_id)
        with naming(person.path):
            person.file.close()

    def close(self, *, complete: bool = True) -> None:
        """Close all files; closing twice does no harm."""
        for track_id in list(self._people):
            self._close(track_id)

    def __enter__(self) -> PersonFiles:
        return self


class _OpenFile:
    def __init__(self, path: Path, file: MotionFile, rows: EvenRows) -> None:
        self.path, self.file, self.rows = path, file, rows
        self.last_s = 0.0


_SAME_INSTANT = 0.02
"""A row this part of a step after a pose is still that pose's: timestamps are not exact."""


class EvenRows:
    """Turns poses at any times into rows at `start_s + k / frame_rate_hz`.

    Rows between two poses are interpolated linearly, unless more than `LONGEST_GAP_S` lies between: those are missing.

    Attributes:
        start_s: Time of the first row, that of the first pose.
        rows: How many there are so far.
    """

    def __init__(self, frame_rate_hz: float) -> None:
        self._frame_rate_hz = frame_rate_hz
        self.rows = 0
        self.start_s = self._last_s = np.nan
        self._last = np.zeros(0)

    def push(self, joints_m: np.ndarray, timestamp_s: float) -> list[np.ndarray | None]:
        """Take the next pose, (J, 3), later than the one before; return the rows up to its time, None for missing."""
        if self.rows == 0:
            self.start_s = timestamp_s
        rows: list[np.ndarray | None] = []
        until = (timestamp_s - self.start_s) * self._frame_rate_hz + _SAME_INSTANT
        while self.rows <= until:
            at_s = self.start_s + self.rows / self._frame_rate_hz
            step_s = timestamp_s - self._last_s
            if self.rows == 0 or at_s >= timestamp_s:
                rows.append(joints_m)
            elif step_s > LONGEST_GAP_S + 1e-6:
                rows.append(None)
            else:
                share = min(max((at_s - self._last_s) / step_s, 0.0), 1.0)
                rows.append(self._last * (1 - share) + joints_m * share)
            self.rows += 1
        self._last, self._last_s = joints_m, timestamp_s
        return rows
