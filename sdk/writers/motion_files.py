"""Motion files: one file for each person, with rows at even steps of time."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np

from sdk.errors import BadOutput
from sdk.files.output_files import check_output_path, naming
from sdk.results.pose_frame import PersonPose, PoseFrame
from sdk.tracking.lifetime import goes_on
from sdk.writers.base import ClosesItself, FlushClock

LONGEST_LEAD_S = 3600.0
"""The file of a person who appears later than this begins with the person, and its name says when."""
Y_UP = np.array([1.0, -1.0, -1.0])
"""From camera axes (x right, y down, z forward) to x right, y up, z backward: a half turn about x."""


class MotionFile(Protocol):
    """An open file of one person. If the disk gets full, all rows in the file are whole."""

    def add(self, joints_m: np.ndarray | None) -> None:
        """Write the next row: (16, 3) metres, y up; None where the person was not seen."""
        ...

    def flush(self) -> None:
        """Write everything to the disk, with a header that fits it."""
        ...

    def close(self) -> None:
        """Flush and close."""
        ...


OpenMotionFile = Callable[[Path, int, float], MotionFile]
"""Opens the file of a track, given path, track, and seconds from the stream's first frame to the first pose."""


class PersonFiles(ClosesItself):
    """Writes `NAME_person1.trc`, `NAME_person2.trc`, ...: one file for each track with 3D.

    Rows are at even steps of the frame rate, counted from the stream's first frame (see `EvenRows`). So the rows of
    all people, and the frames of a video, are in step. Files are flushed every second, and closed when the stream
    forgets the person (`PoseFrame.forgotten`). Poses are relative to the pelvis; the root position is added where it is
    known. Upright people (`Upright`) stand on the floor, y = 0.

    The first frame removes files of these names from an earlier run. Files of this run are never overwritten: a track
    that comes back after it was forgotten gets a second file, `NAME_person1_2.trc`. The file of a person who appears
    more than `LONGEST_LEAD_S` after the first frame begins with the person: `NAME_person7_from_4210.40s.trc`.
    """

    def __init__(self, path: str | Path, suffix: str, frame_rate_hz: float, open_file: OpenMotionFile) -> None:
        """Check that files can be written. Each is opened with its person's first pose.

        Args:
            path: The folder, and the name before `_person1`.
            suffix: Suffix of the files.
            frame_rate_hz: Rows per second.
            open_file: Opens one file.

        Raises:
            BadOutput: nothing can be written there.
        """
        self.path = check_output_path(path, suffix)
        self.paths: list[Path] = []
        self._frame_rate_hz, self._open_file = frame_rate_hz, open_file
        self._people: dict[int, _PersonFile] = {}
        self._first_s, self._newest_s = np.nan, -np.inf
        self._flush = FlushClock()

    def write(self, frame: PoseFrame) -> None:
        """Write the people of a frame.

        Raises:
            BadOutput: the disk is full.
        """
        now_s = frame.timestamp_s
        if np.isnan(self._first_s):
            self._remove_older()
        if not now_s > self._newest_s or np.isnan(self._first_s):  # the stream begins, or its clock was set back
            self._close_where(lambda track_id: True)
            self._first_s = now_s
        self._newest_s = now_s
        for person in frame.people:
            if person.joints_m is not None:
                joints = _in_room(person)
                if person.track_id not in self._people:
                    self._people[person.track_id] = _PersonFile(EvenRows(self._frame_rate_hz, self._first_s))
                here = self._people[person.track_id]
                self._add(person.track_id, here, here.rows.push(joints, now_s))
        self._close_where(lambda track_id: track_id in frame.forgotten)
        if self._flush.due():
            for here in self._people.values():
                if here.file is not None:
                    with naming(here.path):
                        here.file.flush()

    def _add(self, track_id: int, person: _PersonFile, rows: list[np.ndarray | None]) -> None:
        if not rows:
            return
        if person.file is None:
            start_s = person.rows.start_s - self._first_s
            late = f"_from_{start_s:.2f}s" if start_s > LONGEST_LEAD_S else ""
            person.path = self._free_path(f"{self.path.stem}_person{track_id}{late}")
            with naming(person.path):
                person.file = self._open_file(person.path, track_id, 0.0 if late else start_s)
            self.paths.append(person.path)
        with naming(person.path):
            for row in rows:
                person.file.add(row)

    def _free_path(self, stem: str) -> Path:
        path, number = self.path.with_name(stem + self.path.suffix), 1
        while path in self.paths:
            number += 1
            path = self.path.with_name(f"{stem}_{number}{self.path.suffix}")
        return path

    def _remove_older(self) -> None:
        ours = re.compile(
            rf"{re.escape(self.path.stem)}_person\d+(_from_\d+\.\d\ds)?(_\d+)?{re.escape(self.path.suffix)}"
        )
        for path in sorted(self.path.parent.iterdir()):
            if ours.fullmatch(path.name) and path.is_file():
                with naming(path):
                    path.unlink()

    def _close_where(self, gone: Callable[[int], bool]) -> None:
        for track_id, person in list(self._people.items()):
            if gone(track_id):
                del self._people[track_id]
                self._add(track_id, person, person.rows.finish())
                if person.file is not None:
                    with naming(person.path):
                        person.file.close()

    def close(self, *, complete: bool = True) -> None:
        """Close all files. A second call does nothing.

        Raises:
            BadOutput: the disk is full. All files are closed first.
        """
        errors: list[BadOutput] = []
        while self._people:
            try:
                self._close_where(lambda track_id: True)
            except BadOutput as error:
                errors.append(error)
        if errors:
            raise errors[0]

    def __enter__(self) -> PersonFiles:
        return self


