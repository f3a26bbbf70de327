"""2D keypoints in files: readers of other programs' formats, and our own."""

from sdk.keypoint_files.keypoint_track import KeypointTrack
from sdk.keypoint_files.reading import is_keypoints, read_keypoints
from sdk.keypoint_files.saved_tracks import load_tracks, save_tracks
from sdk.keypoint_files.track_collection import CollectedTracks
from sdk.keypoint_files.writing import write_keypoints

__all__ = [
    "CollectedTracks",
    "KeypointTrack",
    "is_keypoints",
    "load_tracks",
    "read_keypoints",
    "save_tracks",
    "write_keypoints",
]
