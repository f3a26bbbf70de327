"""Finds .npz files by the arrays in them, and what the readers of derived files share."""

from __future__ import annotations

import zipfile
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy_format

from sdk.errors import BadDataset
from sdk.files.input_files import shown
from training.datasets.joints import JOINT_ORDERS
from training.datasets.readers.files import files_in, read_objects

_MM_FROM = 5.0
"""Pelvis to head in the unit of a file: metres below, millimetres above."""


def archives_with(folder: Path, names: Collection[str], without: Collection[str] = ()) -> list[Path]:
    """.npz files below a folder that have these arrays and none of others.

    Raises:
        BadDataset: a file whose name ends in .npz is none, or is cut off.
    """
    found = []
    for path in files_in(folder, "*.npz"):
        try:
            with zipfile.ZipFile(path) as archive:
                there = {name.removesuffix(".npy") for name in archive.namelist()}
        except Exception as error:  # a damaged directory raises whatever its bytes run into
            raise BadDataset(f"{shown(path)} is no .npz file, or is cut off: {str(error)[:120]}.") from error
        if set(names) <= there and not there & set(without):
            found.append(path)
    return found


def shape_in(path: Path, name: str) -> tuple[int, ...]:
    """Shape of an array of an .npz file, read from its header alone.

    Raises:
        BadDataset: the header is damaged.
    """
    try:
        with zipfile.ZipFile(path) as archive, archive.open(f"{name}.npy") as member:
            version = npy_format.read_magic(member)
            read = npy_format.read_array_header_1_0 if version == (1, 0) else npy_format.read_array_header_2_0
            return tuple(read(member)[0])
    except Exception as error:  # a damaged header raises whatever its bytes run into
        raise BadDataset(f"{shown(path)}: {name} is damaged: {str(error)[:120]}.") from error


def object_in(path: Path, name: str) -> Any:
    """One array of an .npz file, or the object that it holds, through the restricted reader.

    Raises:
        BadDataset: it is damaged, or names anything but containers, numbers, text and numpy arrays.
    """
    content = read_objects(path)
    if name not in content:
        raise BadDataset(f"{shown(path)} lacks {name}.")
    return content[name]


def table(path: Path, what: str, value: Any) -> dict[str, Any]:
    """A dict with text as keys.

    Raises:
        BadDataset: it is something else.
    """
    if not isinstance(value, dict) or not value or not all(isinstance(key, str) for key in value):
        raise BadDataset(f"{shown(path)}: {what} is {type(value).__name__}, not a table of names.")
    return value


def poses(path: Path, what: str, value: Any, joints: Collection[int], coordinates: int) -> np.ndarray:
    """(T, J, C) numbers; J is one of those given.

    Raises:
        BadDataset: it is something else.
    """
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "fiu":
        raise BadDataset(f"{shown(path)}: {what} is {type(value).__name__}, not an array of numbers.")
    if value.ndim != 3 or value.shape[1] not in joints or value.shape[2] != coordinates:
        raise BadDataset(f"{shown(path)}: {what} has shape {value.shape}, not (T, {list(joints)}, {coordinates}).")
    return value


def in_metres(joints: np.ndarray, order: str) -> tuple[np.ndarray, bool]:
    """Joints in metres, and whether the file had millimetres: by the length from pelvis to head."""
    skeleton = JOINT_ORDERS[order]
    trunk = np.linalg.norm(joints[:, skeleton.index("head")] - joints[:, skeleton.index("pelvis")], axis=-1)
    millimetres = bool(len(trunk) and np.nanmedian(trunk) > _MM_FROM)
    return (joints / 1000 if millimetres else joints), millimetres


def screen_to_px(keypoints: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Undo the division by half the width: x' = 2 x / w - 1, y' = 2 y / w - h / w."""
    width, height = size
    return (keypoints + np.array([1, height / width])) * (width / 2)


def split_by_name(path: Path) -> str:
    """`train` or `test`, whichever is in the file's name.

    Raises:
        BadDataset: neither, or both.
    """
    found = [split for split in ("train", "test") if split in path.stem.lower()]
    if len(found) != 1:
        raise BadDataset(f"{shown(path)}: a file like this must have train or test in its name, to tell which it is.")
    return found[0]


def nested(content: dict[str, Any], path: Path, what: str) -> Iterator[tuple[str, str, Any]]:
    """Subject, action and value of a dict of dicts."""
    for subject, actions in content.items():
        for action, value in table(path, f"{what} of {subject[:40]}", actions).items():
            yield subject, action, value
