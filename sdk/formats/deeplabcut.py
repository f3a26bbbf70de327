"""DeepLabCut's tables for human skeletons: CSV, and the HDF5 files beside them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from sdk.errors import BadKeypoints
from sdk.formats.deeplabcut_hdf5 import is_hdf5, read_hdf5
from sdk.formats.format_error import NotThisFormat
from sdk.formats.json_file import shown
from sdk.formats.named_joints import collect_named_joints
from sdk.formats.text_table import read_lines, to_table
from sdk.formats.track_collector import CollectedTracks

_CHANNELS = ("x", "y", "likelihood")
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
