"""How poses are made of a video or of keypoints: what `adaptpose-live` and `adaptpose-predict` share. No heavy import
here: `--help` must answer at once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from sdk.camera.camera_motion import CameraMotion
from sdk.errors import BadSetting, MissingContact, MissingVertical
from sdk.tracking.people_choice import PeopleChoice

if TYPE_CHECKING:
    import numpy as np

    from sdk.detectors.detection import Detector
    from sdk.lifting.lifter import Lifter
    from sdk.results.processors.base import Processor
    from sdk.stream.pose_stream import PoseStream
    from sdk.video.frame_queue import QueuePolicy
    from sdk.video.source import VideoSource

Format = Literal["npz", "trc", "bvh", "json", "csv", "c3d"]


@dataclass(frozen=True, kw_only=True)
class PoseSettings:
    """From images to poses."""

    model: Path | None = None
    """The lifter: a run folder of adaptpose-train, an .onnx file, an engine, or a shipped one: fast, base or
    feet. Default: fast."""
    mirrored: bool = False
    """Average each pose with the mirrored pose of the mirrored keypoints: about 1% less error on real detections, for
    twice the computation of the lifter (not of the detector)."""
    field_of_view: float | None = None
    """Field of view of the image's longer side, in degrees. If given, people get their position in the camera."""
    settle_bones: bool = False
    """Let every person's bone lengths settle over time."""
    detector: str = "movenet"
    """The 2D detector: movenet, movenet-fast, mediapipe, rtmpose-m (t, s, m, l, x), rtmw-m (m, l), rtmo-s (s, m, l),
    onnx:PATH.onnx; in mmpose itself: mmpose:rtmpose-m (and its like), mmpose:CONFIG:CHECKPOINT."""
    boxes: str | None = None
    """Detector that finds the people for a top-down --detector (RTMPose, RTMW). Same values as --detector, or yolox-m
    (nano, tiny, s, m, l, x)."""
    det_every: int = 1
    """With a top-down --detector: look for people in every n-th frame only. In between, follow their last poses."""
    people: Annotated[PeopleChoice, tyro.conf.arg(metavar="all|largest|central|N")] = "all"
    """Who is lifted and saved: everybody, the largest or the most central person, or the N largest. The others are
    tracked all the same, so that nobody is mistaken for another, and counted."""
    device: str = "cpu"
    """Device for detector and lifter: cpu, cuda, cuda:N, or auto. An engine always runs in TensorRT. openvino: the
    detector in OpenVINO, which is faster on recent Intel and AMD processors; the lifter stays on the CPU."""
    smooth: bool = True
    """Smooth the poses (One Euro filter)."""
    repair_sides: bool = True
    """Repair left-right swaps of the detector."""
    measure: tuple[Literal["angles", "skiing"], ...] = ()
    """Add joint angles, or estimates of a skier's edge angles, to every person. They are written to .json files."""
    upright: bool = False
    """Turn poses from camera axes to level ones: who stands is drawn and saved standing. The vertical is what the
    lifter tells (--model feet), or --tilt."""
    tilt: Annotated[tuple[float, float] | None, tyro.conf.arg(metavar="PITCH ROLL")] = None
    """With --upright: how far the camera looks down, and how far it is turned clockwise, in degrees."""
    steady_feet: bool = False
    """Hold standing feet in place, and bend the legs to reach them. It needs --model feet (or another that tells which
    feet stand), --upright, and --field-of-view. It adds no delay."""
    fps: float | None = None
    """Frame rate of an image folder, and of a recording that does not state its own; these need it."""


@dataclass(frozen=True, kw_only=True)
class PredictionSettings(PoseSettings):
    """What is made of each recording."""

    format: tuple[Format, ...] = ("npz",)
    """Files of poses: npz (everything), json (AlphaPose's with 3D), csv (a table), or one file a person, y up: trc
    (OpenSim), c3d, bvh (Blender, Unity)."""
    overlay: bool = False
    """Write overlay.mp4: the film with 2D, and 3D beside it."""
    report: bool = False
    """Write report.html: one page that opens offline, with the film, 3D to turn, and joint angles over time."""
    compare: Path | None = None
    """With --report: show an earlier --save folder beside it, such as that of another --model."""
    camera_motion: CameraMotion = "auto"
    """With --upright: whether the camera's tilt changes. still: one vertical for the recording; moving: that of ten
    seconds; auto: moving if the vertical that the lifter tells turns by far. --steady-feet means still."""
    keypoints_only: bool = False
    """Detect only: write keypoints.npz, which read_keypoints and adaptpose-train --target take. Nothing is lifted."""
    skeleton: str | None = None
    """Joint layout of keypoint files that do not state it."""
    image_size: tuple[int, int] | None = None
    """Width and height of the video, in pixels, for keypoint files that do not state it."""


