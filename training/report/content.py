"""The content of a report: plain values, filled in by the adaptation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from sdk.errors import BadKeypoints
from sdk.skeletons.skeleton import H36M16, H36M20

JOINTS = len(H36M16)


@dataclass(frozen=True)
class MetricRow:
    """One number before and after the adaptation. None may claim accuracy on the target, because it has no labels.

    Attributes:
        name: What is measured, and on what: `Error on held-out source motion (MPJPE)`.
        unit: `mm`, `%`, `px`; may be empty.
        before: Value of the lifter that the run started from; None if there is none.
        after: Value of the adapted lifter; None if there is none.
        note: How to read the number, one sentence.
        better: Which direction is better; empty if neither.
    """

    name: str
    unit: str
    before: float | None
    after: float | None
    note: str = ""
    better: Literal["lower", "higher", ""] = "lower"


@dataclass(frozen=True)
class TargetSample:
    """One frame of the target: its 2D, and its 3D before and after the adaptation.

    Attributes:
        name: The track, `<video name>#<track id>`.
        video: The video file or folder of images; None if the target is keypoints only.
        frame_index: Frame of the video, from 0.
        timestamp_s: Time of that frame in the video, from the track.
        image_size: Width and height in pixels.
        keypoints_px: (J, 2) pixels, H36M-16 or H36M-20; joints that are not finite are not drawn.
        joints_before_m: (J, 3) metres, root-relative, camera axes (x right, y down, z forward).
        joints_after_m: (J, 3), in the same form.
    """

    name: str
    video: Path | None
    frame_index: int
    timestamp_s: float
    image_size: tuple[int, int]
    keypoints_px: np.ndarray
    joints_before_m: np.ndarray
    joints_after_m: np.ndarray

    def __post_init__(self) -> None:
        what = f"target sample {self.name!r}"
        joints = _joints(self.joints_after_m)
        _check_shape(what, self.keypoints_px, (joints, 2))
        _check_poses(what, self.joints_before_m, (joints, 3))
        _check_poses(what, self.joints_after_m, (joints, 3))


@dataclass(frozen=True)
class TargetClip:
    """A part of one track (about 100 frames), played beside its 3D before and after the adaptation.

    Attributes:
        name: The track, `<video name>#<track id>`.
        video: The video file or folder of images; None if the target is keypoints only.
        frame_indices: (T,) frame of the video for each pose, from 0, not decreasing.
        timestamps_s: (T,) times of those frames in the video, from the track.
        image_size: Width and height in pixels.
        keypoints_px: (T, J, 2) pixels, H36M-16 or H36M-20; joints that are not finite are not drawn.
        joints_before_m: (T, J, 3) metres, root-relative, camera axes.
        joints_after_m: (T, J, 3), in the same form.
    """

    name: str
    video: Path | None
    frame_indices: np.ndarray
    timestamps_s: np.ndarray
    image_size: tuple[int, int]
    keypoints_px: np.ndarray
    joints_before_m: np.ndarray
    joints_after_m: np.ndarray

    def __post_init__(self) -> None:
        what, frames, joints = f"target clip {self.name!r}", len(self.frame_indices), _joints(self.joints_after_m)
        _check_shape(what, self.frame_indices, (frames,))
        _check_shape(what, self.timestamps_s, (frames,))
        _check_shape(what, self.keypoints_px, (frames, joints, 2))
        _check_poses(what, self.joints_before_m, (frames, joints, 3))
        _check_poses(what, self.joints_after_m, (frames, joints, 3))

    def __len__(self) -> int:
        return len(self.frame_indices)


@dataclass(frozen=True)
class Viewpoints:
    """Camera viewpoints of three sets of poses: (N, 3) radians each, from `body_viewpoint`.

    Attributes:
        source: Source motion with its own cameras.
        generated: What the lifter learns from in place of the source motion.
        target: Target poses, as the adapted lifter estimates them.
    """

    source: np.ndarray
    generated: np.ndarray
    target: np.ndarray

    def __post_init__(self) -> None:
        for name in ("source", "generated", "target"):
            angles = getattr(self, name)
            _check_shape(f"{name} viewpoints", angles, (len(angles), 3))


@dataclass(frozen=True)
class MotionPair:
    """A source motion and the generated motion made from it, in camera axes, in metres.

    Attributes:
        name: The clip it comes from.
        source_m: (T, J, 3) of H36M-16 or H36M-20; T is 27 in most cases.
        generated_m: (T, J, 3).
        frame_rate_hz: Frame rate of both.
    """

    name: str
    source_m: np.ndarray
    generated_m: np.ndarray
    frame_rate_hz: float

    def __post_init__(self) -> None:
        shape = (len(self.source_m), _joints(self.generated_m), 3)
        _check_poses(f"source motion {self.name!r}", self.source_m, shape)
        _check_poses(f"motion generated from {self.name!r}", self.generated_m, shape)


CurveGroup = Literal["generator", "discriminators", "feedback", "lifter", "selection", "choice"]
"""The plot that a curve belongs to; `report.curves` has the titles."""


@dataclass(frozen=True)
class LossCurve:
    """One value over the steps of the training.

    Attributes:
        name: Label in the legend.
        group: The plot that it belongs to.
        steps: (N,) training step of each value.
        values: (N,); NaN leaves a gap.
    """

    name: str
    group: CurveGroup
    steps: np.ndarray
    values: np.ndarray

    def __post_init__(self) -> None:
        for numbers in (self.steps, self.values):
            _check_shape(f"curve {self.name!r}", numbers, (len(self.steps),))


@dataclass(frozen=True)
class TargetVideo:
    """A video (or keypoint file) of the target that the adaptation used.

    Attributes:
        name: File name.
        tracks: Number of tracks in it.
        frames: Poses of all tracks together.
        seconds: Time covered by all tracks together.
        expected_error_mm: Error that the adapted lifter expects of itself there; None if it tells none.
        least_sure: Joints of which it is least sure, in words.
    """

    name: str
    tracks: int
    frames: int
    seconds: float
    expected_error_mm: float | None = None
    least_sure: str = ""


@dataclass(frozen=True)
class SkippedVideo:
    """A video (or keypoint file, or track) that was not used, and why."""

    name: str
    reason: str


@dataclass(frozen=True)
class ReportContent:
    """Everything that the report of one run shows. For an empty part the report says so; it is never silently left out.

    Attributes:
        title: Name of the run.
        command: The command line that made it.
        config: Settings, in the order to show them.
        versions: Package name to version.
        seed: Seed of the run.
        machine: Processor, accelerator and system, in one line.
        minutes: Minutes from start to end.
        finished_at: Local date and time, `2025-03-01 14:05`.
        metrics: The table at the top.
        samples: A few target frames.
        clip: The part of the target to play.
        viewpoints: Camera viewpoints of the three sets.
        motions: A few generated motions beside their source.
        curves: Losses and other values of the training.
        videos: Videos of the target.
        whom: Which people of the target were taken, in words.
        skipped: What was left out of the target.
        warnings: What the user must know, one sentence each.
    """

    title: str
    command: str
    config: Mapping[str, object]
    versions: Mapping[str, str]
    seed: int
    machine: str
    minutes: float
    finished_at: str = ""
    metrics: tuple[MetricRow, ...] = ()
    samples: tuple[TargetSample, ...] = ()
    clip: TargetClip | None = None
    viewpoints: Viewpoints | None = None
    motions: tuple[MotionPair, ...] = ()
    curves: tuple[LossCurve, ...] = ()
    videos: tuple[TargetVideo, ...] = ()
    whom: str = ""
    skipped: tuple[SkippedVideo, ...] = ()
    warnings: tuple[str, ...] = ()


def _joints(joints_m: np.ndarray) -> int:
    """20 of poses with feet; 16 of any others, right or wrong."""
    return len(H36M20) if np.shape(joints_m)[-2:-1] == (len(H36M20),) else JOINTS


def _check_shape(what: str, values: np.ndarray, shape: tuple[int, ...]) -> None:
    if np.shape(values) != shape:
        raise BadKeypoints(f"{what}: an array of shape {np.shape(values)} where {shape} is needed.")


def _check_poses(what: str, joints_m: np.ndarray, shape: tuple[int, ...]) -> None:
    _check_shape(what, joints_m, shape)
    if not np.isfinite(joints_m).all():
        raise BadKeypoints(f"{what}: 3D joints that are not finite numbers.")
