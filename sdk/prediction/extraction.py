"""Extracts 2D keypoints from one video: detect, track, clean. Holds a few frames at a time."""

from __future__ import annotations

from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path

from sdk.detectors.detection import Detector
from sdk.detectors.parallel import OrderedDetection, detect_in_order
from sdk.errors import BadVideo
from sdk.files.input_files import shown
from sdk.keypoint_files.keypoint_track import KeypointTrack
from sdk.keypoint_files.track_collection import TrackCollector
from sdk.tracking.person_tracker import PersonTracker
from sdk.video.source import open_video
from sdk.workers.tasks import FrameCounter


@dataclass(frozen=True)
class VideoKeypoints:
    """What was found in a video. Without a person there are no tracks.

    Attributes:
        tracks: Tracks, named `<file name>#<person>`.
        frames: Frames that could be decoded.
        notes: What was left out, and whether the video is cut off.
        frame_rate_hz: Of the video; None if only its tracks are known.
    """

    tracks: tuple[KeypointTrack, ...]
    frames: int
    notes: tuple[str, ...]
    frame_rate_hz: float | None = None


def extract_keypoints(video: Path, detector: Detector, count: FrameCounter, fps: float | None = None) -> VideoKeypoints:
    """Run the detector on every frame of a video and track the people.

    Unreadable parts of the video are named in the notes; the rest is used.

    Args:
        video: The file.
        detector: The 2D detector; it is reset first.
        count: Called after every frame.
        fps: Frame rate of a folder of images, and of a video that does not state its own.

    Raises:
        BadVideo: if no frame can be read.
    """
    frames, notes, name = 0, list[str](), shown(video.name)
    with open_video(video, fps=fps) as source, OrderedDetection(detector) as pairs:
        tracker = PersonTracker(source.frame_rate_hz)
        collector = TrackCollector(name, detector.skeleton, source.image_size, source.frame_rate_hz)
        try:
            for frame, seen in detect_in_order(pairs, source, attrgetter("image")):
                for person in tracker.update(seen.result(), frame.timestamp_s):
                    # Copied: a detector's arrays may be views of a larger array, which would stay in memory.
                    keypoints, scores = person.keypoints.copy(), person.scores.copy()
                    collector.add(person.track_id, frame.index, frame.timestamp_s, keypoints, scores)
                frames += 1
                count(frames, source.frame_count)
        except BadVideo as error:
            if frames == 0:
                raise
            notes.append(f"{name}: {frames} of {source.frame_count} frames could be read and are used ({error})")
        if source.damage:
            notes.append(f"{name}: {source.damage}; the other {frames} frames are used")
    collected = collector.finish()
    return VideoKeypoints(collected.tracks, frames, (*notes, *collected.notes), source.frame_rate_hz)
