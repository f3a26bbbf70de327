"""Lifts keypoint files to 3D in one call, without a detector."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sdk.keypoint_files.keypoint_track import KeypointTrack
from sdk.keypoint_files.reading import read_keypoints
from sdk.keypoint_files.track_choice import choose_tracks
from sdk.lifting.answers import PoseAnswer
from sdk.lifting.level_axes import level_rotations, recording_vertical, turned
from sdk.lifting.lifter import Lifter
from sdk.lifting.windows import prepare_keypoints
from sdk.results.pose_frame import LiftStatus
from sdk.tracking.people_choice import PeopleChoice, check_people


@dataclass(frozen=True)
class LiftedPerson:
    """One person of a file in 3D.

    Attributes:
        track: The 2D track.
        joints_m: (T, 16, 3) float32, H36M-16: metres, relative to the pelvis, camera axes x right, y down, z forward;
            of a lifter with feet (T, 20, 3). Of an `upright` lifter, level axes: everybody's by the same vertical.
        status: Of each of the T frames, whether it was lifted; see `Lifter.with_status`.
    """

    track: KeypointTrack
    joints_m: np.ndarray
    status: tuple[LiftStatus, ...]


def lift_keypoint_file(
    path: str | Path,
    lifter: Lifter | None = None,
    *,
    skeleton: str | None = None,
    image_size: tuple[int, int] | None = None,
    frame_rate_hz: float | None = None,
    people: PeopleChoice = "all",
) -> list[LiftedPerson]:
    """Lift everybody, or those who are meant, in a file of any format that `read_keypoints` knows.

    Args:
        path: The file, or a folder with one JSON file per frame.
        lifter: The lifter; None for the shipped one.
        skeleton: As for `read_keypoints`.
        image_size: As for `read_keypoints`.
        frame_rate_hz: As for `read_keypoints`.
        people: Who is lifted: `all`, `largest`, `central`, or the number of the largest people; see `choose_tracks`.

    Returns:
        One entry for each of these tracks, in the order of `read_keypoints`.

    Raises:
        BadKeypoints, UnknownSkeleton, MissingDependency: as `read_keypoints`.
        BadSetting: there is no such choice of people.
    """
    check_people(people)
    lifter = Lifter() if lifter is None else lifter
    tracks = read_keypoints(path, skeleton=skeleton, image_size=image_size, frame_rate_hz=frame_rate_hz)
    meant = choose_tracks(tracks, people)
    lifted = [_lifted(lifter, track) for track in meant]
    if lifter.upright:
        told = [(answer, track.timestamps_s) for track, (answer, _) in zip(meant, lifted, strict=True)]
        vertical = recording_vertical(told, lifter.camera_motion)
        if vertical is not None:
            lifted = [
                (turned(answer, level_rotations(vertical, track.timestamps_s)), status)
                for track, (answer, status) in zip(meant, lifted, strict=True)
            ]
    return [LiftedPerson(track, answer.joints_m, status) for track, (answer, status) in zip(meant, lifted, strict=True)]


def lift_track(lifter: Lifter, track: KeypointTrack) -> np.ndarray:
    """(T, J, 3) poses at the frames of a track, camera axes. Windows interpolate between the frames."""
    return _lifted(lifter, track)[0].joints_m


def _lifted(lifter: Lifter, track: KeypointTrack) -> tuple[PoseAnswer, tuple[LiftStatus, ...]]:
    scored = np.concatenate([track.keypoints_px, track.scores[..., None]], -1)
    prepared = prepare_keypoints(scored, track.image_size, track.skeleton, lifter.metadata, lifter.missing_below)
    return lifter.answer_prepared(prepared, track.timestamps_s)
