"""Writes tracks to a file. Its suffix decides the format."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from sdk.files.output_files import check_output_path, naming
from sdk.keypoint_files.formats.alphapose import write_alphapose
from sdk.keypoint_files.keypoint_track import KeypointTrack
from sdk.keypoint_files.saved_tracks import save_tracks


def write_keypoints(path: str | Path, tracks: Iterable[KeypointTrack]) -> None:
    """Write people's 2D keypoints over time. `read_keypoints` reads both formats.

    Args:
        path: `.npz` keeps everything, for any skeleton. `.json` is AlphaPose's list: coco17 or halpe26 only, without
            image size and frame rate.
        tracks: Tracks of one video.

    Raises:
        BadOutput: another suffix, or the file can't be written.
        BadKeypoints: AlphaPose's format can't hold these tracks.
    """
    path = Path(path)
    write = write_alphapose if path.suffix.lower() == ".json" else save_tracks
    path = check_output_path(path, ".json" if write is write_alphapose else ".npz")
    with naming(path):
        write(path, tracks)
