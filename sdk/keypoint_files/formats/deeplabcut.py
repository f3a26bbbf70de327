"""DeepLabCut's tables for human skeletons: CSV and HDF5.

The HDF5 is written by pandas, but read without it: pandas would run the pickles in the file.
"""

from __future__ import annotations

import io
import pickle
import pickletools
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sdk.errors import BadKeypoints, MissingDependency
from sdk.keypoint_files.layouts import collect_named_joints
from sdk.keypoint_files.limits import LARGEST_FILE_BYTES, MOST_PEOPLE, NotThisFormat, check_file_size
from sdk.keypoint_files.parsing.json_file import shown
from sdk.keypoint_files.parsing.text_table import read_lines, to_table
from sdk.keypoint_files.track_collection import CollectedTracks

if TYPE_CHECKING:
    import h5py


_CHANNELS = ("x", "y", "likelihood")
_MOST_PARTS = 1000
"""Body parts in one file. Whole-body models have 133."""
_LEVELS = ("scorer", "individuals", "bodyparts", "coords")
"""Lines of the header. `individuals` is there only for several animals."""


def read_deeplabcut(
    path: Path,
    skeleton: str | None = None,
    image_size: tuple[int, int] | None = None,
    frame_rate_hz: float | None = None,
) -> CollectedTracks:
    """Read one `<video>DLC_<model>.csv` or `.h5`. Each individual is a person.

    Args:
        path: The file.
        skeleton: Name of the layout. None for the one that the body parts' names fit.
        image_size: Width and height. None to read them from the video beside the file, named as the part before
            `DLC_`.
        frame_rate_hz: As `image_size`.

    Raises:
        NotThisFormat: it is neither.
        BadKeypoints: it is damaged, its names fit no skeleton, or size and rate are not known.
        MissingDependency: it is an .h5 file, and h5py is not installed.
    """
    if path.is_dir():
        raise NotThisFormat("a folder")
    columns, frames, table = read_hdf5(path) if is_hdf5(path) else _read_csv(path)
    people: dict[str, dict[str, dict[str, int]]] = {}
    for position, column in enumerate(columns):
        *individual, part, channel = column[1:]
        channels = people.setdefault("".join(individual), {}).setdefault(part, {})
        if channel not in _CHANNELS or channel in channels:
            raise BadKeypoints(
                f"{path}: column {position + 1} of {shown(part)} is {shown(channel)}. A part has one x, y, likelihood."
            )
        channels[channel] = position
    parts = list(dict.fromkeys(part for person in people.values() for part in person))
    # Each person gets an array for all parts: without a limit, a megabyte of names could ask for gigabytes.
    if len(people) > MOST_PEOPLE or len(parts) > _MOST_PARTS:
        raise BadKeypoints(
            f"{path} has {len(people)} individuals and {len(parts)} body parts. It may have up to {MOST_PEOPLE} and "
            f"{_MOST_PARTS}."
        )
    stacked = []
    for person in people.values():
        values = np.full((len(table), len(parts), 3), np.nan)
        for part, channels in person.items():
            if set(channels) != set(_CHANNELS):
                raise BadKeypoints(
                    f"{path}: {shown(part)} has the columns {', '.join(channels)}, not x, y, likelihood."
                )
            values[:, parts.index(part)] = table[:, [channels[channel] for channel in _CHANNELS]]
        stacked.append(values)
    stems = [path.stem, path.stem.partition("DLC_")[0]]
    return collect_named_joints(path, stems, parts, stacked, frames, skeleton, image_size, frame_rate_hz)


def _read_csv(path: Path) -> tuple[list[tuple[str, ...]], np.ndarray, np.ndarray]:
    """The levels of each column, frame numbers (T,) and values (T, columns)."""
    rows = read_lines(path, ",")
    levels = [level for level in _LEVELS if level != "individuals" or (len(rows) > 1 and rows[1][0] == level)]
    if len(rows) <= len(levels) or [row[0] for row in rows[: len(levels)]] != levels:
        raise NotThisFormat("no table of DeepLabCut: its first lines are not scorer, bodyparts, coords")
    header, width = rows[: len(levels)], len(rows[0])
    if any(len(row) != width for row in header) or width < 2:
        raise BadKeypoints(f"{path}: the header lines have different lengths.")
    table = to_table(path, rows[len(levels) :], width)
    frames = table[:, 0]
    if not np.isfinite(frames).all() or (frames != np.round(frames)).any():
        raise BadKeypoints(
            f"{path}: each line must begin with a whole frame number. For labelled images it is a file name: give "
            "DeepLabCut's file of a video."
        )
    return list(zip(*(row[1:] for row in header), strict=True)), frames, table[:, 1:]


