"""Keypoints of whatever format: the content decides."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from sdk.errors import BadKeypoints
from sdk.formats.alphapose import read_alphapose
from sdk.formats.format_error import NotThisFormat
from sdk.formats.keypoint_npz import read_simple_npz, read_videopose3d
from sdk.formats.keypoint_track import KeypointTrack
from sdk.formats.openpose import read_openpose
from sdk.formats.saved_tracks import load_tracks
from sdk.formats.track_collector import CollectedTracks


def _read_saved(path: Path, skeleton: str | None, image_size: object, frame_rate_hz: object) -> CollectedTracks:
    return CollectedTracks(tuple(load_tracks(path)))


_READERS: dict[str, Callable[..., CollectedTracks]] = {
    "OpenPose folder": read_openpose,
    "AlphaPose JSON": read_alphapose,
    "saved tracks": _read_saved,
    "VideoPose3D npz": read_videopose3d,
    "keypoints npz": read_simple_npz,
}


def read_keypoints(
    path: str | Path,
    *,
    skeleton: str | None = None,
    image_size: tuple[int, int] | None = None,
    frame_rate_hz: float | None = None,
) -> list[KeypointTrack]:
    """Read people's 2D keypoints over time; what was left out is logged as a warning of the logger `adaptpose`.

    Known are AlphaPose's JSON, a folder of OpenPose's JSON, VideoPose3D's npz, npz files with `keypoints`, and those of
    `save_tracks`. The content decides which it is.

    Args:
        path: A file, or a folder of OpenPose's files.
        skeleton: Layout of the joints, where the file does not say it.
        image_size: Width and height in pixels, where neither the file nor a video of its name beside it says them.
        frame_rate_hz: Likewise.

    Raises:
        BadKeypoints: if it is missing, of no known format (the message says why for each), or damaged.
        UnknownSkeleton: for a skeleton without a table.
    """
    found = collect_keypoints(Path(path), skeleton=skeleton, image_size=image_size, frame_rate_hz=frame_rate_hz)
    for note in found.notes:
        logging.getLogger("adaptpose").warning(note)
    return list(found.tracks)


def collect_keypoints(
    path: Path,
    *,
    skeleton: str | None = None,
    image_size: tuple[int, int] | None = None,
    frame_rate_hz: float | None = None,
) -> CollectedTracks:
    """As `read_keypoints`, with the notes as values instead of in the log."""
    if not path.exists():
        raise BadKeypoints(f"{path}: no such file or folder.")
    reasons = []
    for name, read in _READERS.items():
        try:
            return read(path, skeleton, image_size, frame_rate_hz)
        except NotThisFormat as error:
            reasons.append(f"{name}: {error}")
    raise BadKeypoints(f"{path} is of no known keypoint format.\n  " + "\n  ".join(reasons))
