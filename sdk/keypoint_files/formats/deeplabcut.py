"""DeepLabCut's tables for human skeletons: CSV, and pandas' HDF5 read without pandas, which would run pickles."""

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
"""Whole-body models have 133."""
_LEVELS = ("scorer", "individuals", "bodyparts", "coords")
"""Lines of the header; `individuals` only where there are several animals."""


def read_deeplabcut(
    path: Path,
    skeleton: str | None = None,
    image_size: tuple[int, int] | None = None,
    frame_rate_hz: float | None = None,
) -> CollectedTracks:
    """Read one `<video>DLC_<model>.csv` or `.h5`; each individual is a person.

    Args:
        path: The file.
        skeleton: Layout; None for the one that the body parts' names fit.
        image_size: Width and height; None to ask the video beside the file, whose name is what stands before `DLC_`.
        frame_rate_hz: Likewise.

    Raises:
        NotThisFormat: if it is neither.
        BadKeypoints: if it is damaged; names that fit no skeleton; or size and rate are not known.
        MissingDependency: an .h5 file, and h5py is not installed.
    """
    if path.is_dir():
        raise NotThisFormat("a folder")
    columns, frames, table = read_hdf5(path) if is_hdf5(path) else _read_csv(path)
    people: dict[str, dict[str, dict[str, int]]] = {}
    for position, column in enumerate(columns):
        *individual, part, channel = column[1:]
        channels = people.setdefault("".join(individual), {}).setdefault(part, {})
        if channel not in _CHANNELS or channel in channels:
            raise BadKeypoints(f"{path}: column {position + 1} of {shown(part)} is {shown(channel)}, a surprise.")
        channels[channel] = position
    parts = list(dict.fromkeys(part for person in people.values() for part in person))
    # Each person gets a place for every part: a megabyte of column names could ask for gigabytes.
    if len(people) > MOST_PEOPLE or len(parts) > _MOST_PARTS:
        raise BadKeypoints(
            f"{path} has {len(people)} individuals and {len(parts)} body parts; up to {MOST_PEOPLE} and {_MOST_PARTS} "
            "are read."
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
    """Columns by their levels, frame numbers (T,) and values (T, columns)."""
    rows = read_lines(path, ",")
    levels = [level for level in _LEVELS if level != "individuals" or (len(rows) > 1 and rows[1][0] == level)]
    if len(rows) <= len(levels) or [row[0] for row in rows[: len(levels)]] != levels:
        raise NotThisFormat("no table of DeepLabCut: its first lines are not scorer, bodyparts, coords")
    header, width = rows[: len(levels)], len(rows[0])
    if any(len(row) != width for row in header) or width < 2:
        raise BadKeypoints(f"{path}: the lines of its header have different lengths.")
    table = to_table(path, rows[len(levels) :], width)
    frames = table[:, 0]
    if not np.isfinite(frames).all() or (frames != np.round(frames)).any():
        raise BadKeypoints(f"{path}: each line must begin with a whole frame number (images have none: name a video).")
    return list(zip(*(row[1:] for row in header), strict=True)), frames, table[:, 1:]


_KEY = "df_with_missing"
_HASHING = {"DICT", "SETITEM", "SETITEMS", "ADDITEMS", "FROZENSET"}
_SIGNATURE = b"\x89HDF\r\n\x1a\n"


def is_hdf5(path: Path) -> bool:
    """Whether a file begins as HDF5 does."""
    with path.open("rb") as file:
        return file.read(len(_SIGNATURE)) == _SIGNATURE


def read_hdf5(path: Path) -> tuple[list[tuple[str, ...]], np.ndarray, np.ndarray]:
    """The columns by their levels, the frame numbers (T,) and the values (T, columns) of a table of pandas.

    Raises:
        BadKeypoints: it is damaged, too large, or not of the form `to_hdf(..., key="df_with_missing", format="table")`.
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
    except Exception as error:  # HDF5 raises whatever it runs into
        raise BadKeypoints(f"{path} can't be read as DeepLabCut's HDF5: {type(error).__name__}: {error}") from error
    if values.shape != (len(frames), len(columns)) or not values.size:
        raise BadKeypoints(f"{path} has {len(columns)} columns and {len(frames)} frames, but values {values.shape}.")
    return columns, frames, values


def _read_table(file: h5py.File) -> tuple[list[tuple[str, ...]], np.ndarray, np.ndarray]:
    group = file.get(_KEY)
    table = None if group is None else group.get("table")
    if table is None or "index" not in (table.dtype.names or ()):
        raise BadKeypoints(f"it has no table {_KEY!r}, but {', '.join(file) or 'nothing'}.")
    if table.size * table.dtype.itemsize > LARGEST_FILE_BYTES:
        raise BadKeypoints("its table is too large.")
    # The columns as pandas writes them; of several blocks, each lists its own.
    blocks = [name for name in table.dtype.names if name.startswith("values_block_")]
    columns: list[tuple[str, ...]] = []
    for block in blocks:
        columns += _columns(table.attrs[f"{block}_kind"])
    content = table[()]
    values = np.concatenate([np.asarray(content[block], np.float64).reshape(len(content), -1) for block in blocks], 1)
    frames = np.asarray(content["index"])
    if frames.dtype.kind not in "iu":
        raise BadKeypoints("its rows have no frame numbers (images have none: name a video).")
    return columns, frames, values


def _columns(attribute: Any) -> list[tuple[str, ...]]:
    """The names that PyTables keeps as a pickle, read by an unpickler that can name nothing."""
    pickled = attribute.tobytes() if isinstance(attribute, np.void) else bytes(attribute)
    # Names need no dict and no set; a key of tuples in tuples would take for ever to hash.
    if any(opcode.name in _HASHING for opcode, _, _ in pickletools.genops(pickled)):
        raise BadKeypoints("its columns are pickled with a dict or a set, which names do not need.")
    columns = _PlainValues(io.BytesIO(pickled)).load()
    if not isinstance(columns, list) or not all(
        isinstance(column, tuple) and len(column) in (3, 4) and all(isinstance(level, str) for level in column)
        for column in columns
    ):
        raise BadKeypoints("its columns are not named by scorer, body part and coordinate.")
    return columns


class _PlainValues(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        raise pickle.UnpicklingError(f"its columns name {module}.{name}, which they do not need")
