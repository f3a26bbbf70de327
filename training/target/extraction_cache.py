"""Keypoints of videos kept on disk, so that no video is looked at twice."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

from sdk.errors import BadKeypoints, BadOutput
from sdk.files.downloads import CACHE_VARIABLE
from sdk.files.input_files import shown
from sdk.keypoint_files.saved_tracks import load_tracks_and_about, save_tracks
from sdk.keypoint_files.track_collection import SEEN_SCORE, SEEN_SHARE
from sdk.tracking.lifetime import LONGEST_GAP_S
from training.files.atomic_file import content_hash, replacing
from training.target.extraction import VideoKeypoints

EXTRACTION_VERSION = 2
"""Raised when extraction finds something else in the same video with the same settings."""
SETTINGS = f"extraction {EXTRACTION_VERSION}, seen {SEEN_SCORE} {SEEN_SHARE}, gap {LONGEST_GAP_S}"
"""What else than video and detector decides what is found."""


class ExtractionCache:
    """One file for each video content, detector and version of the extraction; also for a video without people.

    Args:
        folder: Is made when the first file is written.
        detector_identity: As `identity_on_recordings` has it.
    """

    def __init__(self, folder: Path, detector_identity: str) -> None:
        self.folder = folder
        self._detector = detector_identity

    def path(self, video: Path) -> Path:
        """Where the keypoints of a video are or will be; reads the video's content once.

        Raises:
            OSError: if the video can't be read.
        """
        key = "\n".join((content_hash(video), self._detector, SETTINGS))
        return self.folder / f"{hashlib.blake2b(key.encode(), digest_size=16).hexdigest()}.npz"

    def load(self, path: Path, video: Path) -> VideoKeypoints | None:
        """Read a file of the cache, None if there is none. Tracks are named after the video's present name.

        Raises:
            BadKeypoints: if the file is damaged.
        """
        if not path.exists():
            return None
        tracks, about = load_tracks_and_about(path)
        try:
            was, frames, notes = str(about["video"]), int(about["frames"]), about["notes"]
        except (KeyError, TypeError, ValueError) as error:
            raise BadKeypoints(f"{path} is no file of the cache: {error!r}.") from error
        name = shown(video.name)
        renamed = tuple(replace(track, name=name + track.name.removeprefix(was)) for track in tracks)
        return VideoKeypoints(renamed, frames, tuple(name + note.removeprefix(was) for note in notes))

    def store(self, path: Path, video: Path, keypoints: VideoKeypoints) -> None:
        """Write a file of the cache; it appears whole or not at all.

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
                f"the keypoints of {video.name} can't be written to {path}: {error.__cause__ or error}. "
                f"Videos finished before are kept: free some space, or name another folder with {CACHE_VARIABLE}, and "
                f"start again; it goes on with {video.name}."
            ) from error
