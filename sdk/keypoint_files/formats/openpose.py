"""Folders with one JSON file for each frame, in OpenPose's form. OpenPose, Pose2Sim and AlphaPose write them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from sdk.errors import BadKeypoints
from sdk.keypoint_files.image_metadata import find_image_metadata
from sdk.keypoint_files.layouts import layout_of_count
from sdk.keypoint_files.limits import NotThisFormat, check_frame_number
from sdk.keypoint_files.parsing.frame_files import frame_files, peek
from sdk.keypoint_files.parsing.json_file import load_json, shown, to_numbers
from sdk.keypoint_files.track_collection import CollectedTracks, PeopleInFrames

_PEOPLE = {"people": "pose_keypoints_2d", "bodies": "joints"}
"""Key of the list of a frame's people, and key of a person's numbers."""


def read_openpose(
    path: Path,
    skeleton: str | None = None,
    image_size: tuple[int, int] | None = None,
    frame_rate_hz: float | None = None,
) -> CollectedTracks:
    """Read a folder of `<video>_<frame>_keypoints.json` or `<video>_<frame>.json` files, coordinates in pixels.

    Layouts are BODY_25, COCO-18 and, from Pose2Sim, Halpe-26 and COCO-17. OpenPose does not number people, so they are
    matched over frames by their boxes. For a joint that was not found it writes 0, 0, 0; `TrackCollector` fills it in.
    For a person who is not in a frame, Pose2Sim writes NaN, no numbers or `{}`.

    Args:
        path: The folder.
        skeleton: Name of the layout. None to tell it from the number of joints.
        image_size: Width and height. None to read them from a video named like the folder or like its files.
        frame_rate_hz: As `image_size`.

    Raises:
        NotThisFormat: there are no such files.
        BadKeypoints: a file is damaged or has another number of joints, or size and rate are not known.
    """
    files = frame_files(path)
    first = peek(files[0].file)
    if first is not None and not (isinstance(first, dict) and _PEOPLE.keys() & first.keys()):
        raise NotThisFormat(f"{files[0].file.name} has no {' or '.join(map(repr, _PEOPLE))}")
    found = [(entry, _people(entry.file)) for entry in files]
    sizes = {person.size: entry.file for entry, people in found for person in people}
    if not sizes:
        raise BadKeypoints(f"{path} has no person in any of {len(files)} frames.")
    if len(sizes) > 1 or min(sizes) % 3:
        raise BadKeypoints(
            f"{path} has people with {' and '.join(f'{n / 3:g} joints ({file.name})' for n, file in sizes.items())}. "
            "All must have x, y, score of the same joints."
        )
    layout = layout_of_count(path, min(sizes) // 3, skeleton)
    stems = [path.name, path.name.removesuffix("_json"), *dict.fromkeys(entry.video for entry in files if entry.video)]
    image = find_image_metadata(path, stems, image_size, frame_rate_hz)
    frames = PeopleInFrames(path.name, layout, image)
    for entry, people in found:
        frames.see(check_frame_number(entry.file, entry.frame))
        for person in people:
            frames.add(entry.frame, person.reshape(-1, 3)[: len(layout)], None)
    return frames.collect()


def _people(file: Path) -> list[np.ndarray]:
    """The numbers of each person of a frame."""
    try:
        content = load_json(file)
    except NotThisFormat as error:
        raise BadKeypoints(f"{file}: {error}.") from error
    people = [
        to_numbers(_numbers(file, person), f"{file}: a person", of_joints=True) for person in _list(file, content)
    ]
    return [person for person in people if person.size]


def _list(file: Path, content: Any) -> list[Any]:
    for name in _PEOPLE:
        if isinstance(content, dict) and isinstance(content.get(name), list):
            return content[name]
    raise BadKeypoints(f"{file} is {shown(content)}, not a frame of OpenPose with 'people'.")


def _numbers(file: Path, person: Any) -> Any:
    """A person's numbers. Empty for a person who is not in that frame."""
    if person == {}:
        return []
    for name in _PEOPLE.values():
        if isinstance(person, dict) and name in person:
            return [] if person[name] is None else person[name]
    raise BadKeypoints(f"{file} has the person {shown(person)}, without 'pose_keypoints_2d'.")
