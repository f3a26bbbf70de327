"""COCO's annotation JSON with keypoints, for the frames of one video. Most annotation tools export it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from sdk.errors import BadKeypoints
from sdk.keypoint_files.image_metadata import find_image_metadata
from sdk.keypoint_files.layouts import layout_of_count, layout_of_names
from sdk.keypoint_files.limits import NotThisFormat, check_frame_number
from sdk.keypoint_files.parsing.frame_names import LONGEST_NAME, read_frame_names
from sdk.keypoint_files.parsing.json_file import all_have, load_json, shown, to_frame_number, to_number, to_numbers
from sdk.keypoint_files.track_collection import CollectedTracks, PeopleInFrames
from sdk.skeletons.skeleton import Skeleton

_SCORE_OF_FLAG = np.array([0.0, 0.5, 1.0])
"""Scores for COCO's flags: 0 not labelled, 1 labelled but hidden, 2 labelled and visible."""
_FRAME_KEYS = ("frame_id", "frame_index", "frame_number")
_VIDEO_KEYS = ("video_id", "vid_id")


def read_coco_annotations(
    path: Path,
    skeleton: str | None = None,
    image_size: tuple[int, int] | None = None,
    frame_rate_hz: float | None = None,
) -> CollectedTracks:
    """Read `images` and `annotations` with `keypoints`: x, y and a visibility flag, or a score, for each joint.

    The frame number is the image's `frame_id`, else the number that varies in `file_name`. `track_id` tells people
    apart. Without it, people are matched over frames by their boxes.

    Args:
        path: The file.
        skeleton: Name of the layout. None to tell it from the category's joint names, else from their number.
        image_size: Width and height. None to take the images' own.
        frame_rate_hz: None to read it from the video of the same name beside the file.

    Raises:
        NotThisFormat: it has no images and annotations.
        BadKeypoints: it is damaged, has no keypoints or several videos, or the rate is not known.
    """
    content = load_json(path)
    if not isinstance(content, dict) or not all(isinstance(content.get(k), list) for k in ("images", "annotations")):
        raise NotThisFormat("no 'images' and 'annotations'")
    images, annotations = content["images"], content["annotations"]
    if not images or not all_have(images, "id") or not all_have(annotations, "image_id"):
        raise BadKeypoints(f"{path}: each image needs an id, each annotation an image_id.")
    people = [entry for entry in annotations if entry.get("keypoints")]
    if not people:
        raise BadKeypoints(
            f"{path} has {len(annotations)} annotations, none with keypoints. Export it as COCO Keypoints, not as "
            "boxes or masks."
        )
    frame_of, size = _frames(path, images)
    layout, columns = _layout(path, content.get("categories"), people, skeleton)
    image_metadata = find_image_metadata(path, [path.stem], image_size or size, frame_rate_hz)
    gathered = PeopleInFrames(path.stem, layout, image_metadata)
    for frame in frame_of.values():
        gathered.see(frame)
    what = f"{path}: an annotation"
    poses = [to_numbers(entry["keypoints"], what, of_joints=True).reshape(-1, 3) for entry in people]
    flags = all(np.isin(np.nan_to_num(pose[:, 2]), (0, 1, 2)).all() for pose in poses) and any(
        (pose[:, 2] == 2).any() for pose in poses
    )
    for entry, marks in zip(people, poses, strict=True):
        image = _key(path, entry["image_id"])
        if image not in frame_of:
            raise BadKeypoints(f"{what} is of image {shown(entry['image_id'])}, which the file does not list.")
        if flags:
            marks[:, 2] = _SCORE_OF_FLAG[np.nan_to_num(marks[:, 2]).astype(int)]
        pose = np.full((len(layout), 3), np.nan)
        there = [joint for joint, column in enumerate(columns) if column is not None]
        pose[there] = marks[[column for column in columns if column is not None]]
        track = entry.get("track_id")
        if (np.nan_to_num(pose[:, 2]) > 0).any():
            number = None if track is None else int(to_number(track, f"{what}, track_id"))
            gathered.add(frame_of[image], pose, number)
    return gathered.collect()


def _frames(path: Path, images: list[Any]) -> tuple[dict[str | int | float, int], tuple[int, int] | None]:
    """The frame number of each image id, and the images' size if they say it."""
    for key in _VIDEO_KEYS:
        videos = list(dict.fromkeys(shown(image.get(key)) for image in images))
        if len(videos) > 1:
            raise BadKeypoints(
                f"{path} has images of several videos ({key} {videos[0]}, {videos[1]}, ...). Write one file for each."
            )
    stated = next((key for key in _FRAME_KEYS if all_have(images, key)), None)
    if stated is not None:
        numbers = [to_frame_number(image[stated], f"{path}: {stated}") for image in images]
    else:
        names = [str(image.get("file_name") or image["id"])[:LONGEST_NAME] for image in images]
        numbers = list(read_frame_names(path, names).numbers)
    seen: dict[int, Any] = {}
    for image, number in zip(images, numbers, strict=True):
        if seen.setdefault(number, image) is not image:
            raise BadKeypoints(
                f"{path}: images {shown(seen[number]['id'])} and {shown(image['id'])} are both frame {number}."
            )
        check_frame_number(path, number)
    frame_of = {_key(path, image["id"]): number for image, number in zip(images, numbers, strict=True)}
    if len(frame_of) < len(images):
        raise BadKeypoints(f"{path} has an image id twice.")
    if not all_have(images, "width", "height"):
        return frame_of, None
    sizes = list(
        dict.fromkeys(tuple(to_frame_number(image[side], f"{path}: {side}") for side in ("width", "height"))
                      for image in images)
    )  # fmt: skip
    if len(sizes) > 1:
        raise BadKeypoints(
            f"{path} has images of {len(sizes)} sizes, {sizes[0]} and {sizes[1]} among them. These are not frames of "
            "one video, and single images can't be lifted."
        )
    return frame_of, (sizes[0][0], sizes[0][1])


def _layout(path: Path, categories: Any, people: list[Any], skeleton: str | None) -> tuple[Skeleton, list[int | None]]:
    """The skeleton, and for each of its joints the position in the file's keypoints."""
    counts = {len(entry["keypoints"]) if isinstance(entry["keypoints"], list) else -1 for entry in people}
    count = counts.pop()
    if counts or count % 3:
        raise BadKeypoints(f"{path}: keypoints are x, y, visibility for each joint, the same joints for everybody.")
    used = {shown(entry.get("category_id")) for entry in people}
    if categories is not None and not isinstance(categories, list):
        raise BadKeypoints(f"{path}: 'categories' is {shown(categories)}, not a list of what the annotations show.")
    named = [c for c in categories or () if isinstance(c, dict) and shown(c.get("id")) in used and c.get("keypoints")]
    if skeleton is None and named:
        names = named[0]["keypoints"]
        if any(other["keypoints"] != names for other in named[1:]):
            raise BadKeypoints(
                f"{path} has people of several categories with different joints. Write one file for each."
            )
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names) or len(names) != count // 3:
            raise BadKeypoints(f"{path}: the category names {shown(names)} for keypoints of {count // 3} joints.")
        return layout_of_names(path, names, None)
    layout = layout_of_count(path, count // 3, skeleton)
    return layout, list(range(len(layout)))


def _key(path: Path, image_id: Any) -> str | int | float:
    if type(image_id) not in (str, int, float):
        raise BadKeypoints(f"{path}: {shown(image_id)} is not the id of an image.")
    return image_id
