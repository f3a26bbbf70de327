"""One recording to its folder of results: what a worker does. Models are opened once in each process."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from sdk.detectors.detection import Detector
from sdk.detectors.parallel import identity_on_recordings
from sdk.drawing.frame_drawing import draw_frame
from sdk.drawing.video_writer import OverlayWriter
from sdk.errors import AdaptPoseError, BadVideo, CannotStart
from sdk.files.content_hash import content_hash, hash_of_file_or_folder
from sdk.files.input_files import shown
from sdk.files.output_files import naming
from sdk.files.remote_files import fetched, is_remote, remote_identity
from sdk.keypoint_files.keypoint_track import KeypointTrack
from sdk.keypoint_files.reading import collect_keypoints
from sdk.keypoint_files.saved_tracks import save_tracks
from sdk.keypoint_files.track_choice import bystanders_note, choose_tracks
from sdk.lifting.lifter import Lifter
from sdk.lifting.streaming import streaming_path
from sdk.pages.prediction_page import PageRecorder
from sdk.prediction.extraction import VideoKeypoints, extract_keypoints
from sdk.prediction.kept_frames import KeptFrames, with_images
from sdk.prediction.keypoint_poses import poses_of_tracks
from sdk.prediction.result_folder import KEYPOINTS, new_result, read_result, write_summary
from sdk.prediction.settings import (
    PredictionSettings,
    camera_motion_of,
    given_up,
    open_detector_of,
    open_lifter_of,
    open_stream_of,
    processors_of,
)
from sdk.prediction.sources import Source
from sdk.prediction.summary import PredictionSummary, SummaryCounts
from sdk.results.pose_frame import PoseFrame
from sdk.results.processors.upright_recording import UprightRecording
from sdk.skeletons.joint_conversion import inferred_feet_note
from sdk.skeletons.skeleton import Skeleton, find_skeleton
from sdk.video.source import VideoSource, open_video
from sdk.workers.tasks import FrameCounter
from sdk.writers.factory import open_writer

VERSION = 5
"""Increase it when the same recording, models and settings give other files than before."""
POSES, OVERLAY, REPORT = "poses", "overlay.mp4", "report.html"
"""Names in a folder of results; poses have the suffix of their format."""


@dataclass(frozen=True)
class PredictionWork:
    """What a worker is given.

    Attributes:
        source: The recording.
        save: Folder of the results of all recordings.
        settings: How, with absolute paths.
    """

    source: Source
    save: Path
    settings: PredictionSettings


@dataclass(frozen=True)
class Prediction:
    """What a worker returns.

    Attributes:
        summary: What was found.
        worked: False if the results were there already.
    """

    summary: PredictionSummary
    worked: bool


def predict(work: PredictionWork, count: FrameCounter) -> Prediction:
    """Make the folder of a recording's results, unless it is there: of this content, these models and settings.

    Raises:
        CannotStart: a model can't be opened.
        BadVideo, BadKeypoints, UnknownSkeleton, StreamFailed: the recording can't be used.
        BadTarget: something else is in the place of the folder.
        BadOutput: the disk is full, or the place can't be written to.
    """
    source, settings = work.source, work.settings
    folder = work.save / source.name
    beside = None if settings.compare is None else settings.compare / source.name
    identity = _identity(source, settings, beside)
    there = read_result(folder, identity)
    if there is not None:
        return Prediction(there, worked=False)
    with _here(source) as path, new_result(folder) as part:
        if settings.keypoints_only:
            summary = _detect(path, source, settings, part, count)
        elif source.kind == "keypoints":
            summary = _predict_keypoints(path, source, settings, part, beside, count)
        else:
            summary = _predict_video(path, source, settings, part, beside, count)
        write_summary(part, summary, identity)
    return Prediction(summary, worked=True)


@lru_cache(maxsize=1)
def _lifter(settings: PredictionSettings) -> Lifter:
    with _needed_by_all():
        return open_lifter_of(settings)


@lru_cache(maxsize=1)
def _detector(settings: PredictionSettings) -> Detector:
    with _needed_by_all():
        return open_detector_of(settings)


@lru_cache(maxsize=1)
def _lifter_identity(settings: PredictionSettings) -> tuple[str, str]:
    lifter = _lifter(settings)
    streaming = streaming_path(lifter.path)
    return content_hash(lifter.path), content_hash(streaming) if streaming.is_file() else ""


@contextmanager
def _needed_by_all() -> Iterator[None]:
    try:
        yield
    except AdaptPoseError as error:
        raise CannotStart(str(error)) from error


def _identity(source: Source, settings: PredictionSettings, beside: Path | None) -> str:
    """By all that decides the results: content, models, settings; not by names, places or who did the work."""
    try:
        content = [
            remote_identity(one, BadVideo) if is_remote(one) else hash_of_file_or_folder(Path(one))
            for one in (source.path, *([] if source.video is None else [source.video]))
        ]
        compared = "" if beside is None else content_hash(beside / f"{POSES}.npz")
    except OSError as error:
        raise BadVideo(f"{shown(error.filename or source.path)} can't be read: {error.strerror}.") from error
    known = asdict(replace(settings, model=None, compare=None))
    parts = {
        "version": VERSION,
        "content": content,
        "name": source.name if settings.report else "",
        "compared": compared,
        "lifter": None if settings.keypoints_only else _lifter_identity(settings),
        "detector": None if source.kind == "keypoints" else identity_on_recordings(_detector(settings)),
        "settings": {name: value for name, value in known.items() if name not in ("detector", "boxes", "device")},
    }
    return hashlib.blake2b(json.dumps(parts, default=str, sort_keys=True).encode(), digest_size=20).hexdigest()


@contextmanager
def _here(source: Source) -> Iterator[Path]:
    if is_remote(source.path):
        with fetched(source.path, BadVideo) as path:
            yield path
    else:
        yield Path(source.path)


def _detect(
    path: Path, source: Source, settings: PredictionSettings, part: Path, count: FrameCounter
) -> PredictionSummary:
    if source.kind == "keypoints":
        found = _read(path, settings)
    else:
        found = _meant(path, extract_keypoints(path, _detector(settings), count, settings.fps), settings)
    with naming(part / KEYPOINTS):
        save_tracks(part / KEYPOINTS, found.tracks)
    frames = found.frames or 0
    rate = found.frame_rate_hz or (found.tracks[0].frame_rate_hz if found.tracks else 0.0)
    people_at: dict[int, int] = {}
    for track in found.tracks:
        for index in track.frame_indices.tolist():
            people_at[index] = people_at.get(index, 0) + 1
    edges = [] if source.kind == "keypoints" else [-1, frames]
    steps = np.diff(sorted({*people_at, *edges}))
    return PredictionSummary(
        people=len(found.tracks),
        most_at_once=max(people_at.values(), default=0),
        frames=frames,
        duration_s=round(frames / rate, 3) if rate else 0.0,
        poses=sum(map(len, found.tracks)),
        lifted=None,
        bridged=0,
        empty_frames=frames - len(people_at),
        longest_gap_s=round(float(steps.max(initial=1) - 1) / rate, 3) if rate else 0.0,
        faults=0,
        notes=found.notes,
        files=(KEYPOINTS,),
    )


def _read(path: Path, settings: PredictionSettings) -> VideoKeypoints:
    read = collect_keypoints(
        path, skeleton=settings.skeleton, image_size=settings.image_size, frame_rate_hz=settings.fps
    )
    frames = {index for track in read.tracks for index in track.frame_indices.tolist()}
    return _meant(path, VideoKeypoints(read.tracks, len(frames), read.notes), settings)


def _meant(path: Path, found: VideoKeypoints, settings: PredictionSettings) -> VideoKeypoints:
    """Without bystanders; a note says who was left out."""
    tracks = choose_tracks(found.tracks, settings.people)
    if len(tracks) == len(found.tracks):
        return found
    return replace(found, tracks=tracks, notes=(*found.notes, bystanders_note(shown(path.name), found.tracks, tracks)))


def _predict_video(
    path: Path, source: Source, settings: PredictionSettings, part: Path, beside: Path | None, count: FrameCounter
) -> PredictionSummary:
    detector, lifter = _detector(settings), _lifter(settings)
    with (
        open_video(path, fps=settings.fps) as video,
        open_stream_of(
            settings, video, detector, lifter, "all", [] if settings.upright else processors_of(settings)
        ) as stream,
    ):
        outputs = _Outputs(
            settings, part, source, (stream.skeleton, lifter.skeleton), video.image_size, video.frame_rate_hz, beside
        )
        if settings.upright:
            with KeptFrames(part, video.image_size) as kept:
                frames = _upright(stream, kept, settings, path, video.frame_count, count)
                outputs.write(frames, None, lambda frames, total: None)
        else:
            outputs.write(stream, video.frame_count, count)
        return outputs.summary((*_damage(video), *inferred_feet_note(stream.skeleton, lifter.skeleton)))


def _upright(
    stream: Iterable[PoseFrame],
    kept: KeptFrames,
    settings: PredictionSettings,
    video: Path,
    total: int | None,
    count: FrameCounter,
) -> Iterator[PoseFrame]:
    """All of a stream, turned by the vertical and floor of the whole recording; with images where they are wanted."""
    for frames, frame in enumerate(stream, 1):
        kept.add(frame)
        count(frames, total)
    level = UprightRecording(kept, given_up(settings), camera_motion_of(settings))
    processors = processors_of(settings, level)
    for frame in with_images(kept, video, settings.fps) if settings.overlay or settings.report else kept:
        for processor in processors:
            frame = processor.process(frame)
        yield frame


def _damage(video: VideoSource) -> tuple[str, ...]:
    return (f"{video.name}: {video.damage}",) if video.damage else ()


def _predict_keypoints(
    path: Path, source: Source, settings: PredictionSettings, part: Path, beside: Path | None, count: FrameCounter
) -> PredictionSummary:
    lifter, found = _lifter(settings), _read(path, settings)
    if not found.tracks:
        outputs = _Outputs(settings, part, source, (find_skeleton("coco17"), lifter.skeleton), (1, 1), 1.0, beside)
        outputs.write((), 0, count)
        return outputs.summary(found.notes)
    first: KeypointTrack = found.tracks[0]
    film = Path(source.video) if source.video is not None and (settings.overlay or settings.report) else None
    frames = poses_of_tracks(found.tracks, lifter, settings, film, camera_motion_of(settings))
    skeleton = find_skeleton(first.skeleton)
    outputs = _Outputs(
        settings,
        part,
        source,
        (skeleton, lifter.skeleton),
        first.image_size,
        first.frame_rate_hz,
        beside,
        film is not None,
    )
    outputs.write(frames, found.frames if film is None else None, count)
    return outputs.summary((*found.notes, *inferred_feet_note(skeleton, lifter.skeleton)))


class _Outputs:
    """All files of a recording."""

    def __init__(
        self,
        settings: PredictionSettings,
        part: Path,
        source: Source,
        skeletons: tuple[Skeleton, Skeleton],
        image_size: tuple[int, int],
        frame_rate_hz: float,
        beside: Path | None,
        film: bool = True,
    ) -> None:
        skeleton, pose_skeleton = skeletons  # of the 2D and of the 3D
        self._skeleton, self._frame_rate_hz, self._part = skeleton, frame_rate_hz, part
        self._page = (
            PageRecorder(shown(source.name), skeleton, image_size, film=film, beside=beside)
            if settings.report
            else None
        )
        places = [part / f"{POSES}.{suffix}" for suffix in dict.fromkeys(settings.format)]
        self._writers = [open_writer(place, skeleton, image_size, frame_rate_hz, pose_skeleton) for place in places]
        self._overlay = OverlayWriter(part / OVERLAY, frame_rate_hz) if settings.overlay else None
        self._counts, self._people = SummaryCounts(), settings.people

    def write(self, frames: Iterable[PoseFrame], total: int | None, count: FrameCounter) -> None:
        """Write all frames, and close the files."""
        with ExitStack() as open_files:
            for writer in self._writers:
                open_files.enter_context(writer)
            if self._overlay is not None:
                open_files.enter_context(self._overlay)
            for frame in frames:
                for writer in self._writers:
                    writer.write(frame)
                if self._overlay is not None:
                    self._overlay.write(draw_frame(frame, self._skeleton, None), frame.timestamp_s)
                if self._page is not None:
                    self._page.add(frame)
                self._counts.add(frame)
                count(self._counts.frames, total)

    def summary(self, notes: tuple[str, ...]) -> PredictionSummary:
        """Write the page, which has the summary, and return it."""
        names = [path.name for writer in self._writers for path in writer.paths]
        if self._overlay is not None and self._overlay.written:
            names.append(OVERLAY)
        if self._page is not None:
            names.append(REPORT)
        if self._counts.bystanders:
            whom = f"--people {self._people} leaves out {len(self._counts.bystanders)} other people"
            notes = (*notes, f"{whom}, {self._counts.bystanders.total()} times in an image")
        if self._counts.turns_deg >= 1:
            notes = (
                *notes,
                f"the camera's vertical turns by {self._counts.turns_deg:.0f} degrees, and poses are turned upright by "
                "what was told within ten seconds: its tilt changes, or what the lifter tells is wrong",
            )
        summary = self._counts.summary(self._frame_rate_hz, notes, sorted(names))
        if self._page is not None:
            with naming(self._part / REPORT):
                self._page.write(self._part / REPORT, summary.text(), summary.notes)
        return summary
