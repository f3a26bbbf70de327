"""Gathers the content of the report from a finished adaptation."""

from __future__ import annotations

import dataclasses
import platform
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch

from sdk.keypoint_files.keypoint_track import KeypointTrack
from sdk.lifting.model_metadata import LifterMetadata
from sdk.lifting.windows import prepare_keypoints, sample_windows
from sdk.skeletons.joint_conversion import to_pose_joints
from sdk.tracking.people_choice import describe
from sdk.version import __version__
from training.adaptation.model_choice import ModelChoice
from training.adaptation.step import Adaptation
from training.cameras.random_cameras import CameraWindows
from training.cameras.source_validation import source_errors_mm
from training.geometry.camera import root_relative
from training.lifter.lifter import TemporalLifter
from training.motion_model.source_motion import SourceMotion
from training.report import (
    LossCurve,
    MotionPair,
    ReportContent,
    SkippedVideo,
    TargetClip,
    TargetSample,
    Viewpoints,
    body_viewpoint,
)
from training.report.metric_rows import Errors, earlier_rows, metric_rows
from training.report.target_videos import target_videos
from training.runs.progress import History
from training.runs.run_folder import RunFolder
from training.settings.adapt import Adapt
from training.settings.method_choice import run_method
from training.target.earlier_targets import EARLIER, NEW, EarlierTargets
from training.target.target_keypoints import TargetKeypoints
from training.target.target_windows import TargetWindows

_SAMPLES = 6
_CLIP_FRAMES = 100
_MOTIONS = 4
_VIEWPOINTS = 1024
_LIFT_AT_ONCE = 1024
_SOURCE_NOTES = 10
_LITTLE_TARGET_S = 60.0
_LITTLE_GAIN = 0.97
"""Inconsistency, relative to the start, above which little was gained. Where the truth is known, errors fell by some
0.7 times what it fell."""
_FORGOTTEN_MM = 3.0
_CURVE_GROUPS: dict[str, Any] = {
    "generator": "generator",
    "discriminator": "discriminators",
    "lifter": "lifter",
    "selection": "selection",
    "choice": "choice",
}


@dataclass(frozen=True)
class RunFacts:
    """A finished run.

    Attributes:
        run: Folder of the run.
        config: Settings of the run.
        metadata: Metadata of the lifter.
        target: Keypoints that it adapted to.
        target_windows: The same keypoints as the lifter sees them.
        source: Source motion.
        before: The lifter at the start.
        after: The adapted lifter.
        adaptation: Networks of the run; it makes the examples.
        choice: Which lifter the run ended with.
        held_out: Held-out motion, by name.
        history: Values over the steps.
        minutes: Minutes from start to end; of this session only, if the run was resumed.
        earlier: The earlier targets, if the run continued another.
        consistency: Self-consistency on this target and on the earlier ones, `before` and `after`, by name.
    """

    run: RunFolder
    config: Adapt
    metadata: LifterMetadata
    target: TargetKeypoints
    target_windows: TargetWindows
    source: SourceMotion
    before: TemporalLifter
    after: TemporalLifter
    adaptation: Adaptation
    choice: ModelChoice
    held_out: Mapping[str, CameraWindows]
    history: History
    minutes: float
    earlier: EarlierTargets | None = None
    consistency: Mapping[str, Mapping[str, Mapping[str, float]]] = dataclasses.field(default_factory=dict)


def report_content(facts: RunFacts) -> ReportContent:
    """Everything the report shows."""
    windows = facts.target_windows
    source_mm = {
        name: [
            source_errors_mm(network, held_out, facts.metadata.normalisation) for network in (facts.before, facts.after)
        ]
        for name, held_out in facts.held_out.items()
    }
    viewpoints, motions = _generated(facts)
    method = run_method(facts.config)
    return ReportContent(
        title=facts.run.path.name,
        command=shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        config=dataclasses.asdict(facts.config) | dataclasses.asdict(method),
        versions={"adaptpose": __version__, "python": platform.python_version()}
        | {name: version(name) for name in ("torch", "numpy", "onnx", "onnxruntime")},
        seed=facts.config.seed,
        machine=f"{facts.adaptation.teacher.device}, {torch.get_num_threads()} threads, {platform.platform()}",
        minutes=facts.minutes,
        finished_at=datetime.now().strftime("%Y-%m-%d %H:%M"),
        metrics=(
            *metric_rows(source_mm, facts.consistency[NEW]),
            *(earlier_rows(facts.earlier.names, facts.consistency[EARLIER]) if facts.earlier else ()),
        ),
        samples=_samples(facts),
        clip=_clip(facts),
        viewpoints=viewpoints,
        motions=motions,
        curves=_curves(facts.history),
        videos=target_videos(facts.target.tracks, windows, facts.after),
        whom=f"{describe(facts.config.people)} (--people {facts.config.people})",
        skipped=(
            *(SkippedVideo(one.name, one.reason) for one in facts.target.skipped),
            *(SkippedVideo(f"source: {one.name}", one.reason) for one in facts.source.skipped),
        ),
        warnings=_warnings(facts, source_mm),
    )


