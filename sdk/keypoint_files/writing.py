"""Tracks to a file, in the form that its ending names."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from sdk.files.output_files import check_output_path, naming
from sdk.keypoint_files.formats.alphapose import write_alphapose
from sdk.keypoint_files.keypoint_track import KeypointTrack
from sdk.keypoint_files.saved_tracks import save_tracks


def write_keypoints(path: str | Path, tracks: Iterable[KeypointTrack]) -> None:
    """Write people's 2D keypoints over time; `read_keypoints` reads either form.

    Args:
        path: `.npz`, which keeps everything of tracks of any skeleton; or `.json`, AlphaPose's list, of coco17 or
            halpe26, which keeps neither the image's size nor the frame rate.
        tracks: Of one video.

    Raises:
        BadOutput: for another ending, or a place that can't be written to.
        BadKeypoints: tracks that AlphaPose's form can't hold.
    """
    path = Path(path)
    write = write_alphapose if path.suffix.lower() == ".json" else save_tracks
    path = check_output_path(path, ".json" if write is write_alphapose else ".npz")
    with naming(path):
        write(path, tracks)
