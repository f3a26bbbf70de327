"""AlphaPose's JSON: a list of people, each with the name of its frame (docs/output.md of AlphaPose)."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from sdk.errors import BadKeypoints
from sdk.formats.format_error import NotThisFormat
from sdk.formats.people import PeopleInFrames
from sdk.formats.picture import find_picture
from sdk.formats.track_collector import CollectedTracks
from sdk.skeletons import find_skeleton

_SKELETON_OF_JOINTS = {17: "coco17", 26: "halpe26", 136: "halpe26"}
"""Halpe-136 begins with the 26 joints of the body."""


def read_alphapose(
    path: Path,
    skeleton: str | None = None,
    image_size: tuple[int, int] | None = None,
    frame_rate_hz: float | None = None,
) -> CollectedTracks:
    """Read one JSON file of AlphaPose, COCO-17, Halpe-26 or Halpe-136, coordinates in pixels.

    People are told apart by `idx`, which AlphaPose writes when it tracks. Without it, a file with one person a frame is
    one track; several people are matched over frames by their boxes.

    Args:
        path: The file.
        skeleton: Layout; None to go by the number of joints.
        image_size: Width and height; None to ask the video of the same name beside the file.
        frame_rate_hz: Likewise.

    Raises:
        NotThisFormat: if it is not AlphaPose's list.
        BadKeypoints: if it is damaged, has another number of joints, or size and rate are not known.
    """
    people = _people(path)
    numbers = Counter(len(person["keypoints"]) for person in people)
    values = len(people[0]["keypoints"])
    joints = values // 3
    if len(numbers) > 1 or values % 3 or joints not in _SKELETON_OF_JOINTS:
        raise BadKeypoints(
            f"{path}: people with {', '.join(map(str, sorted(numbers)))} numbers as 'keypoints'; AlphaPose's are 3 for "
            f"each of {', '.join(map(str, _SKELETON_OF_JOINTS))} joints, the same for all people."
        )
    layout = find_skeleton(skeleton or _SKELETON_OF_JOINTS[joints])
    if len(layout) > joints:
        raise BadKeypoints(f"{path} has {joints} joints, skeleton {layout.name!r} has {len(layout)}.")
    picture = find_picture(path, [path.stem], image_size, frame_rate_hz)
    frames = PeopleInFrames(path.stem, layout, picture)
    for person in people:
        try:
            keypoints = np.array(person["keypoints"], np.float32).reshape(joints, 3)[: len(layout)]
            number = _track_number(person.get("idx"))
        except (TypeError, ValueError) as error:
            raise BadKeypoints(f"{path}: a person of frame {person['image_id']!r} has bad values: {error}.") from error
        frames.add(_frame_number(path, person["image_id"]), keypoints, number)
    return frames.collect()


def _people(path: Path) -> list[dict[str, Any]]:
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise NotThisFormat(f"not a JSON file ({error})") from error
    if not isinstance(content, list):
        raise NotThisFormat("not a list of people")
    if not content:
        raise NotThisFormat("an empty list")
    for number, person in enumerate(content):
        if not (isinstance(person, dict) and "image_id" in person and isinstance(person.get("keypoints"), list)):
            raise NotThisFormat(f"entry {number} has no 'image_id' and list of 'keypoints'")
    return content


def _frame_number(path: Path, image_id: object) -> int:
    """`12.jpg`, `frame_000012.png` and 12 are frame 12."""
    digits = re.findall(r"\d+", Path(str(image_id)).stem)
    if not digits:
        raise BadKeypoints(f"{path}: image_id {image_id!r} has no frame number in it.")
    return int(digits[-1])


def _track_number(idx: object) -> int | None:
    """Some versions write the number inside a list."""
    while isinstance(idx, list) and idx:
        idx = idx[0]
    return None if idx is None or idx == [] else int(float(str(idx)))
