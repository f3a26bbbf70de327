"""Extracts 2D keypoints from one video (detect, track, clean), with progress. Holds two frames at a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from sdk.detectors.detection import Detector
from sdk.detectors.parallel import OrderedDetection, detect_in_order
from sdk.errors import BadVideo
from sdk.files.input_files import shown
from sdk.keypoint_files.keypoint_track import KeypointTrack
from sdk.keypoint_files.track_collection import TrackCollector
from sdk.tracking.person_tracker import PersonTracker
from sdk.video.source import open_video

FrameCounter = Callable[[int, "int | None"], None]
"""Gets the number of finished frames, and the total number if it is known."""


@dataclass(frozen=True)
class VideoKeypoints:
    """What was found in a video. Without a person there are no tracks.

    Attributes:
        tracks: Tracks, named `<file name>#<person>`.
        frames: Frames that could be decoded.
        notes: What was left out, and whether the video is cut off.
    """

    tracks: tuple[KeypointTrack, ...]
    frames: int
    notes: tuple[str, ...]


def extract_keypoints(video: Path, detector: Detector, count: FrameCounter) -> VideoKeypoints:
    """Run the detector on every frame of a video and track the people.

    Unreadable parts of the video are named in the notes; the rest is used.

    Args:
        video: The file.
        detector: The 2D detector; it is reset first.
        count: Called after every frame.

    Raises:
        BadVideo: if no frame can be read.
    """
    frames, notes, name = 0, list[str](), shown(video.name)
    with open_video(video) as source, OrderedDetection(detector) as pairs:
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
    return VideoKeypoints(collected.tracks, frames, (*notes, *collected.notes))


LINE_EVERY_S = 30.0
"""Without a terminal: at most one line per so many seconds while a video runs."""


class ExtractionProgress:
    """Shows the present video, its frames, and the time left. Use it as a context manager.

    Args:
        videos: Number of videos.
        console: Where to print; None for stderr.
    """

    def __init__(self, videos: int, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True)
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[unit]}"),
            TimeRemainingColumn(),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._videos, self._done = videos, 0
        self._all = self._bar.add_task("all videos", total=videos, unit="videos")
        self._video: TaskID | None = None
        self._name, self._started, self._last_line = "", 0.0, 0.0

    def __enter__(self) -> ExtractionProgress:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def start(self, name: str) -> None:
        """A video begins."""
        self._name = name
        self._started = self._last_line = time.monotonic()
        self._video = self._bar.add_task(name, total=None, unit="frames")

    def count(self, frames: int, total: int | None) -> None:
        """Report the finished frames of this video, and the total if it is known."""
        assert self._video is not None
        self._bar.update(self._video, completed=frames, total=total)
        if total:
            self._bar.update(self._all, completed=self._done + min(1.0, frames / total))
        now = time.monotonic()
        if not self._console.is_terminal and now - self._last_line >= LINE_EVERY_S:
            self._last_line = now
            of = f" of {total}" if total else ""
            self._line(f"{self._name}: {frames}{of} frames, {frames / (now - self._started):.1f} a second")

    def finish(self, outcome: str) -> None:
        """The video is done. `outcome` says the result in a few words."""
        assert self._video is not None
        self._done += 1
        self._bar.refresh()  # its last count, before it goes
        self._bar.remove_task(self._video)
        self._bar.update(self._all, completed=self._done)
        self._line(f"[{self._done}/{self._videos}] {self._name}: {outcome}")

    def _line(self, text: str) -> None:
        self._bar.console.print(text, markup=False, highlight=False, soft_wrap=True)
