"""TRC files in pixels, from Sports2D: one person's joints over time, x right and y down."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from sdk.errors import BadKeypoints
from sdk.keypoint_files.layouts import collect_named_joints
from sdk.keypoint_files.limits import NotThisFormat
from sdk.keypoint_files.parsing.text_table import read_lines, to_table
from sdk.keypoint_files.track_collection import CollectedTracks

_HEADER_LINES = 5


def read_trc(
    path: Path,
    skeleton: str | None = None,
    image_size: tuple[int, int] | None = None,
    frame_rate_hz: float | None = None,
) -> CollectedTracks:
    """Read one `<video>_Sports2D_px_person<NN>.trc`.

    A TRC file has no scores: a joint with coordinates gets score 1. Empty, NaN or 0, 0 means not seen.

    Args:
        path: The file.
        skeleton: Name of the layout. None for the one that the markers' names fit.
        image_size: Width and height. None to read them from the video of the same name beside the file.
        frame_rate_hz: None to read it from the file.

    Raises:
        NotThisFormat: it is not a TRC file.
        BadKeypoints: it is damaged or holds 3D, its names fit no skeleton, or the size is not known.
    """
    if path.is_dir():
        raise NotThisFormat("a folder")
    rows = read_lines(path, "\t")
    if len(rows) < _HEADER_LINES or not rows[0][0].startswith("PathFileType"):
        raise NotThisFormat("not a TRC file: it does not begin with PathFileType")
    names = [name.strip() for name in rows[3][2::3]]
    while names and not names[-1]:
        names.pop()
    if not names or not all(names):
        raise BadKeypoints(f"{path}: the fourth line does not name each marker before its three columns.")
    table = to_table(path, rows[_HEADER_LINES:], 2 + 3 * len(names))
    if len(table) == 0 or not np.isfinite(table[:, :2]).all() or (table[:, 0] != np.round(table[:, 0])).any():
        raise BadKeypoints(f"{path}: each line needs a whole frame number and a time.")
    if len(table) != _fact(path, rows, "NumFrames") or len(names) != _fact(path, rows, "NumMarkers"):
        raise BadKeypoints(
            f"{path} has {len(table)} frames with {len(names)} markers, but its header says "
            f"{_fact(path, rows, 'NumFrames'):g} with {_fact(path, rows, 'NumMarkers'):g}."
        )
    marks = table[:, 2:].reshape(len(table), len(names), 3)
    if (np.nan_to_num(marks[..., 2]) != 0).any():
        raise BadKeypoints(
            f"{path} holds 3D: z is not 0 everywhere. Give the 2D in pixels, which Sports2D names *_px_*.trc."
        )
    known = np.isfinite(marks[..., :2]).all(-1) & (marks[..., :2] != 0).any(-1)
    marks[..., 2] = np.where(np.isinf(marks[..., :2]).any(-1), np.inf, known)
    stem = re.sub(r"(_Sports2D)?(_px)?(_person\d+)?$", "", path.stem)
    rate = frame_rate_hz if frame_rate_hz is not None else _fact(path, rows, "DataRate")
    return collect_named_joints(path, [path.stem, stem], names, [marks], table[:, 0], skeleton, image_size, rate)


def _fact(path: Path, rows: list[list[str]], name: str) -> float:
    """A number of the header. The second line has the names, the third the values."""
    facts = dict(zip((cell.strip() for cell in rows[1]), rows[2], strict=False))
    try:
        return float(facts[name])
    except (KeyError, ValueError):
        raise BadKeypoints(f"{path}: its header has no number {name}.") from None
