"""Finds frame numbers in the names of frames: the number that varies."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from sdk.errors import BadKeypoints
from sdk.keypoint_files.parsing.json_file import shown

LONGEST_NAME = 500
_MOST_DIGITS = 18


@dataclass(frozen=True)
class FrameNames:
    """What the names of frames say.

    Attributes:
        numbers: The frame number of each name, in the order of the names.
        video: The text before the number, often the video's name; else the text after it. May be empty.
    """

    numbers: tuple[int, ...]
    video: str


def read_frame_names(origin: object, names: Sequence[str]) -> FrameNames:
    """Find the number that varies: `000012_cam2.jpg` and `cam2_000012.jpg` are frame 12.

    Args:
        origin: File or folder, for messages.
        names: Names of different frames of one video. Folder and suffix are not used.

    Raises:
        BadKeypoints: a name has no number, the names are of several videos, or two frames have one number.
    """
    stems = [_stem(name) for name in names]
    parts = [re.split(r"(\d+)", stem, flags=re.ASCII) for stem in stems]  # text, number, text, number, ..., text
    for name, pieces in zip(names, parts, strict=True):
        if len(pieces) < 3 or any(len(digits) > _MOST_DIGITS for digits in pieces[1::2]):
            raise BadKeypoints(f"{origin}: {shown(name)} has no frame number in it.")
    if len(parts) == 1:
        # The longest number. If several are equally long, the last of them.
        (pieces,) = parts
        column = max(range(1, len(pieces), 2), key=lambda place: (len(pieces[place]), place))
        return FrameNames((int(pieces[column]),), _video(pieces, column))
    columns = _comparable(parts)
    varying = [column for column in columns if len({int(pieces[column]) for pieces in parts}) > 1]
    for column in reversed(varying):
        numbers = tuple(int(pieces[column]) for pieces in parts)
        if len(set(numbers)) == len(numbers):
            return FrameNames(numbers, _video(parts[0], column))
    if not varying:
        first = names[0]
        other = next((name for name, pieces in zip(names, parts, strict=True) if pieces[0] != parts[0][0]), names[1])
        raise BadKeypoints(
            f"{origin} has frames named {shown(first)} and {shown(other)}, which look like several videos. A file or "
            "folder holds one video: make one for each."
        )
    seen: dict[int, str] = {}
    for name, pieces in zip(names, parts, strict=True):
        number = int(pieces[varying[-1]])
        if number in seen:
            raise BadKeypoints(
                f"{origin}: {shown(seen[number])} and {shown(name)} are both frame {number}. A file or folder holds "
                "one video: split it, or rename the frames."
            )
        seen[number] = name
    raise AssertionError("some number is there twice")


def _stem(name: str) -> str:
    return PurePosixPath(str(name)[:LONGEST_NAME].replace("\\", "/")).stem


def _comparable(parts: list[list[str]]) -> list[int]:
    """Positions of numbers with the same texts before them in all names."""
    columns = []
    for column in range(1, min(map(len, parts)), 2):
        if len({pieces[column - 1] for pieces in parts}) > 1:
            break
        columns.append(column)
    return columns


def _video(pieces: list[str], column: int) -> str:
    before, after = ("".join(some).strip("_-. ") for some in (pieces[:column], pieces[column + 1 :]))
    return before or after
