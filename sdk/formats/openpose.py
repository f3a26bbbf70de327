"""OpenPose's folder of JSON files, one a frame (BODY_25)."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np

from sdk.errors import BadKeypoints
from sdk.formats.format_error import NotThisFormat
from sdk.formats.people import PeopleInFrames
from sdk.formats.picture import find_picture
from sdk.formats.track_collector import CollectedTracks
from sdk.skeletons import find_skeleton

_SUFFIX = "_keypoints.json"


def read_openpose(
    path: Path,
    skeleton: str | None = None,
    image_size: tuple[int, int] | None = None,
    frame_rate_hz: float | None = None,
) -> CollectedTracks:
    """Read a folder of `<video>_<frame>_keypoints.json` files, coordinates in pixels.

    OpenPose does not number people; they are matched over frames by their boxes. It writes 0, 0, 0 for a joint it did
    not find, which is no coordinate: see `TrackCollector`.

    Args:
        path: The folder.
        skeleton: Layout; None for body25.
        image_size: Width and height; None to ask a video named like the folder or like its files.
        frame_rate_hz: Likewise.

    Raises:
        NotThisFormat: if there are no such files.
        BadKeypoints: if one is damaged, has another number of joints, or size and rate are not known.
    """
    if not path.is_dir():
        raise NotThisFormat("not a folder")
    files = sorted(path.glob(f"*{_SUFFIX}"))
    if not files:
        raise NotThisFormat(f"no *{_SUFFIX} in the folder")
    layout = find_skeleton(skeleton or "body25")
    named = [re.fullmatch(r"(.*?)_?(\d+)", file.name.removesuffix(_SUFFIX)) for file in files]
    stems = [path.name, *dict.fromkeys(match[1] for match in named if match and match[1])]
    if len(stems) > 2:
        raise BadKeypoints(f"{path} mixes files of several videos ({', '.join(stems[1:4])}, ...): one folder each.")
    picture = find_picture(path, stems, image_size, frame_rate_hz)
    frames = PeopleInFrames(path.name, layout, picture)
    for position, (file, match) in enumerate(zip(files, named, strict=True)):
        frame = int(match[2]) if match else position
        frames.see(frame)
        for keypoints in _people(file, len(layout)):
            frames.add(frame, keypoints, None)
    return frames.collect()


def _people(file: Path, joints: int) -> list[np.ndarray]:
    """(J, 3) x, y, score of each person of a frame."""
    try:
        people = [
            np.array(person["pose_keypoints_2d"], np.float32) for person in json.loads(file.read_bytes())["people"]
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadKeypoints(f"{file} is not a frame of OpenPose: {error!r}.") from error
    for person in people:
        if person.size != joints * 3:
            raise BadKeypoints(
                f"{file} has people of {person.size / 3:g} joints, not {joints}. BODY_25 is OpenPose's default "
                "(--model_pose BODY_25)."
            )
    return [person.reshape(joints, 3) for person in people]
