"""2D keypoints in files: readers of other programs' formats, and our own."""

from sdk.formats.keypoint_track import KeypointTrack
from sdk.formats.reading import is_keypoints, read_keypoints
from sdk.formats.saved_tracks import load_tracks, save_tracks
from sdk.formats.track_collector import CollectedTracks
from sdk.formats.writing import write_keypoints

__all__ = [
    "CollectedTracks",
    "KeypointTrack",
    "is_keypoints",
    "load_tracks",
    "read_keypoints",
    "save_tracks",
    "write_keypoints",
]
