"""MMPose's predictions: JSON of `MMPoseInferencer` and of mmpose's demo scripts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from sdk.errors import BadKeypoints
from sdk.keypoint_files.image_metadata import find_image_metadata
from sdk.keypoint_files.layouts import layout_of_count, layout_of_names
from sdk.keypoint_files.limits import NotThisFormat, check_frame_number
from sdk.keypoint_files.parsing.frame_files import frame_files, peek
from sdk.keypoint_files.parsing.json_file import (
    all_have,
    load_json,
    shown,
    to_frame_number,
    to_number,
    to_numbers,
    to_pairs,
)
from sdk.keypoint_files.track_collection import CollectedTracks, PeopleInFrames
from sdk.skeletons.skeleton import Skeleton

_INSTANCE = ("keypoints", "keypoint_scores")


def read_mmpose(
    path: Path,
    skeleton: str | None = None,
    image_size: tuple[int, int] | None = None,
    frame_rate_hz: float | None = None,
) -> CollectedTracks:
    """Read `predictions/<video>.json`, a demo's `results_<video>.json`, or a folder with one file for each image.

    `track_id` tells people apart. Without it, people are matched over frames by their boxes.

    Args:
        path: The file or folder.
        skeleton: Name of the layout. None to tell it from the joint names in the file, else from their number.
        image_size: Width and height. None to read them from the video of the same name beside the file.
        frame_rate_hz: As `image_size`.

    Raises:
        NotThisFormat: it is none of these.
        BadKeypoints: it is damaged, holds 3D poses, has another number of joints, or size and rate are not known.
    """
    meta, frames = _frames_of_folder(path) if path.is_dir() else _frames_of_file(load_json(path))
    people = [(frame, person, f"{path}: a person of frame {frame}") for frame, found in frames for person in found]
    if not people:
        raise BadKeypoints(f"{path} has no person in any of {len(frames)} frames.")
    poses = [np.column_stack([_pairs(person, what), _scores(person, what)]) for _, person, what in people]
    counts = sorted({len(pose) for pose in poses})
    if len(counts) > 1:
        raise BadKeypoints(
            f"{path} has people with {' and '.join(map(str, counts))} joints. All must have the same number."
        )
    layout = _layout(path, meta, counts[0], skeleton)
    stem = path.stem.removeprefix("results_")
    image = find_image_metadata(path, [path.name, stem], image_size, frame_rate_hz)
    gathered = PeopleInFrames(path.stem, layout, image)
    for frame, _ in frames:
        gathered.see(check_frame_number(path, frame))
    for (frame, person, what), pose in zip(people, poses, strict=True):
        track = person.get("track_id")
        number = None if track is None else int(to_number(track, f"{what}, track_id"))
        gathered.add(frame, pose[: len(layout)], number)
    return gathered.collect()


def _frames_of_file(content: Any) -> tuple[Any, list[tuple[int, list[Any]]]]:
    """The file's metadata of joints, and the people of each frame."""
    meta, first = None, 0
    if isinstance(content, dict) and "instance_info" in content:
        # The demo scripts count frames from 1.
        meta, content, first = content.get("meta_info"), content["instance_info"], 1
    if not isinstance(content, list) or not content:
        raise NotThisFormat("not a list of frames")
    if all_have(content, *_INSTANCE):
        raise NotThisFormat("the people of one image: give the folder with the files of all images of a video")
    if not all_have(content, "frame_id", "instances"):
        raise NotThisFormat("a list with entries without 'frame_id' or 'instances'")
    frames = []
    position_of: dict[int, int] = {}
    for position, entry in enumerate(content):
        if not isinstance(entry["instances"], list) or not all_have(entry["instances"], *_INSTANCE):
            raise BadKeypoints(f"frame {shown(entry['frame_id'])}: instances without {' and '.join(_INSTANCE)}.")
        number = to_frame_number(entry["frame_id"], "frame_id") - first
        if position_of.setdefault(number, position) != position:
            raise BadKeypoints(f"entries {position_of[number]} and {position} both have frame_id {entry['frame_id']}.")
        frames.append((number, entry["instances"]))
    return meta, frames


def _frames_of_folder(path: Path) -> tuple[Any, list[tuple[int, list[Any]]]]:
    files = frame_files(path)
    first = next((content for entry in files if (content := peek(entry.file)) is not None), None)
    if not isinstance(_people_of_image(first), list):
        raise NotThisFormat(f"{files[0].file.name} is not a list of people")
    frames = []
    for entry in files:
        try:
            people = _people_of_image(load_json(entry.file))
        except NotThisFormat as error:
            raise BadKeypoints(f"{entry.file}: {error}.") from error
        if not isinstance(people, list) or not all_have(people, *_INSTANCE):
            raise BadKeypoints(f"{entry.file} is not a list of people with {' and '.join(_INSTANCE)}.")
        frames.append((entry.frame, people))
    return first.get("meta_info") if isinstance(first, dict) else None, frames


def _people_of_image(content: Any) -> Any:
    """The people in a file of one image. The demo scripts, and Sapiens', write them beside metadata of the joints."""
    return content.get("instance_info") if isinstance(content, dict) else content


def _pairs(person: dict[str, Any], what: str) -> np.ndarray:
    keypoints = person["keypoints"]
    if isinstance(keypoints, list) and any(isinstance(place, list) and len(place) == 3 for place in keypoints):
        raise BadKeypoints(
            f"{what} has keypoints of three numbers: 3D poses of MMPose's body3d demo or pose3d inferencer. Give 2D: "
            "the predictions of MMPoseInferencer(pose2d=...) or of demo/topdown_demo_with_mmdet.py --save-predictions "
            "on the same video."
        )
    return to_pairs(person["keypoints"], f"{what}, keypoints")


def _scores(person: dict[str, Any], what: str) -> np.ndarray:
    scores = to_numbers(person["keypoint_scores"], f"{what}, keypoint_scores", of_joints=True)
    if len(scores) != len(person["keypoints"]):
        raise BadKeypoints(f"{what} has {len(person['keypoints'])} keypoints and {len(scores)} keypoint_scores.")
    return scores


def _layout(path: Path, meta: Any, joints: int, skeleton: str | None) -> Skeleton:
    names = meta.get("keypoint_id2name") if isinstance(meta, dict) else None
    if skeleton is None and isinstance(names, dict) and len(names) == joints:
        ordered = [str(names.get(str(position), "")) for position in range(joints)]
        layout, columns = layout_of_names(path, ordered, None)
        if columns == list(range(len(layout))):
            return layout
        raise BadKeypoints(
            f"{path} has the joints {', '.join(ordered[:30])}. They are those of {layout.name}, but in another order."
        )
    return layout_of_count(path, joints, skeleton)
