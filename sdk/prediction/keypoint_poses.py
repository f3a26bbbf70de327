"""Results of a stream out of keypoint files: as if the detector had found these people in these frames."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from sdk.camera.camera_motion import CameraMotion
from sdk.camera.one_euro import OneEuroFilter, Smoothing
from sdk.camera.pinhole_camera import ASSUMED, Pinhole
from sdk.camera.placement import Placement
from sdk.errors import BadKeypoints, BadVideo
from sdk.keypoint_files.keypoint_track import KeypointTrack
from sdk.lifting.lifter import Lifter, require_screen
from sdk.lifting.windows import prepare_keypoints
from sdk.prediction.settings import PoseSettings, given_up, processors_of
from sdk.results.pose_frame import LIFTED_STATUSES, LiftStatus, PersonPose, PoseFrame, StageTimes
from sdk.results.processors.upright_recording import UprightRecording
from sdk.skeletons.joint_conversion import pose_scores
from sdk.skeletons.skeleton import find_skeleton
from sdk.stream.people import FEWEST_FRAMES
from sdk.tracking.left_right_swap import SideSwapRepair
from sdk.video.source import open_video

_NO_IMAGE = np.zeros((0, 0, 3), np.uint8)
_NO_TIMES = StageTimes(0.0, 0.0, 0.0, 0.0)
_Rows = dict[int, list[tuple[float, PersonPose]]]
"""People by the index of their frame, with its time."""


def poses_of_tracks(
    tracks: Sequence[KeypointTrack],
    lifter: Lifter,
    settings: PoseSettings,
    video: Path | None = None,
    motion: CameraMotion = "auto",
) -> Iterator[PoseFrame]:
    """Lift the tracks of a file, and give them frame by frame, as a `PoseStream` gives those of a video.

    Each track is a person; nothing is tracked anew. Sides are repaired, poses placed and smoothed as in a stream. They
    are turned upright by what is told in the whole recording.

    Args:
        tracks: Of one recording.
        lifter: The lifter.
        settings: How poses are made.
        video: If given, the frames have its images; else they are black.
        motion: Whether the camera moves: see `UprightRecording`.

    Raises:
        BadKeypoints: the tracks are not of one recording, or a camera is given for cropped footage.
        BadVideo: the video is not that of the tracks.
    """
    first = tracks[0]
    for track in tracks:
        if (track.skeleton, track.image_size) != (first.skeleton, first.image_size):
            raise BadKeypoints(
                f"tracks {first.name!r} and {track.name!r} are not of one recording: {first.skeleton} in "
                f"{first.image_size[0]}x{first.image_size[1]} and {track.skeleton} in "
                f"{track.image_size[0]}x{track.image_size[1]} pixels."
            )
    rows: _Rows = defaultdict(list)
    for number, track in zip(track_numbers(tracks), tracks, strict=True):
        for index, time_s, person in _lifted(track, number, lifter, settings):
            rows[index].append((time_s, person))
    level = None
    if settings.upright:
        level = UprightRecording(
            [_frame(rows, index, rows[index][0][0], _NO_IMAGE) for index in sorted(rows)],
            given_up(settings),
            motion,
        )
    processors = processors_of(settings, level)
    for frame in _frames(rows, first, video):
        for processor in processors:
            frame = processor.process(frame)
        yield frame


def track_numbers(tracks: Sequence[KeypointTrack]) -> list[int]:
    """Each track's number: that at the end of its name (`walk.json#3`), or its place, if not all have different ones.

    A track that was broken off (`#3.2`) has a number of its own.
    """
    ends = [re.search(r"#(\d{1,9})$", track.name) for track in tracks]
    numbers = [int(end[1]) for end in ends if end is not None]
    return numbers if len(set(numbers)) == len(tracks) else list(range(1, len(tracks) + 1))


def _lifted(
    track: KeypointTrack, number: int, lifter: Lifter, settings: PoseSettings
) -> Iterator[tuple[int, float, PersonPose]]:
    keypoints, scores, exchanged = _repaired(track) if settings.repair_sides else _as_they_are(track)
    scored = np.concatenate([keypoints, scores[..., None]], -1)
    prepared = prepare_keypoints(scored, track.image_size, track.skeleton, lifter.metadata, lifter.missing_below)
    if len(track) < FEWEST_FRAMES:
        answer, statuses = None, (LiftStatus.TOO_SHORT,) * len(track)
    else:
        answer, statuses = lifter.answer_prepared(prepared, track.timestamps_s)
    placement = _new_placement(settings, lifter)
    smoothing = OneEuroFilter(Smoothing()) if settings.smooth else None
    visibility = pose_scores(scores, track.skeleton, lifter.skeleton.name)
    for at, (index, time_s) in enumerate(zip(track.frame_indices.tolist(), track.timestamps_s.tolist(), strict=True)):
        lifted = answer is not None and statuses[at] in LIFTED_STATUSES
        pose: np.ndarray | None = answer.joints_m[at] if answer is not None and lifted else None
        root_m = None
        if pose is not None:
            assert answer is not None
            deviations = None if answer.deviations_m is None else answer.deviations_m[at]
            if placement is not None:
                pose, root_m = placement(pose, prepared[at], time_s, deviations)
            if smoothing is not None:
                pose = smoothing(pose, time_s, deviations)
        seen = keypoints[at][scores[at] > 0] if (scores[at] > 0).any() else keypoints[at]
        person = PersonPose(
            number,
            np.concatenate([seen.min(0), seen.max(0)]).astype(np.float32),
            keypoints[at],
            scores[at],
            statuses[at],
            pose,
            visibility=visibility[at],
            root_m=root_m if root_m is not None and np.isfinite(root_m).all() else None,
            exchanged=exchanged[at],
            **(answer.further(at) if answer is not None and lifted else {}),
        )
        yield index, time_s, person


def _repaired(track: KeypointTrack) -> tuple[np.ndarray, np.ndarray, list[tuple[str, ...]]]:
    sides = SideSwapRepair(find_skeleton(track.skeleton))
    repaired = [
        sides(keypoints, scores, time_s)
        for keypoints, scores, time_s in zip(track.keypoints_px, track.scores, track.timestamps_s, strict=True)
    ]
    places, scores = np.stack([one.keypoints_px for one in repaired]), np.stack([one.scores for one in repaired])
    return places, scores, [one.exchanged for one in repaired]


def _as_they_are(track: KeypointTrack) -> tuple[np.ndarray, np.ndarray, list[tuple[str, ...]]]:
    return track.keypoints_px, track.scores, [()] * len(track)


def _new_placement(settings: PoseSettings, lifter: Lifter) -> Placement | None:
    if settings.field_of_view is None and not settings.settle_bones:
        return None
    require_screen(lifter.metadata)
    camera = ASSUMED if settings.field_of_view is None else Pinhole.of_field_of_view(settings.field_of_view)
    return Placement(camera, settle_bones=settings.settle_bones)


def _frames(rows: _Rows, first: KeypointTrack, video: Path | None) -> Iterator[PoseFrame]:
    """The frames in order: those of the video, or those in which somebody is."""
    black = np.zeros((first.image_size[1], first.image_size[0], 3), np.uint8)
    make = partial(_frame, rows)
    if video is None:
        for index in sorted(rows):
            yield make(index, rows[index][0][0], black)
        return
    with open_video(video, fps=first.frame_rate_hz) as source:
        if first.image_size != source.image_size:
            raise BadVideo(
                f"{source.name} is {source.image_size[0]}x{source.image_size[1]} pixels, and the keypoints of its name "
                f"are of {first.image_size[0]}x{first.image_size[1]}: they are not of this video."
            )
        for frame in source:
            yield make(frame.index, frame.timestamp_s, frame.image)


def _frame(rows: _Rows, index: int, timestamp_s: float, image: np.ndarray) -> PoseFrame:
    people = tuple(sorted((person for _, person in rows.get(index, ())), key=lambda one: one.track_id))
    return PoseFrame(index, timestamp_s, image, people, len(people), replace(_NO_TIMES), delay_s=0.0)
