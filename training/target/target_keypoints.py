"""Gets the target's 2D keypoints: from videos, from the cache or from keypoint files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console

from sdk.detectors.detection import Detector
from sdk.detectors.parallel import identity_on_recordings
from sdk.errors import BadKeypoints, BadOutput, BadTarget, BadVideo, UnknownSkeleton
from sdk.files.downloads import CACHE_VARIABLE
from sdk.files.input_files import shown
from sdk.files.skipped import Skipped
from sdk.keypoint_files.keypoint_track import KeypointTrack
from sdk.keypoint_files.reading import collect_keypoints
from sdk.prediction.target_files import find_target_files
from training.files.cache_folder import default_cache_folder
from training.target.extraction import ExtractionProgress, VideoKeypoints, extract_keypoints
from training.target.extraction_cache import ExtractionCache

SHORTEST_TRACK_S = 1.0
"""Shorter tracks are left out, because most of their windows would repeat the edge frame."""


@dataclass(frozen=True)
class TargetKeypoints:
    """The keypoints to adapt to.

    Attributes:
        tracks: One or more tracks for each person in each video.
        videos: The video of each track; None for keypoint files without a video of the same name.
        skipped: Videos and files without any track, with the reason.
        notes: What was left out of the others, one sentence each.
    """

    tracks: tuple[KeypointTrack, ...]
    videos: tuple[Path | None, ...]
    skipped: tuple[Skipped, ...]
    notes: tuple[str, ...]


@dataclass
class _Found:
    tracks: list[KeypointTrack] = field(default_factory=list)
    videos: list[Path | None] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def take(self, name: str, video: Path | None, found: VideoKeypoints, shortest_s: float) -> str:
        """Keep the tracks that are long enough. Returns the result in a few words."""
        kept = [track for track in found.tracks if track.duration_s >= shortest_s]
        short = len(found.tracks) - len(kept)
        if not kept:
            longest = max((track.duration_s for track in found.tracks), default=0.0)
            reason = (
                f"no person was seen for {shortest_s:g} s or longer; the longest of {short} tracks is {longest:.2f} s"
                if short
                else "no person found" + (f" in {found.frames} frames" if found.frames else "")
            )
            if found.notes:  # if all people of a file were left out, the notes say why
                reason += f" ({'; '.join(found.notes)})"
            self.skipped.append(Skipped(name, reason))
            return reason
        self.notes += found.notes
        if short:
            self.notes.append(f"{name}: {short} of {len(found.tracks)} tracks left out, shorter than {shortest_s:g} s")
        self.tracks += kept
        self.videos += [video] * len(kept)
        return f"{len(kept)} tracks, {sum(map(len, kept))} poses in {found.frames} frames"


def extract_target(
    target: Path,
    open_detector: Callable[[], Detector],
    *,
    cache_folder: Path | None = None,
    skeleton: str | None = None,
    image_size: tuple[int, int] | None = None,
    frame_rate_hz: float | None = None,
    shortest_track_s: float = SHORTEST_TRACK_S,
    console: Console | None = None,
) -> TargetKeypoints:
    """Get the keypoints of a target of any kind.

    The keypoints of each video are cached as soon as it is done, by its content, the detector's identity and the
    settings. An interrupted run goes on with the video it was at. A second run processes no video again.

    Args:
        target: A folder of videos and keypoint files, or one of them.
        open_detector: Called if there are videos.
        cache_folder: Folder of the cache; None for `default_cache_folder()`.
        skeleton: Joint layout of keypoint files that do not state it.
        image_size: Width and height in pixels, for keypoint files that do not state them.
        frame_rate_hz: Frame rate of keypoint files that do not state it.
        shortest_track_s: Shorter tracks are left out.
        console: Where to show progress; None for stderr.

    Raises:
        BadTarget: if nothing is left; the message has the reason for each video.
        BadOutput: if the cache can't be written; finished videos are kept.
        KeyboardInterrupt: on Ctrl-C; finished videos are kept, and the message says where.
    """
    files = find_target_files(target)
    found = _Found(skipped=list(files.skipped), notes=list(files.notes))
    with ExtractionProgress(len(files), console) as progress:
        for path, video in files.keypoints:
            progress.start(shown(path.name))
            try:
                read = collect_keypoints(path, skeleton=skeleton, image_size=image_size, frame_rate_hz=frame_rate_hz)
                frames = sum(map(len, read.tracks))
                outcome = found.take(
                    shown(path.name), video, VideoKeypoints(read.tracks, frames, read.notes), shortest_track_s
                )
            except (BadKeypoints, BadVideo, UnknownSkeleton) as error:
                found.skipped.append(Skipped(shown(path.name), str(error)))
                outcome = f"skipped: {error}"
            progress.finish(outcome)
        if files.videos:
            detector = open_detector()
            cache = ExtractionCache(cache_folder or default_cache_folder(), identity_on_recordings(detector))
            for path in files.videos:
                progress.start(shown(path.name))
                try:
                    keypoints, cached = _video_keypoints(path, detector, cache, progress, found.notes)
                    outcome = found.take(shown(path.name), path, keypoints, shortest_track_s) + ", cached" * cached
                except BadVideo as error:
                    found.skipped.append(Skipped(shown(path.name), str(error)))
                    outcome = f"skipped: {error}"
                except KeyboardInterrupt as stop:
                    raise KeyboardInterrupt(
                        f"Keypoints of finished videos are kept in {cache.folder}: the same command goes on with "
                        f"{shown(path.name)}."
                    ) from stop
                progress.finish(outcome)
    if not found.tracks:
        reasons = "\n".join(f"  {one.name}: {one.reason}" for one in found.skipped)
        raise BadTarget(f"nothing in {shown(target)} can be adapted to:\n{reasons}")
    return TargetKeypoints(tuple(found.tracks), tuple(found.videos), tuple(found.skipped), tuple(found.notes))


def _video_keypoints(
    video: Path, detector: Detector, cache: ExtractionCache, progress: ExtractionProgress, notes: list[str]
) -> tuple[VideoKeypoints, bool]:
    """The keypoints of a video, and whether they came from the cache."""
    try:
        cached = cache.path(video)
    except OSError as error:
        raise BadVideo(f"{shown(video.name)} can't be read: {error.strerror}") from error
    try:
        known = cache.load(cached, video)
    except BadKeypoints as error:
        try:
            cached.unlink()
        except OSError as problem:
            raise BadOutput(
                f"{cached}, which holds the keypoints of {shown(video.name)}, is damaged and can't be made anew: "
                f"{problem.strerror or problem}. Remove it, or name another cache folder with {CACHE_VARIABLE}."
            ) from error
        notes.append(f"{shown(video.name)}: its file in the cache was damaged and is made anew ({error})")
        known = None
    if known is not None:
        return known, True
    found = extract_keypoints(video, detector, progress.count)
    cache.store(cached, video, found)
    return found, False
