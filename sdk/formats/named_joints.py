"""People of files with a column for each joint's name, in whatever order, some perhaps missing."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from sdk.errors import BadKeypoints
from sdk.formats.body_layout import layout_of_names
from sdk.formats.bounds import check_frame_number
from sdk.formats.people import PeopleInFrames
from sdk.formats.picture import find_picture
from sdk.formats.track_collector import CollectedTracks


def collect_named_joints(
    path: Path,
    stems: list[str],
    joint_names: list[str],
    people: list[np.ndarray],
    frames: np.ndarray,
    skeleton: str | None,
    image_size: tuple[int, int] | None,
    frame_rate_hz: float | None,
) -> CollectedTracks:
    """Tracks of people, who are numbered as they come.

    A joint that has no finite coordinates in a frame, or that the file lacks, was not seen there: it is filled in as
    `TrackCollector` says; a frame without any joint is left out.

    Args:
        path: The file.
        stems: Names the video may have.
        joint_names: Of the columns, N.
        people: (T, N, 3) each: x, y in pixels and score; NaN where there is none.
        frames: (T,) frame numbers.
        skeleton: Layout; None for the one that the names fit.
        image_size: As `find_picture`.
        frame_rate_hz: As `find_picture`.

    Raises:
        BadKeypoints: the names fit no skeleton, a frame number twice, or as `PeopleInFrames`.
    """
    layout, columns = layout_of_names(path, joint_names, skeleton)
    picture = find_picture(path, stems, image_size, frame_rate_hz)
    if len(np.unique(frames)) < len(frames):
        raise BadKeypoints(f"{path} has a frame number twice.")
    gathered = PeopleInFrames(path.stem, layout, picture)
    there = [joint for joint, column in enumerate(columns) if column is not None]
    source = [column for column in columns if column is not None]
    for number, values in enumerate(people, 1):
        pose = np.zeros((len(values), len(layout), 3))
        pose[:, there] = values[:, source]
        if np.isinf(pose).any():
            raise BadKeypoints(
                f"{path} has an infinite coordinate or score, in frame {frames[np.isinf(pose).any((1, 2))][0]}."
            )
        pose[np.isnan(pose).any(-1)] = 0
        for frame, keypoints in zip(frames, pose, strict=True):
            gathered.see(check_frame_number(path, int(frame)))
            if (keypoints[:, 2] > 0).any():
                gathered.add(int(frame), keypoints, number)
    return gathered.collect()
