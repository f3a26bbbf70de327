"""Poses as a table: a row for each person of each frame."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np

from sdk.files.output_files import check_output_path, naming
from sdk.results.pose_frame import PersonPose, PoseFrame
from sdk.skeletons.skeleton import H36M16, Skeleton
from sdk.writers.base import ClosesItself, FlushClock, GrowingFile


class CsvWriter(ClosesItself):
    """Writes a CSV file with a head line.

    Columns: `frame_index`, `timestamp_s`, `track_id`, `status`, `window_filling` (0, 1); the box `left_px`, `top_px`,
    `right_px`, `bottom_px`; for each 2D joint `JOINT_x_px`, `JOINT_y_px`, `JOINT_score`; the pelvis, camera axes,
    `root_x_m`, `root_y_m`, `root_z_m`; for each 3D joint `JOINT_x_m`, `JOINT_y_m`, `JOINT_z_m` (relative to the pelvis;
    camera axes x right, y down, z forward) and `JOINT_visibility`. Poses with feet have more at the end:
    `JOINT_deviation_x_m`, `_y_m`, `_z_m`, `up_x`, `up_y`, `up_z`, `JOINT_contact` (heels and toes), `floor_m`,
    `pitch_rad`, `roll_rad`, as in `PersonPose` and `PoseFrame`. Unknown values are empty. Lines are written to the disk
    every second.
    """

    def __init__(self, path: str | Path, skeleton: Skeleton, pose_skeleton: Skeleton = H36M16) -> None:
        """Open the file. An older one of that name is replaced.

        Raises:
            BadOutput: the file can't be written.
        """
        self.path = check_output_path(path, ".csv")
        self._flush = FlushClock()
        self._waiting = io.StringIO()
        self._table = csv.writer(self._waiting)
        self._pose_joints = len(pose_skeleton)
        self._table.writerow(_head(skeleton, pose_skeleton))
        with naming(self.path):
            self._file = GrowingFile(self.path, b"")
            self._put()

    @property
    def paths(self) -> list[Path]:
        """The file."""
        return [self.path]

    def write(self, frame: PoseFrame) -> None:
        """Write the people of a frame.

        Raises:
            BadOutput: the disk is full.
        """
        for person in frame.people:
            told = _told(person, frame, self._pose_joints) if self._pose_joints > len(H36M16) else []
            self._table.writerow([frame.index, f"{frame.timestamp_s:.6f}", *_row(person, self._pose_joints), *told])
        if self._flush.due():
            self._put()

    def close(self, *, complete: bool = True) -> None:
        """Close the file; closing twice does no harm.

        Raises:
            BadOutput: the disk is full. The file is closed, without the rows of the last second.
        """
        if not self._file.closed:
            try:
                self._put()
            finally:
                self._file.close()

    def _put(self) -> None:
        """Write the waiting lines, or none of them if they do not fit on the disk."""
        with naming(self.path):
            self._file.append(self._waiting.getvalue().encode())
        self._waiting.seek(0)
        self._waiting.truncate()

    def __enter__(self) -> CsvWriter:
        return self


def _head(skeleton: Skeleton, pose_skeleton: Skeleton) -> list[str]:
    names = ["frame_index", "timestamp_s", "track_id", "status", "window_filling"]
    names += [f"{side}_px" for side in ("left", "top", "right", "bottom")]
    names += [f"{joint}_{what}" for joint in skeleton.joints for what in ("x_px", "y_px", "score")]
    names += ["root_x_m", "root_y_m", "root_z_m"]
    names += [f"{joint}_{what}" for joint in pose_skeleton.joints for what in ("x_m", "y_m", "z_m", "visibility")]
    if len(pose_skeleton) > len(H36M16):
        names += [f"{joint}_deviation_{axis}_m" for joint in pose_skeleton.joints for axis in "xyz"]
        names += [*(f"up_{axis}" for axis in "xyz"), *(f"{joint}_contact" for joint in pose_skeleton.joints[-4:])]
        names += ["floor_m", "pitch_rad", "roll_rad"]
    return names


def _told(person: PersonPose, frame: PoseFrame, joints_of_pose: int) -> list[str]:
    """What lifters with feet tell, and how upright people stand."""
    parts: list[tuple[object, int]] = [
        (person.deviations_m, 3 * joints_of_pose),
        (person.up, 3),
        (person.contact, 4),
        (person.floor_m, 1),
        (frame.tilt_rad, 2),
    ]
    values = [np.full(size, np.nan) if part is None else np.ravel(np.asarray(part, float)) for part, size in parts]
    return ["" if np.isnan(value) else f"{value:.5f}" for value in np.concatenate(values).tolist()]


def _row(person: PersonPose, joints_of_pose: int) -> list[object]:
    nothing = np.full((joints_of_pose, 3), np.nan)
    joints = nothing if person.joints_m is None else person.joints_m
    visibility = nothing[:, 0] if person.visibility is None else person.visibility
    root = nothing[0] if person.root_m is None else person.root_m
    keypoints = np.concatenate([person.keypoints_px, person.scores[:, None]], 1)
    pixels = [*person.box.tolist(), *keypoints.ravel().tolist()]
    metres = [*root.tolist(), *np.concatenate([joints, visibility[:, None]], 1).ravel().tolist()]
    return [
        person.track_id,
        person.status.value,
        int(person.window_filling),
        *("" if np.isnan(value) else f"{value:.3f}" for value in pixels),
        *("" if np.isnan(value) else f"{value:.5f}" for value in metres),
    ]
