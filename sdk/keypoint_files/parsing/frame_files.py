"""Folders with one JSON file for each frame of a video."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sdk.errors import BadKeypoints
from sdk.keypoint_files.limits import NotThisFormat
from sdk.keypoint_files.parsing.frame_names import read_frame_names
from sdk.keypoint_files.parsing.json_file import load_json

_SUFFIXES = ("_keypoints.json", ".json")
_MOST_LOOKED_AT = 10


@dataclass(frozen=True)
class FrameFile:
    """The file of one frame.

    Attributes:
        file: Its path.
        video: The part of the name before the frame number, else the part after it. May be empty.
        frame: The frame number.
    """

    file: Path
    video: str
    frame: int


def frame_files(folder: Path) -> list[FrameFile]:
    """The files of a folder: `<video>_<frame>_keypoints.json`, else `<video>_<frame>.json`.

    The frame number is the number that varies. It may be anywhere in the name.

    Raises:
        NotThisFormat: it is not a folder, or has no such file.
        BadKeypoints: the files are of several videos, or a frame number comes twice.
    """
    if not folder.is_dir():
        raise NotThisFormat("not a folder")
    for suffix in _SUFFIXES:
        files = [path for path in sorted(folder.glob(f"*{suffix}")) if re.search(r"\d", path.name.removesuffix(suffix))]
        if files:
            break
    else:
        raise NotThisFormat("no <video>_<frame>_keypoints.json and no <video>_<frame>.json in the folder")
    read = read_frame_names(folder, [f"{path.name.removesuffix(suffix)}.json" for path in files])
    found = [FrameFile(path, read.video, frame) for path, frame in zip(files, read.numbers, strict=True)]
    return sorted(found, key=lambda entry: entry.frame)


def is_frame_folder(folder: Path) -> bool:
    """Whether a folder's JSON files are frames of one video, from their names and the first readable one's content."""
    try:
        files = frame_files(folder)
    except BadKeypoints:
        return any(folder.glob(f"*{_SUFFIXES[0]}"))
    # The first may be damaged, a pipe or a link to nothing: that is for the reader to say.
    first = next((content for one in files[:_MOST_LOOKED_AT] if (content := peek(one.file)) is not None), None)
    if isinstance(first, dict):
        return any(key in first for key in ("people", "bodies", "instance_info"))
    return isinstance(first, list) and all(isinstance(p, dict) and "image_id" not in p for p in first)


def peek(file: Path) -> Any:
    """The content of a file. None if it is damaged: its reader reports that later."""
    try:
        return load_json(file)
    except BadKeypoints:
        return None
