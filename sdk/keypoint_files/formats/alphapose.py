"""AlphaPose's JSON: a list of people with the names of their frames, or the people of each frame.

See AlphaPose's docs/output.md.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from sdk.errors import BadKeypoints
from sdk.keypoint_files.image_metadata import find_image_metadata
from sdk.keypoint_files.keypoint_track import KeypointTrack
from sdk.keypoint_files.layouts import layout_of_count
from sdk.keypoint_files.limits import NotThisFormat, check_frame_number
from sdk.keypoint_files.parsing.frame_names import LONGEST_NAME, read_frame_names
from sdk.keypoint_files.parsing.json_file import all_have, load_json, shown, to_number, to_numbers
from sdk.keypoint_files.track_collection import CollectedTracks, PeopleInFrames

_COORDINATES = {"keypoints": None, "pose_keypoints_2d": "people", "joints": "bodies"}
"""Key of a person's numbers, and key of the list of a frame's people: without `--format`, with open, with cmu."""
_WRITTEN = ("coco17", "halpe26")


def read_alphapose(
    path: Path,
    skeleton: str | None = None,
    image_size: tuple[int, int] | None = None,
    frame_rate_hz: float | None = None,
) -> CollectedTracks:
    """Read a JSON file of AlphaPose: COCO-17, Halpe-26, Halpe-136 or MPII-16, coordinates in pixels.

    The file is a list of all people, PoseFlow's people by frame, or the frames of `--format cmu` or `--format open`
    (OpenPose's COCO-18). The frame number is the number that varies in `image_id`. `idx` tells people apart; AlphaPose
    writes it when it tracks. Without `idx`, or if two people of one frame share it, people are matched over frames by
    their boxes.

    Args:
        path: The file.
        skeleton: Name of the layout. None to tell it from the number of joints.
        image_size: Width and height. None to read them from the video of the same name beside the file.
        frame_rate_hz: As `image_size`.

    Raises:
        NotThisFormat: it is none of these.
        BadKeypoints: it is damaged, has another number of joints, or size and rate are not known.
    """
    listed = list(_people(load_json(path)))
    people = [person for person in listed if person[1] not in ([], None)]  # no numbers: not in that frame
    if not people:
        raise BadKeypoints(f"{path} has no person in any of its frames.")
    sizes = Counter(len(numbers) if isinstance(numbers, list) else -1 for _, numbers, _ in people)
    values = next(iter(sizes))
    if len(sizes) > 1 or values % 3:
        raise BadKeypoints(
            f"{path}: people with {', '.join(map(str, sorted(sizes)))} numbers as keypoints. AlphaPose writes 3 for "
            "each joint, and the same joints for all people."
        )
    joints = values // 3
    layout = layout_of_count(path, joints, skeleton)
    image = find_image_metadata(path, [path.stem, path.stem.removeprefix("AlphaPose_")], image_size, frame_rate_hz)
    frames = PeopleInFrames(path.stem, layout, image)
    frame_of = _frame_numbers(path, [image_id for image_id, _, _ in listed])
    for image_id, numbers, idx in people:
        what = f"{path}: a person of frame {shown(image_id)}"
        keypoints = to_numbers(numbers, what, of_joints=True).reshape(joints, 3)[: len(layout)]
        frames.add(frame_of[str(image_id)[:LONGEST_NAME]], keypoints, _track_number(idx, f"{what}, idx"))
    return frames.collect()


def write_alphapose(path: Path, tracks: Iterable[KeypointTrack]) -> None:
    """Write tracks of one video as AlphaPose's list of people. `idx` counts the tracks from 1.

    The format has no image size and no frame rate. Keep the video beside the file, or note its numbers.

    Args:
        path: The file. No suffix is added.
        tracks: Tracks of one skeleton, coco17 or halpe26.

    Raises:
        BadKeypoints: another skeleton, or several.
        OSError: the file can't be written.
    """
    tracks = list(tracks)
    skeletons = sorted({track.skeleton for track in tracks})
    if len(skeletons) > 1 or not set(skeletons) <= set(_WRITTEN):
        raise BadKeypoints(
            f"AlphaPose's JSON holds one skeleton, {' or '.join(_WRITTEN)}, not {', '.join(skeletons)}. "
            "Write an .npz file: it holds any."
        )
    people = []
    for number, track in enumerate(tracks, 1):
        for frame, keypoints, scores in zip(track.frame_indices, track.keypoints_px, track.scores, strict=True):
            low, high = keypoints.min(0), keypoints.max(0)
            people.append(
                {
                    "image_id": f"{frame}.jpg",
                    "category_id": 1,
                    "keypoints": np.concatenate([keypoints, scores[:, None]], 1).ravel().tolist(),
                    "score": float(scores.mean()),
                    "box": [*low.tolist(), *(high - low).tolist()],
                    "idx": number,
                }
            )
    people.sort(key=lambda person: (int(person["image_id"].removesuffix(".jpg")), person["idx"]))
    path.write_text(json.dumps(people))


def _people(content: Any) -> Iterator[tuple[Any, Any, Any]]:
    """Frame, numbers and track of every person."""
    if isinstance(content, list):
        if not content:
            raise NotThisFormat("an empty list")
        if not all_have(content, "image_id", "keypoints"):
            raise NotThisFormat("a list with entries without 'image_id' or 'keypoints'")
        for person in content:
            yield person["image_id"], person["keypoints"], person.get("idx")
        return
    if not isinstance(content, dict) or not content:
        raise NotThisFormat("not a list of people, nor people by frame")
    seen = 0
    for image_id, frame in content.items():
        for person in _people_of_frame(image_id, frame):
            name = next((name for name in _COORDINATES if name in person), None) if isinstance(person, dict) else None
            if name is None:
                raise NotThisFormat(f"{shown(image_id)} has a person without {', '.join(map(repr, _COORDINATES))}")
            seen += 1
            yield image_id, person[name], person.get("idx")
    if not seen:
        raise NotThisFormat("frames without people")


def _people_of_frame(image_id: str, frame: Any) -> list[Any]:
    if isinstance(frame, dict):
        frame = next((frame[key] for key in _COORDINATES.values() if key in frame), None)
    if not isinstance(frame, list) or not re.search(r"\d", image_id):
        raise NotThisFormat(f"{shown(image_id)} is not a frame with a list of people")
    return frame


def _frame_numbers(path: Path, image_ids: list[Any]) -> dict[str, int]:
    """`12.jpg`, `frame_000012.png`, `000012_cam2.jpg` and 12 are frame 12."""
    for image_id in image_ids:
        if type(image_id) not in (str, int):
            raise BadKeypoints(f"{path}: image_id {shown(image_id)} has no frame number in it.")
    names = list(dict.fromkeys(str(image_id)[:LONGEST_NAME] for image_id in image_ids))
    numbers = read_frame_names(path, names).numbers
    return {name: check_frame_number(path, number) for name, number in zip(names, numbers, strict=True)}


def _track_number(idx: object, what: str) -> int | None:
    """The number of a track, or None. Some versions write it inside a list."""
    for _ in range(3):
        if isinstance(idx, list) and idx:
            idx = idx[0]
    return None if idx is None or idx == [] else int(to_number(idx, what))