def _in_room(person: PersonPose) -> np.ndarray:
    """(J, 3) metres, y up: where the person stands, if that is known. Upright people stand on the floor, y = 0."""
    assert person.joints_m is not None
    joints = (person.joints_m + (0 if person.root_m is None else person.root_m)) * Y_UP
    if person.floor_m is not None:
        joints[:, 1] += person.floor_m - joints[0, 1]
    return joints


class _PersonFile:
    def __init__(self, rows: EvenRows) -> None:
        self.rows = rows
        self.file: MotionFile | None = None
        self.path = Path()


_SAME_INSTANT = 0.02
"""In steps: a row so soon after a pose takes that pose as it is, because timestamps are not exact."""


class EvenRows:
    """Resamples poses to rows at `origin_s + k / frame_rate_hz`, from the first pose on.

    Rows between two poses are interpolated linearly. They are missing if the person was away too long between the
    poses (`goes_on`).

    Args:
        frame_rate_hz: Rows per second.
        origin_s: Time of row 0. None for the time of the first pose.

    Attributes:
        start_s: Time of the first row. NaN before there is one.
        rows: Number of rows so far.
    """

    def __init__(self, frame_rate_hz: float, origin_s: float | None = None) -> None:
        self._frame_rate_hz, self._origin_s = frame_rate_hz, origin_s
        self.rows = 0
        self.start_s = self._last_s = np.nan
        self._next = 0
        self._last = np.zeros(0)

    def push(self, joints_m: np.ndarray, timestamp_s: float) -> list[np.ndarray | None]:
        """Add a pose (J, 3), later than the one before. Returns the rows up to its time, None for a missing one."""
        if self._origin_s is None:
            self._origin_s = timestamp_s
        here = (timestamp_s - self._origin_s) * self._frame_rate_hz
        if np.isnan(self._last_s):
            self._next = math.ceil(here - _SAME_INSTANT)
        rows: list[np.ndarray | None] = []
        while self._next <= here + _SAME_INSTANT:
            at_s = self._origin_s + self._next / self._frame_rate_hz
            if at_s >= timestamp_s or np.isnan(self._last_s):
                row: np.ndarray | None = joints_m
            elif not goes_on(timestamp_s - self._last_s):
                row = None
            else:
                share = min(max((at_s - self._last_s) / (timestamp_s - self._last_s), 0.0), 1.0)
                row = self._last * (1 - share) + joints_m * share
            if self.rows == 0 and row is None:  # the first pose is between two rows, and the next one came too late
                row = self._last
            if self.rows == 0:
                self.start_s = at_s
            rows.append(row)
            self.rows += 1
            self._next += 1
        self._last, self._last_s = joints_m, timestamp_s
        return rows

    def finish(self) -> list[np.ndarray | None]:
        """The last rows: usually none; the last pose if all poses were between two rows."""
        if self.rows or np.isnan(self._last_s):
            return []
        assert self._origin_s is not None
        self.start_s, self.rows = self._origin_s + self._next / self._frame_rate_hz, 1
        return [self._last]