def _warnings(facts: RunFacts, source_mm: Errors) -> tuple[str, ...]:
    said = [*facts.target.notes, *facts.source.notes[:_SOURCE_NOTES]]
    if len(facts.source.notes) > _SOURCE_NOTES:  # one for each BVH and AMC file
        said.append(
            f"Notes on source files, {len(facts.source.notes) - _SOURCE_NOTES} more of them, are in "
            f"{facts.run.skipped.name}."
        )
    seconds = len(facts.target_windows) / facts.metadata.frame_rate_hz
    if seconds < _LITTLE_TARGET_S:
        said.append(
            f"The target holds {seconds:.0f} s of people in all. That is little to learn from: more videos of the same "
            "people, activity and cameras make the adaptation more reliable."
        )
    if not facts.choice.helped:
        best = min(value for _, value in facts.choice.seen)
        said.append(
            "Adaptation did not help: on your videos, no checkpoint of this run is more self-consistent than the start "
            f"(the best has {best:.2f} times its inconsistency). The lifter in this run is the one it started from, "
            "unchanged. More source motion of the kind you film (--source) or more videos may change that."
        )
    elif facts.choice.inconsistency > _LITTLE_GAIN:
        said.append(
            "Little was gained: on your videos the lifter contradicts itself nearly as much as before "
            f"({facts.choice.inconsistency:.2f} times). What helps is more video, from other sides and of other "
            "movements, or a detector whose 2D is better (--detector)."
        )
    if facts.config.height is None:
        said.append(
            "No height was stated (--height 1.71): 2D does not show how large people are. Of the two people it was "
            "checked on, poses came out 5 and 11% too large."
        )
    for name, errors in source_mm.items():
        before, after = (one["validation/mpjpe_mm"] for one in errors)
        if after <= before + _FORGOTTEN_MM:
            continue
        said.append(
            f"The error on held-out {name} rose from {before:.1f} to {after:.1f} mm: the lifter forgot some "
            "of what it knew. Compare both lifters on your video before you use the adapted one; more source motion "
            "(--source) or fewer --steps help."
        )
    return tuple(said)


def _lift(network: TemporalLifter, windows: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        return torch.cat([network(part) for part in windows.split(_LIFT_AT_ONCE)])


def _lift_track(
    network: TemporalLifter, track: KeypointTrack, frames: np.ndarray, metadata: LifterMetadata
) -> np.ndarray:
    prepared = prepare_keypoints(track.keypoints_px, track.image_size, track.skeleton, metadata)
    windows = sample_windows(prepared, track.timestamps_s, track.timestamps_s[frames], metadata)
    return _lift(network, torch.from_numpy(windows)).numpy()


def _samples(facts: RunFacts) -> tuple[TargetSample, ...]:
    """Frames spread evenly over all tracks, placed one after another."""
    tracks = facts.target.tracks
    ends = np.cumsum([len(track) for track in tracks])
    chosen = []
    for place in np.linspace(0, ends[-1] - 1, _SAMPLES + 2).round().astype(int)[1:-1]:
        number = int(np.searchsorted(ends, place, side="right"))
        track = tracks[number]
        frame = np.array([place - (ends[number] - len(track))])
        before, after = (
            _lift_track(network, track, frame, facts.metadata)[0] for network in (facts.before, facts.after)
        )
        chosen.append(
            TargetSample(
                track.name,
                facts.target.videos[number],
                int(track.frame_indices[frame[0]]),
                float(track.timestamps_s[frame[0]]),
                track.image_size,
                to_pose_joints(track.keypoints_px[frame[0]], track.skeleton, facts.metadata.skeleton),
                before,
                after,
            )
        )
    return tuple(chosen)


def _clip(facts: RunFacts) -> TargetClip:
    """The middle of the longest track."""
    number = max(range(len(facts.target.tracks)), key=lambda i: len(facts.target.tracks[i]))
    track = facts.target.tracks[number]
    first = max(0, (len(track) - _CLIP_FRAMES) // 2)
    frames = np.arange(first, min(first + _CLIP_FRAMES, len(track)))
    before, after = (_lift_track(network, track, frames, facts.metadata) for network in (facts.before, facts.after))
    return TargetClip(
        track.name,
        facts.target.videos[number],
        track.frame_indices[frames],
        track.timestamps_s[frames],
        track.image_size,
        to_pose_joints(track.keypoints_px[frames], track.skeleton, facts.metadata.skeleton),
        before,
        after,
    )


def _generated(facts: RunFacts) -> tuple[Viewpoints, tuple[MotionPair, ...]]:
    random = torch.Generator().manual_seed(facts.config.seed)
    source, fakes = facts.adaptation.examples(_VIEWPOINTS, random)
    windows = facts.target_windows
    centres = windows.centres(max(1, len(windows) // 20_000))
    centres = centres[torch.linspace(0, len(centres) - 1, min(_VIEWPOINTS, len(centres))).long()]
    viewpoints = Viewpoints(
        body_viewpoint(source.middle_pose_m.numpy()),
        body_viewpoint(fakes.middle_pose_m.numpy()),
        body_viewpoint(_lift(facts.after, windows.at(centres)).numpy()),
    )
    motions = tuple(
        MotionPair(
            f"example {i + 1}",
            root_relative(source.joints_m[i]).numpy(),
            root_relative(fakes.joints_m[i]).numpy(),
            facts.metadata.frame_rate_hz,
        )
        for i in range(_MOTIONS)
    )
    return viewpoints, motions


def _curves(history: History) -> tuple[LossCurve, ...]:
    curves = []
    for name, (steps, values) in history.curves().items():
        group, _, label = name.partition("/")
        feedback = label.startswith("hard_ratio")
        curves.append(
            LossCurve(label.replace("_", " "), "feedback" if feedback else _CURVE_GROUPS[group], steps, values)
        )
    return tuple(curves)
