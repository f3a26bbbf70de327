"""MediaPipe's pose landmarks as JSON: a list of frames.

Each entry is one frame: null if nobody was found, the 33 landmarks, or a dict with them under `landmark` (a
NormalizedLandmarkList through `MessageToDict`), `pose_landmarks` (a result of either Python API through `asdict`) or
`landmarks` (a result of the JavaScript API). x and y are fractions of the image, as MediaPipe gives them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from sdk.errors import BadKeypoints
from sdk.keypoint_files.image_metadata import find_image_metadata
from sdk.keypoint_files.limits import NotThisFormat, check_frame_number
from sdk.keypoint_files.parsing.json_file import all_have, load_json, shown, to_frame_number, to_numbers
from sdk.keypoint_files.plausibility import check_origin
from sdk.keypoint_files.track_collection import CollectedTracks, PeopleInFrames
from sdk.skeletons.skeleton import MEDIAPIPE33

_HOLDERS = ("pose_landmarks", "poseLandmarks", "landmarks", "landmark")
_WORLD = ("pose_world_landmarks", "poseWorldLandmarks", "world_landmarks", "worldLandmarks")
_CHANNELS = ("x", "y", "visibility")
_FARTHEST = 20.0
"""In fractions of the image. No landmark is farther out; pixels are larger."""


def read_mediapipe(
    path: Path,
    skeleton: str | None = None,
    image_size: tuple[int, int] | None = None,
    frame_rate_hz: float | None = None,
) -> CollectedTracks:
    """Read the landmarks of one video, 33 for each person. Several people are matched over frames by their boxes.

    A frame may have its number as `frame`. Else frames are numbered in their order. The score of a joint is the
    landmark's visibility, or 1 if it has none.

    Args:
        path: The file.
        skeleton: mediapipe33 or None.
        image_size: Width and height. None to read them from the video of the same name beside the file.
        frame_rate_hz: As `image_size`.

    Raises:
        NotThisFormat: it is no such list.
        BadKeypoints: it is damaged, or size and rate are not known.
    """
    content = load_json(path)
    if isinstance(content, dict) and isinstance(content.get("frames"), list):
        content = content["frames"]
    if not isinstance(content, list) or not any(_is_frame(entry) for entry in content):
        raise NotThisFormat("not a list of frames with landmarks")
    if skeleton not in (None, MEDIAPIPE33.name):
        raise BadKeypoints(f"{path} has MediaPipe's landmarks: skeleton mediapipe33, not {skeleton!r}.")
    people = []
    position_of: dict[int, int] = {}
    for position, entry in enumerate(content):
        what = f"{path}: frame {position}"
        number = position
        if isinstance(entry, dict) and "frame" in entry:
            number = to_frame_number(entry["frame"], f"{what}, 'frame'")
        if position_of.setdefault(number, position) != position:
            raise BadKeypoints(f"{path}: entries {position_of[number]} and {position} are both frame {number}.")
        found = [_landmarks(person, what) for person in _people(entry, what)]
        people.append((check_frame_number(path, number), found))
    check_origin(str(path), [mark[:, :2] for _, found in people for mark in found], MEDIAPIPE33)
    image = find_image_metadata(path, [path.stem], image_size, frame_rate_hz)
    frames = PeopleInFrames(path.stem, MEDIAPIPE33, image)
    for number, found in people:
        frames.see(number)
        for landmarks in found:
            landmarks[:, :2] *= image.stored_size
            frames.add(number, landmarks, None)
    return frames.collect()


def _is_frame(entry: Any) -> bool:
    if isinstance(entry, dict):
        return any(name in entry for name in (*_HOLDERS, *_WORLD))
    return isinstance(entry, list) and bool(entry) and all_have(entry, "x", "y")


def _people(entry: Any, what: str) -> list[list[Any]]:
    """The lists of landmarks of a frame's people."""
    while isinstance(entry, dict):
        name = next((name for name in _HOLDERS if name in entry), None)
        if name is None and any(world in entry for world in _WORLD):
            raise BadKeypoints(
                f"{what} has only world landmarks. They are in metres and do not say where the person is in the image. "
                "Save the result's pose_landmarks."
            )
        if name is None:
            raise BadKeypoints(f"{what} has none of {', '.join(_HOLDERS)}, only {shown(list(entry))}.")
        entry = entry[name]
    if entry is None or entry == []:
        return []
    if isinstance(entry, list) and all(isinstance(mark, list) for mark in entry):
        return entry
    return [entry]


def _landmarks(person: Any, what: str) -> np.ndarray:
    """(33, 3) x, y as fractions, and score."""
    if not isinstance(person, list) or len(person) != len(MEDIAPIPE33) or not all_have(person, "x", "y"):
        raise BadKeypoints(f"{what} has {shown(person)}, not 33 landmarks with x and y.")
    flat = to_numbers(
        [_value(mark, key) for mark in person for key in _CHANNELS],
        f"{what}, a landmark's x, y, visibility",
        of_joints=True,
    )
    values = flat.reshape(-1, len(_CHANNELS))
    farthest = np.abs(np.nan_to_num(values[:, :2], posinf=np.inf, neginf=-np.inf)).max()
    if farthest > _FARTHEST:
        raise BadKeypoints(
            f"{what} has a landmark at {farthest:g}. MediaPipe's x and y are fractions of the image. Write pixels to "
            "an .npz file with skeleton mediapipe33."
        )
    return values


def _value(mark: dict[str, Any], key: str) -> Any:
    """A value of a landmark. `visibility` may be missing or null: not all models have it."""
    value = mark.get(key)
    return 1.0 if key == "visibility" and value is None else value
