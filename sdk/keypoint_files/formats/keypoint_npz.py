"""Keypoints in .npz files: VideoPose3D's layout, and a simple one that anybody can write.

The simple layout has `keypoints` (T, J, 2 | 3) in pixels, with a score as third channel, and NaN where a joint was not
seen; `image_size` (width, height); `skeleton`, a known name; `frame_rate_hz`.

    np.savez("clip.npz", keypoints=keypoints, image_size=(1920, 1080), skeleton="coco17", frame_rate_hz=30.0)
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from sdk.errors import BadKeypoints
from sdk.keypoint_files.image_metadata import ImageMetadata, find_image_metadata
from sdk.keypoint_files.keypoint_track import KeypointTrack
from sdk.keypoint_files.layouts import layout_of_count
from sdk.keypoint_files.limits import MOST_FRAMES, NotThisFormat, array_names, check_frame_number, listed
from sdk.keypoint_files.parsing.json_file import shown
from sdk.keypoint_files.parsing.restricted_pickle import read_npz
from sdk.keypoint_files.plausibility import check_pixels
from sdk.keypoint_files.track_collection import (
    SEEN_SCORE,
    CollectedTracks,
    PeopleInFrames,
    TrackCollector,
)
from sdk.skeletons.skeleton import find_skeleton

_DETECTRON_SEEN = 0.05
"""Detectron2 draws joints from this probability on. Its probabilities are shared by a heatmap's pixels, so small."""
_LONGEST_TEXT = 200
_LAYOUTS = {"coco": "coco17", "h36m": "h36m17"}
"""VideoPose3D's names of skeletons, and ours."""


def read_simple_npz(
    path: Path,
    skeleton: str | None = None,
    image_size: tuple[int, int] | None = None,
    frame_rate_hz: float | None = None,
) -> CollectedTracks:
    """Read one person from the simple layout. Arguments override what the file says.

    Raises:
        NotThisFormat: it is not an .npz file, or has no `keypoints`.
        BadKeypoints: something is missing, has a wrong shape or is infinite.
        UnknownSkeleton: the skeleton is not known.
    """
    arrays = _arrays(path, "keypoints")
    skeleton = skeleton or _text(path, arrays, "skeleton")
    try:
        if image_size is None and "image_size" in arrays:
            width, height = _numbers(f"{path}: image_size", arrays["image_size"]).tolist()
            image_size = (int(width), int(height))
        if frame_rate_hz is None and "frame_rate_hz" in arrays:
            frame_rate_hz = float(_numbers(f"{path}: frame_rate_hz", arrays["frame_rate_hz"]).item())
    except (TypeError, ValueError, OverflowError) as error:
        raise BadKeypoints(
            f"{path}: image_size must be (width, height), and frame_rate_hz a number: {error}."
        ) from error
    image = find_image_metadata(path, [path.stem], image_size, frame_rate_hz)
    return _collect(path.stem, 1, arrays["keypoints"], skeleton, image)


def read_videopose3d(
    path: Path,
    skeleton: str | None = None,
    image_size: tuple[int, int] | None = None,
    frame_rate_hz: float | None = None,
) -> CollectedTracks:
    """Read VideoPose3D's layout: `positions_2d[subject][action]` is a list of (T, J, 2 | 3), one for each camera.

    The pickles in such a file are read without running code: see `restricted_pickle`.

    Args:
        path: The file.
        skeleton: Name of the layout. None to read it from the file's metadata.
        image_size: Width and height. None to read them from the file's metadata, or from a video of the file's name.
        frame_rate_hz: As `image_size`.

    Raises:
        NotThisFormat: it is not an .npz file, or has no `positions_2d`.
        BadKeypoints: something is missing, has a wrong shape or is infinite.
    """
    arrays = _arrays(path, "positions_2d")
    metadata = arrays.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    if skeleton is None:
        layout = metadata.get("layout_name")
        if not isinstance(layout, str) or layout not in _LAYOUTS:
            raise BadKeypoints(
                f"{path} has the layout {shown(layout)}, not one of {', '.join(_LAYOUTS)}. Give --skeleton "
                "(skeleton=... in Python)."
            )
        skeleton = _LAYOUTS[layout]
    videos = metadata.get("video_metadata")
    tracks: list[KeypointTrack] = []
    notes: list[str] = []
    for subject, actions in _items(path, arrays["positions_2d"], "positions_2d"):
        about = videos.get(subject) if isinstance(videos, dict) else None
        about = about if isinstance(about, dict) else {}
        size = image_size or ((about["w"], about["h"]) if {"w", "h"} <= set(about) else None)
        image = find_image_metadata(path, [path.stem, Path(subject).stem], size, frame_rate_hz or about.get("fps"))
        for action, cameras in _items(path, actions, subject):
            if not isinstance(cameras, list | tuple | np.ndarray):
                raise BadKeypoints(
                    f"{path}: {subject}/{action} is {shown(cameras)}, not a list with one array for each camera."
                )
            for camera, keypoints in enumerate(cameras, 1):
                found = _collect(f"{path.stem}/{subject}/{action}", camera, keypoints, skeleton, image)
                tracks += found.tracks
                notes += found.notes
    if not tracks:
        raise BadKeypoints(f"{path} has no person in positions_2d.")
    return CollectedTracks(tuple(tracks), tuple(notes))


