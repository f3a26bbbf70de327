"""Motion files: one person a file, rows at even steps of time."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np

from sdk.errors import BadOutput
from sdk.files.output_files import check_output_path, naming
from sdk.results.pose_frame import PoseFrame
from sdk.tracking.lifetime import goes_on
from sdk.writers.base import ClosesItself, FlushClock

LONGEST_LEAD_S = 3600.0
"""A person who comes later into the stream than this has a file that begins with them, and says so in its name."""
Y_UP = np.array([1.0, -1.0, -1.0])
"""From camera axes (x right, y down, z forward) to x right, y up, z backward: a half turn about x."""


class MotionFile(Protocol):
    """An open file of one person; rows reach the disk whole, or not at all where it is full."""

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
"""Opens a file for a track, by path, track, and time of its first pose since the stream's first frame."""


class PersonFiles(ClosesItself):
    """Writes `NAME_person1.trc`, `NAME_person2.trc`, ...: one for each track that was lifted.

    Rows are at even steps of the stated frame rate since the stream's first frame, see `EvenRows`: those of all
    people, and the frames of a video, are in step. Files are brought to the disk every second, with a head that fits
    what is in them, and closed when the stream forgets the person (`PoseFrame.forgotten`). Poses are relative to the
    pelvis; where the root position is known, it is added.

    Files under these names of an earlier run are removed with the first frame. Nothing of this run is overwritten: a
    track that comes back after it was forgotten has a second file, `NAME_person1_2.trc`. Whoever comes more than
    `LONGEST_LEAD_S` after the first frame has a file that begins with them, `NAME_person7_from_4210.40s.trc`.
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
        self._people: dict[int, _PersonFile] = {}
        self._first_s, self._newest_s = np.nan, -np.inf
        self._flush = FlushClock()

    def write(self, frame: PoseFrame) -> None:
        """Add the people of a frame.

        Raises:
            BadOutput: if the disk is full.
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
                joints = (person.joints_m + (0 if person.root_m is None else person.root_m)) * Y_UP
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
        """Close all files; closing twice does no harm.

        Raises:
            BadOutput: if the disk is full, after all files were closed.
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


class _PersonFile:
    def __init__(self, rows: EvenRows) -> None:
        self.rows = rows
        self.file: MotionFile | None = None
        self.path = Path()


_SAME_INSTANT = 0.02
"""A row this part of a step after a pose is still that pose's: timestamps are not exact."""


class EvenRows:
    """Turns poses at any times into rows at `origin_s + k / frame_rate_hz`, from the first pose on.

    Rows between two poses are interpolated linearly, unless the track does not go on between them (`goes_on`): those
    are missing.

    Args:
        frame_rate_hz: Of the rows.
        origin_s: Time of row 0; None for that of the first pose.

    Attributes:
        start_s: Time of the first row; NaN before there is one.
        rows: How many there are so far.
    """

    def __init__(self, frame_rate_hz: float, origin_s: float | None = None) -> None:
        self._frame_rate_hz, self._origin_s = frame_rate_hz, origin_s
        self.rows = 0
        self.start_s = self._last_s = np.nan
        self._next = 0
        self._last = np.zeros(0)

    def push(self, joints_m: np.ndarray, timestamp_s: float) -> list[np.ndarray | None]:
        """Take the next pose, (J, 3), later than the one before; return the rows up to its time, None for missing."""
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
            if self.rows == 0 and row is None:  # the first pose lay between two rows, and the next one came too late
                row = self._last
            if self.rows == 0:
                self.start_s = at_s
            rows.append(row)
            self.rows += 1
            self._next += 1
        self._last, self._last_s = joints_m, timestamp_s
        return rows

    def finish(self) -> list[np.ndarray | None]:
        """The last rows: the last pose where all of them lay between two rows, as a rule none."""
        if self.rows or np.isnan(self._last_s):
            return []
        assert self._origin_s is not None
        self.start_s, self.rows = self._origin_s + self._next / self._frame_rate_hz, 1
        return [self._last]
