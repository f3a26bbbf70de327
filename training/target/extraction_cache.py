"""Keeps the keypoints of videos on disk, so that no video is processed twice."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

from sdk.errors import BadKeypoints, BadOutput
from sdk.files.content_hash import content_hash
from sdk.files.downloads import CACHE_VARIABLE
from sdk.files.input_files import shown
from sdk.keypoint_files.saved_tracks import load_tracks_and_about, save_tracks
from sdk.keypoint_files.track_collection import SEEN_SCORE, SEEN_SHARE
from sdk.prediction.extraction import VideoKeypoints
from sdk.tracking.lifetime import LONGEST_GAP_S
from training.files.atomic_file import replacing

EXTRACTION_VERSION = 2
"""Version of the extraction. Increase it when the same video and settings give other keypoints than before."""
SETTINGS = f"extraction {EXTRACTION_VERSION}, seen {SEEN_SCORE} {SEEN_SHARE}, gap {LONGEST_GAP_S}"
"""All that decides the result, apart from video and detector."""


class ExtractionCache:
    """One file for each video content, detector and version of the extraction. Videos without people have one too.

    Args:
        folder: Folder of the cache. It is made when the first file is written.
        detector_identity: From `identity_on_recordings`.
    """

    def __init__(self, folder: Path, detector_identity: str) -> None:
        self.folder = folder
        self._detector = detector_identity

    def path(self, video: Path) -> Path:
        """The cache file of a video, whether it exists or not. Reads the content of the video once.

        Raises:
            OSError: if the video can't be read.
        """
        key = "\n".join((content_hash(video), self._detector, SETTINGS))
        return self.folder / f"{hashlib.blake2b(key.encode(), digest_size=16).hexdigest()}.npz"

    def load(self, path: Path, video: Path) -> VideoKeypoints | None:
        """Read a cache file; None if there is none. Tracks are named after the present name of the video.

        Raises:
            BadKeypoints: if the file is damaged.
        """
        if not path.exists():
            return None
        tracks, about = load_tracks_and_about(path)
        try:
            was, frames, notes = about["video"], about["frames"], about["notes"]
        except (KeyError, TypeError) as error:
            raise BadKeypoints(f"{path} is no file of the cache: {error!r}.") from error
        texts = isinstance(notes, list) and all(isinstance(text, str) for text in (was, *notes))
        if not texts or type(frames) is not int:
            raise BadKeypoints(f"{path} is no file of the cache: its header has values of other types.")
        name = shown(video.name)
        renamed = tuple(replace(track, name=name + track.name.removeprefix(was)) for track in tracks)
        return VideoKeypoints(renamed, frames, tuple(name + note.removeprefix(was) for note in notes))

    def store(self, path: Path, video: Path, keypoints: VideoKeypoints) -> None:
        """Write a cache file. It appears whole or not at all.

        Raises:
            BadOutput: if it can't be written.
        """
        about = {"video": shown(video.name), "frames": keypoints.frames, "notes": list(keypoints.notes)}
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with replacing(path) as part:
                save_tracks(part, keypoints.tracks, about)
        except OSError as error:
            raise BadOutput(
                f"the keypoints of {shown(video.name)} can't be written to {path}: {error.__cause__ or error}. "
                f"Videos finished before are kept: free some space, or name another folder with {CACHE_VARIABLE}, and "
                f"start again; it goes on with {shown(video.name)}."
            ) from error
