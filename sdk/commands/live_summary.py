"""The summary at the end of a live session: people, poses, losses, and the time of each stage."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

import numpy as np

from sdk.results.pose_frame import LIFTED_STATUSES, LiftStatus, PoseFrame, StageTimes
from sdk.skeletons.joint_conversion import inferred_feet_note
from sdk.stream.delay_statistics import Percentiles
from sdk.stream.pose_stream import PoseStream
from sdk.tracking.people_choice import describe


class LiveSummary:
    """Counts results as they come. It keeps eight bytes for each stage and frame, nothing else.

    Attributes:
        frames: Number of frames so far.
    """

    def __init__(self, stream: PoseStream) -> None:
        self.frames = 0
        self._stream = stream
        self._people: set[int] = set()
        self._most_at_once = 0
        self._without_people = 0
        self._not_tracked = 0
        self._notes: list[str] = []
        self._bystanders: Counter[int] = Counter()
        self._statuses: Counter[LiftStatus] = Counter()
        self._stages = {field.name.removesuffix("_s"): array("d") for field in fields(StageTimes)}
        self._stages["output"] = array("d")

    def add(self, frame: PoseFrame, output_s: float) -> None:
        """Count a result, and the seconds it took to draw, show and write it."""
        self.frames += 1
        self._people.update(person.track_id for person in frame.people)
        self._most_at_once = max(self._most_at_once, len(frame.people))
        self._without_people += not frame.people
        self._not_tracked += frame.untracked
        self._notes += [note for note in frame.notes if note not in self._notes]
        self._bystanders.update(frame.bystanders)
        self._statuses.update(person.status for person in frame.people)
        for field in fields(StageTimes):
            self._stages[field.name.removesuffix("_s")].append(getattr(frame.stage_times_s, field.name))
        self._stages["output"].append(output_s)

    def text(self, written: Sequence[Path]) -> str:
        """The summary as text.

        Args:
            written: Files that were written.
        """
        stream, counts, delays = self._stream, self._stream.counts, self._stream.delays
        lifted = sum(self._statuses[status] for status in LIFTED_STATUSES)
        lines = [
            f"{stream.source.name}: {self.frames} frames, {len(self._people)} people (at most {self._most_at_once} at "
            f"once), {lifted} poses in 3D; {self._without_people} frames without a person.",
            f"Delay: {stream.delay_s:.2f} s, the future that the lifter waits for; up to {stream.longest_delay_s:.2f} "
            "s when somebody is out of sight.",
        ]
        if stream.people != "all":
            lines.append(
                f"Taken: {describe(stream.people)} (--people {stream.people}). Left out: {len(self._bystanders)} other "
                f"people, {self._bystanders.total()} times in an image."
            )
        for status in (LiftStatus.TOO_SHORT, LiftStatus.NOT_FINITE):
            if self._statuses[status]:
                lines.append(f"Not lifted, {status.value}: {self._statuses[status]} poses.")
        if self._statuses[LiftStatus.BRIDGED]:
            lines.append(f"Bridged, not detected in their own frame: {self._statuses[LiftStatus.BRIDGED]} poses.")
        if counts.dropped or counts.results_dropped or counts.late:
            lines.append(
                f"Dropped: {counts.dropped} of {counts.read} frames before the detector, {counts.results_dropped} of "
                f"{counts.results} results, {counts.late} frames that came late."
            )
        if counts.faults:
            lines.append(f"FAILED: the detector failed on {counts.faults} frames. They have no people.")
        if counts.interruptions:
            lines.append(f"INTERRUPTED: the source was lost and came back {counts.interruptions} times.")
        if self._not_tracked:
            lines.append(f"Not tracked, low score or seen only once: {self._not_tracked} detections.")
        notes = [*self._notes, *inferred_feet_note(stream.skeleton, stream.pose_skeleton)]
        lines += [f"Note: {note}" for note in notes]
        if stream.source.damage:
            word = "DAMAGED" if stream.source.truncated else "Note"
            if any(one.at_the_end for one in stream.source.lost):
                word = f"TRUNCATED: the container announces {stream.source.frame_count} frames"
            lines.append(f"{word}: {stream.source.damage}.")
        if delays.frames:
            whole, beyond = delays.camera_to_3d, delays.beyond_detector
            lines += [
                f"From arrival to 3D, p50/p95/p99 of the last {delays.frames} frames: {_milliseconds(whole)} ms; "
                f"without the detector {_milliseconds(beyond)} ms.",
            ]
        if self.frames:
            lines.append(f"{'Stage':<8}{'p50':>9}{'p95':>9}   milliseconds per frame")
            for name, times in self._stages.items():
                p50, p95 = np.percentile(times, [50, 95]) * 1000
                lines.append(f"{name:<8}{p50:>9.2f}{p95:>9.2f}")
        lines += [f"Wrote {path}" for path in written]
        return "\n".join(lines)


def _milliseconds(seconds: Percentiles) -> str:
    return "/".join(f"{value * 1000:.1f}" for value in (seconds.p50_s, seconds.p95_s, seconds.p99_s))