def read_videopose3d_detections(
    path: Path,
    skeleton: str | None = None,
    image_size: tuple[int, int] | None = None,
    frame_rate_hz: float | None = None,
) -> CollectedTracks:
    """Read the output of VideoPose3D's inference scripts for a video, `<video>.npz`: COCO-17 of all people.

    `keypoints[frame][1]` is (P, 4, 17): x, y, a logit and a probability. `metadata` has `w` and `h`. `boxes` and
    `segments` are not used. People are matched over frames by their boxes.

    Args:
        path: The file.
        skeleton: Name of a layout of 17 joints. None for coco17.
        image_size: Width and height. None to read them from the metadata.
        frame_rate_hz: None to read it from the video of the same name beside the file.

    Raises:
        NotThisFormat: it is no such file.
        BadKeypoints: it is damaged, has nobody in it, or size and rate are not known.
    """
    names = array_names(path)
    if not {"keypoints", "boxes", "metadata"} <= set(names):
        raise NotThisFormat(f"not the arrays boxes, keypoints and metadata, only {listed(names)}")
    arrays = read_npz(path)
    frames, about = arrays["keypoints"], arrays["metadata"]
    if not isinstance(frames, list):
        raise BadKeypoints(f"{path}: keypoints are no list of frames.")
    layout = layout_of_count(path, len(find_skeleton("coco17")), skeleton)
    if image_size is None and isinstance(about, dict) and {"w", "h"} <= set(about):
        image_size = about["w"], about["h"]
    image = find_image_metadata(path, [path.stem, Path(path.stem).stem], image_size, frame_rate_hz)
    gathered = PeopleInFrames(path.stem, layout, image)
    for frame, classes in enumerate(frames):
        gathered.see(check_frame_number(path, frame))
        people = classes[1] if isinstance(classes, list | tuple | np.ndarray) and len(classes) == 2 else None
        if people is None:
            raise BadKeypoints(f"{path}: frame {frame} is {shown(classes)}, not an empty list and an array of people.")
        if len(people) == 0:
            continue
        values = _numbers(f"{path}: frame {frame}", people)
        if values.ndim != 3 or values.shape[1:] != (4, len(layout)):
            raise BadKeypoints(f"{path}: frame {frame} has people of shape {values.shape}, not (P, 4, {len(layout)}).")
        for x, y, _, probability in values:
            score = np.minimum(probability * (SEEN_SCORE / _DETECTRON_SEEN), 1)
            gathered.add(frame, np.stack([x, y, score], 1), None)
    return gathered.collect()


def _arrays(path: Path, wanted: str) -> dict[str, Any]:
    names = array_names(path)
    if wanted not in names:
        raise NotThisFormat(f"no array {wanted!r}, only {listed(names)}")
    return read_npz(path)


def _items(path: Path, mapping: Any, name: str) -> list[tuple[str, Any]]:
    if not isinstance(mapping, dict):
        raise BadKeypoints(f"{path}: {name} is a {type(mapping).__name__}, not a dict.")
    return [(str(key), value) for key, value in mapping.items()]


def _text(path: Path, arrays: dict[str, Any], key: str) -> str:
    if key not in arrays:
        raise BadKeypoints(f"{path} has no {key!r}. Add it to the file, or give --{key} ({key}=... in Python).")
    text = str(arrays[key])
    if len(text) > _LONGEST_TEXT:
        raise BadKeypoints(f"{path}: {key!r} is a text of {len(text)} characters.")
    return text


def _collect(name: str, number: int, keypoints: Any, skeleton: str, image: ImageMetadata) -> CollectedTracks:
    layout = find_skeleton(skeleton)
    keypoints = _numbers(f"{name}#{number}: keypoints", keypoints)
    if keypoints.ndim != 3 or keypoints.shape[1] != len(layout) or keypoints.shape[2] not in (2, 3):
        raise BadKeypoints(
            f"{name}#{number}: keypoints have shape {keypoints.shape}; those of {layout.name!r} are "
            f"(T, {len(layout)}, 2 or 3)."
        )
    scores = keypoints[..., 2] if keypoints.shape[2] == 3 else np.ones(keypoints.shape[:2], np.float32)
    if not 0 < len(keypoints) <= MOST_FRAMES:
        count = f"{len(keypoints)} frames, more than {MOST_FRAMES}" if len(keypoints) else "no frame"
        raise BadKeypoints(f"{name}#{number} has {count}.")
    infinite = np.isinf(keypoints)
    if infinite.any():
        frame, joint, _ = np.argwhere(infinite)[0]
        raise BadKeypoints(
            f"{name}#{number}: frame {frame}, joint {joint} ({layout.joints[joint]}) is infinite. Write NaN for a "
            "joint that was not seen."
        )
    places = keypoints[..., :2][np.isfinite(keypoints[..., :2])]
    if not places.size:
        raise BadKeypoints(f"{name}#{number} has no person in any of {len(keypoints)} frames: all is NaN.")
    check_pixels(f"{name}#{number}", places, image.image_size)
    collector = TrackCollector(name, layout, image.image_size, image.frame_rate_hz)
    for frame in range(len(keypoints)):
        places = keypoints[frame, :, :2] * image.widened
        collector.add(number, frame, image.time_s(frame), places, scores[frame])
    collected = collector.finish()
    notes = [f"{name}: {note}" for note in image.notes(len(keypoints) - 1)]
    return replace(collected, notes=(*notes, *collected.notes))


def _numbers(what: str, values: Any) -> np.ndarray:
    """Real numbers as float64. Text, truth values and objects are errors."""
    try:
        array = np.asarray(values)
    except (TypeError, ValueError) as error:
        raise BadKeypoints(f"{what} are no array of numbers: {error}.") from error
    if array.dtype.kind not in "fiu":
        raise BadKeypoints(f"{what} are of type {array.dtype}, not numbers.")
    return array.astype(np.float64)