def open_lifter_of(settings: PoseSettings, lookahead: int | str = "offline") -> Lifter:
    """The lifter, for use beside a detector.

    Raises:
        AdaptPoseError: see `Lifter`.
        MissingVertical, MissingContact: it does not tell what --upright or --steady-feet need.
    """
    from sdk.lifting.lifter import Lifter
    from sdk.runtime.sessions import ENGINE_SUFFIX

    engine = settings.model is not None and settings.model.suffix == ENGINE_SUFFIX
    device = "tensorrt" if engine else "cpu" if settings.device == "openvino" else settings.device
    lifter = Lifter(settings.model, lookahead=lookahead, mirrored=settings.mirrored, device=device, threads=1)
    if settings.steady_feet and not lifter.metadata.tells_more:
        raise MissingContact(
            f"{lifter.path} does not tell which feet stand, so --steady-feet can't hold them: take --model feet."
        )
    if settings.upright and settings.tilt is None and not lifter.metadata.tells_more:
        raise MissingVertical(
            f"{lifter.path} does not tell which way is up: take --model feet, or give the camera's tilt "
            "(--tilt PITCH ROLL)."
        )
    return lifter


def open_detector_of(settings: PoseSettings) -> Detector:
    """The 2D detector.

    Raises:
        AdaptPoseError: see `open_detector`.
    """
    from sdk.detectors import factory

    return factory.open_detector(
        settings.detector, boxes=settings.boxes, device=settings.device, det_every=settings.det_every
    )


def open_stream_of(
    settings: PoseSettings,
    video: VideoSource,
    detector: Detector,
    lifter: Lifter,
    policy: QueuePolicy | None = None,
    processors: Sequence[Processor] | None = None,
) -> PoseStream:
    """The stream of a video's poses. It closes the video. Its processors are those of the settings if none are given.

    Raises:
        AdaptPoseError: see `PoseStream`.
    """
    from sdk.camera.one_euro import Smoothing
    from sdk.camera.pinhole_camera import Pinhole
    from sdk.stream.pose_stream import PoseStream

    return PoseStream(
        video,
        detector,
        lifter,
        policy=policy,
        smoothing=Smoothing() if settings.smooth else None,
        repair_sides=settings.repair_sides,
        camera=None if settings.field_of_view is None else Pinhole.of_field_of_view(settings.field_of_view),
        settle_bones=settings.settle_bones,
        processors=processors_of(settings) if processors is None else processors,
        people=settings.people,
    )


def processors_of(settings: PoseSettings, level: Processor | None = None) -> list[Processor]:
    """The processors that --upright, --steady-feet and --measure name.

    Args:
        settings: The settings.
        level: What turns poses upright; None for `Upright`, which knows the frames so far.

    Raises:
        BadSetting: --tilt or --steady-feet is there without what it needs.
    """
    from sdk.results.processors.joint_angles import JointAngles
    from sdk.results.processors.skiing import SkiingMeasures
    from sdk.results.processors.steady_feet import SteadyFeet
    from sdk.results.processors.upright import Upright

    if settings.tilt is not None and not settings.upright:
        raise BadSetting("--tilt says how the camera stands: add --upright, which turns poses by it.")
    if settings.tilt is not None and not all(abs(degrees) <= 180 for degrees in settings.tilt):
        raise BadSetting(
            f"--tilt is {settings.tilt[0]:g} {settings.tilt[1]:g}; it must be two angles in degrees, from -180 to 180."
        )
    if settings.steady_feet and not (settings.upright and settings.field_of_view is not None):
        raise BadSetting(
            "--steady-feet holds feet in place on level ground: add --upright, and --field-of-view DEGREES, which "
            "places people in the room."
        )
    first: list[Processor] = [level or Upright(given_up(settings))] if settings.upright else []
    first += [SteadyFeet()] if settings.steady_feet else []
    known: dict[str, type[JointAngles] | type[SkiingMeasures]] = {"angles": JointAngles, "skiing": SkiingMeasures}
    return [*first, *(known[word]() for word in settings.measure)]


def given_up(settings: PoseSettings) -> np.ndarray | None:
    """(3,) up in camera axes, by --tilt; None without it."""
    from sdk.results.processors.upright import up_of_tilt

    return None if settings.tilt is None else up_of_tilt(*(math.radians(degrees) for degrees in settings.tilt))


def camera_motion_of(settings: PredictionSettings) -> CameraMotion:
    """Whether the camera moves, by --camera-motion and by what --steady-feet needs."""
    return "still" if settings.steady_feet else settings.camera_motion
