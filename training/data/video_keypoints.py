"""2D keypoints of one video: detect, follow, clean. Holds two frames and the keypoints, never the video."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path

from sdk.detectors.detection import Detector
from sdk.detectors.parallel import SideBySide, detect_in_order
from sdk.errors import BadVideo
from sdk.keypoint_files.keypoint_track import KeypointTrack
from sdk.keypoint_files.track_collection import TrackCollector
from sdk.tracking.person_tracker import PersonTracker
from sdk.video.source import open_video

FrameCounter = Callable[[int, "int | None"], None]
"""Is told how many frames are done, of how many as far as that is known."""


@dataclass(frozen=True)
class VideoKeypoints:
    """What was found in a video; no track if there is no person in it.

    Attributes:
        tracks: Named `<file name>#<person>`.
        frames: That could be decoded.
        notes: What was left out, and whether the video is cut off.
    """

    tracks: tuple[KeypointTrack, ...]
    frames: int
    notes: tuple[str, ...]


def extract_keypoints(video: Path, detector: Detector, count: FrameCounter) -> VideoKeypoints:
    """Run the detector over every frame of a video and follow the people.

    A video that breaks off is used up to there, and says so in the notes.

    Args:
        video: The file.
        detector: Is reset first.
        count: Called after every frame.

    Raises:
        BadVideo: if no frame can be read.
    """
    frames, trouble = 0, ""
    with open_video(video) as source, SideBySide(detector) as pairs:
        tracker = PersonTracker(source.frame_rate_hz)
        collector = TrackCollector(video.name, detector.skeleton, source.image_size, source.frame_rate_hz)
        try:
            for frame, seen in detect_in_order(pairs, source, attrgetter("image")):
                for person in tracker.update(seen.result()):
                    # Copies: a detector's arrays may be parts of a larger one, which would stay in memory.
                    keypoints, scores = person.keypoints.copy(), person.scores.copy()
                    collector.add(person.track_id, frame.index, frame.timestamp_s, keypoints, scores)
                frames += 1
                count(frames, source.frame_count)
        except BadVideo as error:
            if frames == 0:
                raise
            trouble = f" ({error})"
        if source.truncated or trouble:
            trouble = (
                f"{video.name}: cut off, {frames} of {source.frame_count} frames could be read and are used{trouble}"
            )
    collected = collector.finish()
    return VideoKeypoints(collected.tracks, frames, (*([trouble] if trouble else []), *collected.notes))
