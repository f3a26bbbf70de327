"""Gets the target's 2D keypoints: from videos, from the cache or from keypoint files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
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
from sdk.keypoint_files.track_choice import bystanders_note, choose_tracks, people_at_once
from sdk.prediction.extraction import VideoKeypoints, extract_keypoints
from sdk.prediction.target_files import TargetFiles, find_target_files, recording_name
from sdk.tracking.people_choice import PeopleChoice, check_people, describe
from sdk.workers.progress import WorkProgress
from sdk.workers.running import WorkerSettings, run_tasks
from sdk.workers.tasks import FrameCounter, Task
from training.files.cache_folder import default_cache_folder
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
        recordings: The recording of each track, by its number.
    """

    tracks: tuple[KeypointTrack, ...]
    videos: tuple[Path | None, ...]
    skipped: tuple[Skipped, ...]
    notes: tuple[str, ...]
    recordings: tuple[str, ...]


@dataclass(frozen=True)
class _Kept:
    """What is used of a video or file: tracks and notes; or why nothing is. `text` says it in a few words.

    `seen` has the number of people at once, the poses of those who are meant, and all poses.
    """

    name: str
    text: str
    video: Path | None = None
    tracks: tuple[KeypointTrack, ...] = ()
    notes: tuple[str, ...] = ()
    seen: tuple[int, int, int] = (0, 0, 0)


@dataclass(frozen=True)
class _Wanted:
    """Which tracks are used: those of the people who are meant that are long enough."""

    people: PeopleChoice
    shortest_s: float


def _whom(people: PeopleChoice, seen: Sequence[tuple[int, int, int]]) -> str | None:
    """A sentence on who was taken, where there was a choice; `seen` is that of each recording, as in `_Kept`."""
    most = max((at_once for at_once, _, _ in seen), default=0)
    if people == "all" and most < 2:
        return None
    if people == "all":
        files = sum(at_once > 1 for at_once, _, _ in seen)
        return (
            f"In {files} of {len(seen)} recordings several people are seen at once, up to {most}, and all of them are "
            "adapted to. If some are bystanders: --people largest, central, or a number."
        )
    theirs, of = sum(taken for _, taken, _ in seen), sum(of for _, _, of in seen)
    whom = f"{describe(people)} of up to {most} people at once"
    return f"--people {people}: {whom}; {theirs} of all {of} poses are theirs."


def extract_target(
    target: Path,
    open_detector: Callable[[], Detector],
    *,
    cache_folder: Path | None = None,
    skeleton: str | None = None,
    image_size: tuple[int, int] | None = None,
    frame_rate_hz: float | None = None,
    shortest_track_s: float = SHORTEST_TRACK_S,
    workers: WorkerSettings = WorkerSettings(),  # noqa: B008  # frozen
    people: PeopleChoice = "all",
    console: Console | None = None,
) -> TargetKeypoints:
    """Get the keypoints of a target of any kind.

    The keypoints of each video are cached as soon as it is done, by its content, the detector's identity and the
    settings. An interrupted run goes on with the videos that are not. The result does not depend on who works, nor on
    which video is done first.

    Args:
        target: A folder of videos and keypoint files, or one of them.
        open_detector: Called if there are videos. With several workers it is pickled.
        cache_folder: Folder of the cache; None for `default_cache_folder()`.
        skeleton: Joint layout of keypoint files that do not state it.
        image_size: Width and height in pixels, for keypoint files that do not state them.
        frame_rate_hz: Frame rate of keypoint files that do not state it.
        shortest_track_s: Shorter tracks are left out.
        workers: Who detects.
        people: Whom to adapt to; see `choose_tracks`. The cache holds everybody, so another choice needs no detector.
        console: Where to show progress; None for stderr.

    Raises:
        BadTarget: if nothing is left; the message has the reason for each video.
        BadOutput: if the cache can't be written; finished videos are kept.
        KeyboardInterrupt: on Ctrl-C; finished videos are kept, and the message says where.
    """
    wanted = _Wanted(check_people(people), shortest_track_s)
    files = find_target_files(target)
    kept: dict[Path, _Kept] = {}
    with WorkProgress(len(files), console) as progress:
        for path, video in files.keypoints:
            name = shown(recording_name(path, target))
            try:
                read = collect_keypoints(path, skeleton=skeleton, image_size=image_size, frame_rate_hz=frame_rate_hz)
                found = VideoKeypoints(read.tracks, sum(map(len, read.tracks)), read.notes)
                kept[path] = _judged(name, video, found, wanted)
            except (BadKeypoints, BadVideo, UnknownSkeleton) as error:
                kept[path] = _skipped(name, str(error))
            progress.finish(kept[path].text, name, worked=False)
        notes: list[str] = []
        if files.videos:
            try:
                cache = ExtractionCache(
                    cache_folder or default_cache_folder(), identity_on_recordings(_detector_of(open_detector))
                )
                new = _take_known(files.videos, cache, kept, notes, wanted, progress)
                _extract_new(new, cache, open_detector, workers, kept, wanted, progress)
            finally:
                _detector_of.cache_clear()
    return _together(target, files, kept, notes, people)


def _take_known(
    videos: Iterable[Path],
    cache: ExtractionCache,
    kept: dict[Path, _Kept],
    notes: list[str],
    wanted: _Wanted,
    progress: WorkProgress,
) -> dict[Path, Path]:
    """Keep what the cache has. Returns the other videos, with the places of their cache files."""
    new = {}
    for video in videos:
        name = shown(video.name)
        try:
            place, known = _known(video, cache, notes)
        except BadVideo as error:
            kept[video] = _skipped(name, str(error))
            progress.finish(kept[video].text, name, worked=False)
            continue
        if known is None:
            new[video] = place
        else:
            kept[video] = _judged(name, video, known, wanted)
            progress.finish(f"{kept[video].text}, cached", name, worked=False)
    return new


