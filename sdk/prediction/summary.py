"""What was found in a recording, in numbers, and the table of many recordings."""

from __future__ import annotations

import dataclasses
import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sdk.results.pose_frame import LIFTED_STATUSES, LiftStatus, PoseFrame
from sdk.results.processors.upright import up_of_tilt


@dataclass(frozen=True)
class PredictionSummary:
    """What was found in a recording. It depends only on the recording, the model and the settings.

    Attributes:
        people: How many tracks were shown in at least one frame.
        most_at_once: Most people in one frame.
        frames: Frames of the recording; of keypoints without their video, those with somebody.
        duration_s: Time from the first frame to the last, with that of one frame.
        poses: People in frames: each person counts in each frame.
        lifted: Poses with 3D; None if nothing was to be lifted.
        bridged: Of those, how many are interpolated over frames in which the person was not detected.
        empty_frames: Frames without a person.
        longest_gap_s: Longest time without a person.
        faults: Frames on which the detector failed.
        notes: Damage of the file, and what was left out, one sentence each.
        files: Names of the files that were written.
    """

    people: int
    most_at_once: int
    frames: int
    duration_s: float
    poses: int
    lifted: int | None
    bridged: int
    empty_frames: int
    longest_gap_s: float
    faults: int
    notes: tuple[str, ...]
    files: tuple[str, ...]

    @property
    def lifted_share(self) -> float | None:
        """Share of the poses with 3D; None if there are no poses, or nothing was to be lifted."""
        return self.lifted / self.poses if self.poses and self.lifted is not None else None

    def text(self) -> str:
        """In a few words."""
        share = "" if self.lifted_share is None else f", {100 * self.lifted_share:.0f}% lifted"
        people = "1 person" if self.people == 1 else f"{self.people} people"
        return f"{people} in {self.frames} frames ({self.duration_s:.1f} s){share}"


class SummaryCounts:
    """Counts results as they come.

    Attributes:
        frames: Counted so far.
        bystanders: How often each of the people who are not meant was in an image.
        turns_deg: How far the vertical of upright poses turned from that of the first frame.
    """

    def __init__(self) -> None:
        self.frames = 0
        self.bystanders: Counter[int] = Counter()
        self.turns_deg = 0.0
        self._first_up: np.ndarray | None = None
        self._people: set[int] = set()
        self._statuses: defaultdict[LiftStatus, int] = defaultdict(int)
        self._most_at_once = self._empty = self._faults = 0
        self._first_s = self._last_s = 0.0
        self._gap_since_s: float | None = None
        self._longest_gap_s = 0.0
        self._last_index, self._longest_step_s = 0, 0.0

    def add(self, frame: PoseFrame) -> None:
        """Count a result."""
        if self.frames == 0:
            self._first_s = frame.timestamp_s
        elif frame.index > self._last_index + 1:  # keypoint files have no frames without people
            self._longest_step_s = max(self._longest_step_s, frame.timestamp_s - self._last_s)
        self.frames += 1
        self._last_s, self._last_index = frame.timestamp_s, frame.index
        self._people.update(person.track_id for person in frame.people)
        self._most_at_once = max(self._most_at_once, len(frame.people))
        self._faults += frame.fault is not None
        self.bystanders.update(frame.bystanders)
        if frame.tilt_rad is not None:
            self._turn(up_of_tilt(*frame.tilt_rad))
        for person in frame.people:
            self._statuses[person.status] += 1
        if frame.people:
            self._end_gap(frame.timestamp_s)
        else:
            self._empty += 1
            if self._gap_since_s is None:
                self._gap_since_s = frame.timestamp_s

    def _turn(self, up: np.ndarray) -> None:
        if self._first_up is None:
            self._first_up = up
        off_deg = math.degrees(math.acos(min(1.0, max(-1.0, float(up @ self._first_up)))))
        self.turns_deg = max(self.turns_deg, off_deg)

    def _end_gap(self, now_s: float) -> None:
        if self._gap_since_s is not None:
            self._longest_gap_s = max(self._longest_gap_s, now_s - self._gap_since_s)
        self._gap_since_s = None

    def summary(self, frame_rate_hz: float, notes: Sequence[str], files: Sequence[str]) -> PredictionSummary:
        """The summary of all results."""
        end_s = self._last_s + (1 / frame_rate_hz if self.frames else 0.0)
        self._end_gap(end_s)
        if self._longest_step_s:
            self._longest_gap_s = max(self._longest_gap_s, self._longest_step_s - 1 / frame_rate_hz)
        return PredictionSummary(
            people=len(self._people),
            most_at_once=self._most_at_once,
            frames=self.frames,
            duration_s=round(end_s - self._first_s, 3),
            poses=sum(self._statuses.values()),
            lifted=sum(self._statuses[status] for status in LIFTED_STATUSES),
            bridged=self._statuses[LiftStatus.BRIDGED],
            empty_frames=self._empty,
            longest_gap_s=round(self._longest_gap_s, 3),
            faults=self._faults,
            notes=tuple(notes),
            files=tuple(files),
        )


def summary_to_json(summary: PredictionSummary) -> dict[str, Any]:
    """As JSON values."""
    return dataclasses.asdict(summary) | {"lifted_share": summary.lifted_share}


def summary_from_json(values: dict[str, Any]) -> PredictionSummary:
    """What `summary_to_json` made.

    Raises:
        TypeError, KeyError: it is something else.
    """
    fields = {field.name: values[field.name] for field in dataclasses.fields(PredictionSummary)}
    lists = {name: tuple(map(str, fields[name])) for name in ("notes", "files")}
    return PredictionSummary(**{**fields, **lists})