_KEY = "df_with_missing"
_HASHING = {"DICT", "SETITEM", "SETITEMS", "ADDITEMS", "FROZENSET"}
_SIGNATURE = b"\x89HDF\r\n\x1a\n"


def is_hdf5(path: Path) -> bool:
    """Whether a file begins as HDF5 does."""
    with path.open("rb") as file:
        return file.read(len(_SIGNATURE)) == _SIGNATURE


def read_hdf5(path: Path) -> tuple[list[tuple[str, ...]], np.ndarray, np.ndarray]:
    """The levels of each column, frame numbers (T,) and values (T, columns) of a table of pandas.

    Raises:
        BadKeypoints: it is damaged, too large, or not written by `to_hdf(..., key="df_with_missing", format="table")`.
        MissingDependency: h5py is not installed.
    """
    try:
        import h5py
    except ImportError as error:
        raise MissingDependency("h5py", "deeplabcut", f"{path}, an HDF5 file,") from error
    check_file_size(path)
    try:
        with h5py.File(path, "r") as file:
            columns, frames, values = _read_table(file)
    except BadKeypoints as error:
        raise BadKeypoints(f"{path}: {error}") from None
    except Exception as error:  # a damaged file can raise anything
        raise BadKeypoints(f"{path} can't be read as DeepLabCut's HDF5: {type(error).__name__}: {error}") from error
    if values.shape != (len(frames), len(columns)) or not values.size:
        raise BadKeypoints(f"{path} has {len(columns)} columns and {len(frames)} frames, but values {values.shape}.")
    return columns, frames, values


def _read_table(file: h5py.File) -> tuple[list[tuple[str, ...]], np.ndarray, np.ndarray]:
    group = file.get(_KEY)
    table = None if group is None else group.get("table")
    if table is None or "index" not in (table.dtype.names or ()):
        raise BadKeypoints(f"it has no table {_KEY!r}, only {', '.join(file) or 'nothing'}.")
    if table.size * table.dtype.itemsize > LARGEST_FILE_BYTES:
        raise BadKeypoints("its table is too large.")
    # As pandas writes them: each block lists its columns.
    blocks = [name for name in table.dtype.names if name.startswith("values_block_")]
    columns: list[tuple[str, ...]] = []
    for block in blocks:
        columns += _columns(table.attrs[f"{block}_kind"])
    content = table[()]
    values = np.concatenate([np.asarray(content[block], np.float64).reshape(len(content), -1) for block in blocks], 1)
    frames = np.asarray(content["index"])
    if frames.dtype.kind not in "iu":
        raise BadKeypoints(
            "its rows have no frame numbers: it is of labelled images. Give DeepLabCut's file of a video."
        )
    return columns, frames, values


def _columns(attribute: Any) -> list[tuple[str, ...]]:
    """The column names. PyTables keeps them as a pickle; this unpickler can't load any class or function."""
    pickled = attribute.tobytes() if isinstance(attribute, np.void) else bytes(attribute)
    # Names need no dict and no set. A key of nested tuples would take for ever to hash.
    if any(opcode.name in _HASHING for opcode, _, _ in pickletools.genops(pickled)):
        raise BadKeypoints("its columns are pickled with a dict or a set, which names do not need.")
    columns = _PlainValues(io.BytesIO(pickled)).load()
    if not isinstance(columns, list) or not all(
        isinstance(column, tuple) and len(column) in (3, 4) and all(isinstance(level, str) for level in column)
        for column in columns
    ):
        raise BadKeypoints("its column names are not scorer, body part and coordinate.")
    return columns


class _PlainValues(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        raise pickle.UnpicklingError(f"its columns name {module}.{name}, which they do not need")
