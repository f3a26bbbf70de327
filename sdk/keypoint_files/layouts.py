"""Finds the skeleton of a file, by the number of its joints or by their names."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from sdk.errors import BadKeypoints
from sdk.files.input_files import shown
from sdk.keypoint_files.image_metadata import find_image_metadata
from sdk.keypoint_files.limits import check_frame_number
from sdk.keypoint_files.track_collection import CollectedTracks, PeopleInFrames
from sdk.skeletons.joint_conversion import conversion_matrix
from sdk.skeletons.skeleton import SKELETONS, Skeleton, find_skeleton

_OF_COUNT = {
    16: "mpii16",
    17: "coco17",
    18: "coco18",
    23: "coco23",
    25: "body25",
    26: "halpe26",
    133: "coco23",
    136: "halpe26",
}
"""The skeleton of each number of joints.

COCO-WholeBody (133) begins with COCO's joints and the feet, Halpe-136 with Halpe-26's, and Halpe-26 with COCO's.
"""
_BEGINS_WITH = {23: ("coco17",), 26: ("coco17",), 133: ("coco17", "coco23"), 136: ("coco17", "halpe26")}

_SYNONYMS = {
    "hip": ("midhip", "hips", "pelvis", "root"),
    "mid_hip": ("midhip",),
    "head": ("headtop", "tophead", "vertex"),
    "neck": ("neckbase",),
    # DeepLabCut's models number the sides in MPII's order: the right one is 1.
    **{f"{side}_{part}": (f"{part}{number}",)
       for part in ("ankle", "knee", "hip", "wrist", "elbow", "shoulder")
       for side, number in (("right", 1), ("left", 2))},
}  # fmt: skip


def layout_of_count(path: Path, joints: int, skeleton: str | None) -> Skeleton:
    """The skeleton of people with that many joints. It may have fewer joints: the first ones of the file.

    Args:
        path: The file, for messages.
        joints: Number of joints of each person.
        skeleton: The caller's choice. None to tell it from the number.

    Raises:
        BadKeypoints: no known skeleton has that number of joints, or the caller's has another number.
        UnknownSkeleton: the caller's skeleton is not known.
    """
    if skeleton is not None:
        layout = find_skeleton(skeleton)
        if len(layout) != joints and skeleton not in _BEGINS_WITH.get(joints, ()):
            raise BadKeypoints(f"{path} has {joints} joints, skeleton {skeleton!r} has {len(layout)}.")
        return layout
    if joints not in _OF_COUNT:
        known = ", ".join(f"{count} ({name})" for count, name in _OF_COUNT.items())
        raise BadKeypoints(
            f"{path} has people with {joints:g} joints. These numbers are known: {known}. For another skeleton "
            f"({', '.join(SKELETONS)}), give its name with --skeleton (skeleton=... in Python)."
        )
    return find_skeleton(_OF_COUNT[joints])


def layout_of_names(path: Path, names: list[str], skeleton: str | None) -> tuple[Skeleton, list[int | None]]:
    """The skeleton that a file's joint names fit best.

    Args:
        path: The file, for messages.
        names: The names in the file. Only letters and digits count, in any case; `l` may stand for `left`.
        skeleton: The caller's choice. None for the skeleton with the most joints in the file, if they are enough for
            3D.

    Returns:
        The skeleton, and for each of its joints the position in `names`, None for one that the file does not have.

    Raises:
        BadKeypoints: no skeleton fits. The message says which joints the closest one needs.
        UnknownSkeleton: the caller's skeleton is not known.
    """
    written = {_plain(name): position for position, name in reversed(list(enumerate(names)))}
    candidates = [find_skeleton(skeleton)] if skeleton is not None else list(SKELETONS.values())
    found = []
    for layout in candidates:
        columns = [next((written[form] for form in _forms(joint) if form in written), None) for joint in layout.joints]
        needed = conversion_matrix(layout.name).any(0)
        missing = [joint for joint, column, used in zip(layout.joints, columns, needed, strict=True)
                   if used and column is None]  # fmt: skip
        found.append((len(missing), -sum(column is not None for column in columns), layout, columns, missing))
    lacking, _, layout, columns, missing = min(found, key=lambda entry: entry[:2])
    if lacking:
        raise BadKeypoints(
            f"{path} has the joints {', '.join(map(shown, names[:30]))}; the closest skeleton, {layout.name}, needs "
            f"also {', '.join(missing)}. Rename your joints to those of a skeleton in sdk/skeletons/skeleton.py."
        )
    return layout, columns


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _forms(joint: str) -> list[str]:
    forms = [_plain(joint)]
    for side in ("left", "right"):
        if joint.startswith(f"{side}_"):
            part = _plain(joint.removeprefix(f"{side}_"))
            forms += [f"{side[0]}{part}", f"{part}{side}", f"{part}{side[0]}"]
    return forms + list(_SYNONYMS.get(joint, ()))


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
    """Tracks of people whose joints have names. People are numbered in their order.

    A joint that the file does not have, or without finite coordinates in a frame, was not seen. `TrackCollector` fills
    it in. A person without any joint in a frame is not in that frame.

    Args:
        path: The file.
        stems: Names that the video may have, without suffix.
        joint_names: N names.
        people: (T, N, 3) for each person: x, y in pixels and score. NaN for a joint that was not seen.
        frames: (T,) frame numbers.
        skeleton: Name of the layout. None for the one that the names fit.
        image_size: As in `find_image_metadata`.
        frame_rate_hz: As in `find_image_metadata`.

    Raises:
        BadKeypoints: the names fit no skeleton, a frame number comes twice, or as in `PeopleInFrames`.
    """
    layout, columns = layout_of_names(path, joint_names, skeleton)
    image = find_image_metadata(path, stems, image_size, frame_rate_hz)
    if len(np.unique(frames)) < len(frames):
        raise BadKeypoints(f"{path} has a frame number twice.")
    gathered = PeopleInFrames(path.stem, layout, image)
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
