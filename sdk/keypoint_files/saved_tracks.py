"""Tracks written to and read from one .npz file, without pickles."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from sdk.errors import BadKeypoints
from sdk.keypoint_files.keypoint_track import KeypointTrack
from sdk.keypoint_files.limits import FARTHEST_PX, FASTEST_HZ, LARGEST_PX, NotThisFormat, array_names, listed

_ARRAYS = ("keypoints_px", "scores", "timestamps_s", "frame_indices")
_HEADER = "tracks"
VERSION = 1


def save_tracks(path: Path, tracks: Iterable[KeypointTrack], about: Mapping[str, Any] | None = None) -> None:
    """Write the tracks of one video. There may be none.

    Args:
        path: The file. Its name should end in .npz; no suffix is added.
        tracks: Tracks of any skeleton.
        about: More to keep in the file, as JSON.

    Raises:
        OSError: the file can't be written.
    """
    tracks = list(tracks)
    header = {
        "version": VERSION,
        "about": dict(about or {}),
        "tracks": [
            {
                "name": track.name,
                "skeleton": track.skeleton,
                "image_size": [int(side) for side in track.image_size],
                "frame_rate_hz": float(track.frame_rate_hz),
            }
            for track in tracks
        ],
    }
    arrays = {f"{name}_{i}": getattr(track, name) for i, track in enumerate(tracks) for name in _ARRAYS}
    # First to memory: on a full disk, zipfile hides the system's error behind its own.
    with io.BytesIO() as archive:
        np.savez(archive, **{_HEADER: np.array(json.dumps(header))}, **arrays)
        path.write_bytes(archive.getvalue())


def load_tracks(path: Path) -> list[KeypointTrack]:
    """Read what `save_tracks` wrote.

    Raises:
        NotThisFormat: it is another kind of file.
        BadKeypoints: it is damaged or has another version.
    """
    return load_tracks_and_about(path)[0]


def load_tracks_and_about(path: Path) -> tuple[list[KeypointTrack], dict[str, Any]]:
    """As `load_tracks`, with what `save_tracks` got as `about`."""
    names = array_names(path)
    if _HEADER not in names:
        raise NotThisFormat(f"no array {_HEADER!r}, only {listed(names)}")
    try:
        with np.load(path, allow_pickle=False) as arrays:
            header = json.loads(str(arrays[_HEADER]))
            if header["version"] != VERSION:
                raise BadKeypoints(f"{path} has version {header['version']}, not {VERSION}. Extract it again.")
            for entry in header["tracks"]:
                _require_types(entry, path)
            tracks = [
                KeypointTrack(
                    name=entry["name"],
                    **{name: arrays[f"{name}_{i}"] for name in _ARRAYS},
                    skeleton=entry["skeleton"],
                    image_size=(entry["image_size"][0], entry["image_size"][1]),
                    frame_rate_hz=entry["frame_rate_hz"],
                )
                for i, entry in enumerate(header["tracks"])
            ]
            for track in tracks:
                if (
                    not (np.abs(track.keypoints_px) <= FARTHEST_PX).all()
                    or not ((track.scores >= 0) & (track.scores <= 1)).all()
                ):
                    raise BadKeypoints(
                        f"{path}: track {track.name!r} has keypoints that can't be pixels, or scores outside 0 to 1."
                    )
            return tracks, header["about"]
    except BadKeypoints:
        raise
    except Exception as error:  # a damaged archive can raise anything
        raise BadKeypoints(f"{path} is damaged: {type(error).__name__}: {str(error)[:300]}") from error


def _require_types(entry: Mapping[str, Any], path: Path) -> None:
    size, rate = entry["image_size"], entry["frame_rate_hz"]
    if not (
        all(isinstance(entry[name], str) for name in ("name", "skeleton"))
        and isinstance(size, list)
        and len(size) == 2
        and all(type(side) is int and 0 < side <= LARGEST_PX for side in size)
        and type(rate) in (int, float)
        and 0 < rate <= FASTEST_HZ
    ):
        raise BadKeypoints(f"{path} is damaged: its header has values of wrong types: {str(dict(entry))[:200]}.")