def _extract_new(
    new: dict[Path, Path],
    cache: ExtractionCache,
    open_detector: Callable[[], Detector],
    workers: WorkerSettings,
    kept: dict[Path, _Kept],
    wanted: _Wanted,
    progress: WorkProgress,
) -> None:
    """Detect in the videos that the cache does not have, and put what is found there."""
    if workers.address is not None or (workers.workers or 1) > 1:
        _detector_of.cache_clear()  # each worker has its own
    by_name = {video.name: video for video in new}
    tasks = [Task(video.name, _Extraction(video, open_detector)) for video in new]
    try:
        for outcome in run_tasks(_extract, tasks, workers, progress):
            video = by_name[outcome.name]
            name = shown(video.name)
            if outcome.result is None:
                kept[video] = _skipped(name, outcome.error)
            else:
                cache.store(new[video], video, outcome.result)
                kept[video] = _judged(name, video, outcome.result, wanted)
            progress.finish(kept[video].text, name)
    except KeyboardInterrupt as stop:
        left = next((shown(video.name) for video in new if video not in kept), "the training")
        raise KeyboardInterrupt(
            f"Keypoints of finished videos are kept in {cache.folder}: the same command goes on with {left}."
        ) from stop


@dataclass(frozen=True)
class _Extraction:
    """What a worker is given."""

    video: Path
    open_detector: Callable[[], Detector]


def _extract(work: _Extraction, count: FrameCounter) -> VideoKeypoints:
    return extract_keypoints(work.video, _detector_of(work.open_detector), count)


@lru_cache(maxsize=1)
def _detector_of(open_detector: Callable[[], Detector]) -> Detector:
    """A worker opens its detector once, not for each video."""
    return open_detector()


def _known(video: Path, cache: ExtractionCache, notes: list[str]) -> tuple[Path, VideoKeypoints | None]:
    """The place of a video's cache file, and what it has; None if it is to be made."""
    try:
        cached = cache.path(video)
    except OSError as error:
        raise BadVideo(f"{shown(video.name)} can't be read: {error.strerror}") from error
    try:
        return cached, cache.load(cached, video)
    except BadKeypoints as error:
        try:
            cached.unlink()
        except OSError as problem:
            raise BadOutput(
                f"{cached}, which holds the keypoints of {shown(video.name)}, is damaged and can't be made anew: "
                f"{problem.strerror or problem}. Remove it, or name another cache folder with {CACHE_VARIABLE}."
            ) from error
        notes.append(f"{shown(video.name)}: its file in the cache was damaged and is made anew ({error})")
        return cached, None


def _judged(name: str, video: Path | None, found: VideoKeypoints, wanted: _Wanted) -> _Kept:
    """The tracks of those who are meant that are long enough."""
    shortest_s, meant = wanted.shortest_s, choose_tracks(found.tracks, wanted.people)
    seen = people_at_once(found.tracks), sum(map(len, meant)), sum(map(len, found.tracks))
    if len(meant) < len(found.tracks):
        found = replace(found, tracks=meant, notes=(*found.notes, bystanders_note(name, found.tracks, meant)))
    tracks = tuple(track for track in found.tracks if track.duration_s >= shortest_s)
    short = len(found.tracks) - len(tracks)
    if not tracks:
        longest = max((track.duration_s for track in found.tracks), default=0.0)
        reason = (
            f"no person was seen for {shortest_s:g} s or longer; the longest of {short} tracks is {longest:.2f} s"
            if short
            else "no person found" + (f" in {found.frames} frames" if found.frames else "")
        )
        if found.notes:  # if all people of a file were left out, the notes say why
            reason += f" ({'; '.join(found.notes)})"
        return _Kept(name, reason, seen=seen)
    notes = found.notes
    if short:
        left_out = f"{name}: {short} of {len(found.tracks)} tracks left out, shorter than {shortest_s:g} s"
        notes = (*notes, left_out)
    text = f"{len(tracks)} tracks, {sum(map(len, tracks))} poses in {found.frames} frames"
    return _Kept(name, text, video, tracks, notes, seen)


def _skipped(name: str, reason: str) -> _Kept:
    return _Kept(name, f"skipped: {reason}")


def _together(
    target: Path, files: TargetFiles, kept: dict[Path, _Kept], notes: Sequence[str], people: PeopleChoice
) -> TargetKeypoints:
    """All that is kept, in the order of the files."""
    used = [kept[path] for path in (*(path for path, _ in files.keypoints), *files.videos)]
    skipped = [*files.skipped, *(Skipped(k.name, k.text.removeprefix("skipped: ")) for k in used if not k.tracks)]
    tracks = [track for one in used for track in one.tracks]
    if not tracks:
        reasons = "\n".join(f"  {one.name}: {one.reason}" for one in skipped)
        raise BadTarget(f"nothing in {shown(target)} can be adapted to:\n{reasons}")
    videos = [one.video for one in used for _ in one.tracks]
    all_notes = (*files.notes, *notes, *(note for one in used for note in one.notes))
    if whom := _whom(people, [one.seen for one in used]):
        all_notes = (*all_notes, whom)
    recordings = [str(number) for number, one in enumerate(used) for _ in one.tracks]
    return TargetKeypoints(tuple(tracks), tuple(videos), tuple(skipped), all_notes, tuple(recordings))
