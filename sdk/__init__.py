"""AdaptPose's SDK: from video or 2D keypoints to 3D poses, without torch.

Names are loaded when they are first used, so `import sdk` is quick and brings neither OpenCV nor ONNX Runtime.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from sdk.version import __version__

if TYPE_CHECKING:
    from sdk.camera.one_euro import OneEuroFilter, Smoothing
    from sdk.camera.pinhole_camera import Pinhole
    from sdk.camera.placement import Placement
    from sdk.detectors.detection import Detections, Detector
    from sdk.detectors.factory import open_detector
    from sdk.detectors.parallel import ParallelDetector
    from sdk.drawing.frame_drawing import draw_frame, draw_people
    from sdk.drawing.live_window import LiveWindow
    from sdk.drawing.video_writer import OverlayWriter
    from sdk.errors import (
        AdaptPoseError,
        BadBodyHeight,
        BadBoxes,
        BadCamera,
        BadDownload,
        BadKeypoints,
        BadLookahead,
        BadModelFile,
        BadMotion,
        BadOutput,
        BadPicture,
        BadTarget,
        BadVideo,
        DeviceUnavailable,
        MissingDependency,
        StreamFailed,
        UnknownChoice,
        UnknownDetector,
        UnknownDevice,
        UnknownMeasurement,
        UnknownPolicy,
        UnknownSkeleton,
    )
    from sdk.files.wheel_data import fetch_package_files
    from sdk.keypoint_files import KeypointTrack, read_keypoints, write_keypoints
    from sdk.lifting.keypoint_lifting import LiftedPerson, lift_keypoint_file
    from sdk.lifting.lifter import LiftedPose, LiftedTrack, Lifter, LifterStream
    from sdk.lifting.model_metadata import LifterMetadata
    from sdk.lifting.windows import ReadyWindow, WindowBuffer
    from sdk.results.pose_frame import LiftStatus, Measurement, PersonPose, PoseFrame, StageTimes
    from sdk.results.processors.base import Processor
    from sdk.results.processors.joint_angles import JointAngles, joint_angles
    from sdk.results.processors.skiing import SkiingMeasures, skiing_measures
    from sdk.skeletons.skeleton import SKELETONS, Skeleton, find_skeleton
    from sdk.stream.delay_statistics import Delays, Percentiles
    from sdk.stream.pose_stream import PoseStream, StreamCounts
    from sdk.tracking.left_right_swap import SideSwapRepair
    from sdk.tracking.person_tracker import PersonTracker, TrackedPerson
    from sdk.video.frame_queue import QueuePolicy
    from sdk.video.pushed_frames import PushedFrames
    from sdk.video.reconnection import Reconnection
    from sdk.video.source import VideoFrame, VideoSource, find_videos, open_video
    from sdk.writers.base import PoseWriter
    from sdk.writers.factory import open_writer
    from sdk.writers.npz_writer import PoseRecorder

_HOMES = {
    "sdk.detectors.detection": ("Detections", "Detector"),
    "sdk.detectors.factory": ("open_detector",),
    "sdk.detectors.parallel": ("ParallelDetector",),
    "sdk.drawing.frame_drawing": ("draw_frame", "draw_people"),
    "sdk.errors": (
        "AdaptPoseError",
        "BadBodyHeight",
        "BadBoxes",
        "BadCamera",
        "BadDownload",
        "BadKeypoints",
        "BadLookahead",
        "BadModelFile",
        "BadMotion",
        "BadOutput",
        "BadPicture",
        "BadTarget",
        "BadVideo",
        "DeviceUnavailable",
        "MissingDependency",
        "StreamFailed",
        "UnknownChoice",
        "UnknownDetector",
        "UnknownDevice",
        "UnknownMeasurement",
        "UnknownPolicy",
        "UnknownSkeleton",
    ),
    "sdk.keypoint_files": ("KeypointTrack", "read_keypoints", "write_keypoints"),
    "sdk.lifting.keypoint_lifting": ("LiftedPerson", "lift_keypoint_file"),
    "sdk.lifting.lifter": ("LiftedPose", "LiftedTrack", "Lifter", "LifterStream"),
    "sdk.lifting.model_metadata": ("LifterMetadata",),
    "sdk.drawing.live_window": ("LiveWindow",),
    "sdk.drawing.video_writer": ("OverlayWriter",),
    "sdk.files.wheel_data": ("fetch_package_files",),
    "sdk.camera.pinhole_camera": ("Pinhole",),
    "sdk.camera.placement": ("Placement",),
    "sdk.writers.npz_writer": ("PoseRecorder",),
    "sdk.stream.pose_stream": ("PoseStream", "StreamCounts"),
    "sdk.results.pose_frame": ("LiftStatus", "Measurement", "PersonPose", "PoseFrame", "StageTimes"),
    "sdk.skeletons.skeleton": ("SKELETONS", "Skeleton", "find_skeleton"),
    "sdk.tracking.person_tracker": ("PersonTracker", "TrackedPerson"),
    "sdk.video.source": ("VideoFrame", "VideoSource", "find_videos", "open_video"),
    "sdk.stream.delay_statistics": ("Delays", "Percentiles"),
    "sdk.video.frame_queue": ("QueuePolicy",),
    "sdk.camera.one_euro": ("OneEuroFilter", "Smoothing"),
    "sdk.results.processors.base": ("Processor",),
    "sdk.results.processors.joint_angles": ("JointAngles", "joint_angles"),
    "sdk.results.processors.skiing": ("SkiingMeasures", "skiing_measures"),
    "sdk.video.pushed_frames": ("PushedFrames",),
    "sdk.video.reconnection": ("Reconnection",),
    "sdk.tracking.left_right_swap": ("SideSwapRepair",),
    "sdk.writers.factory": ("open_writer",),
    "sdk.writers.base": ("PoseWriter",),
    "sdk.lifting.windows": ("ReadyWindow", "WindowBuffer"),
}
_MODULE_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [  # noqa: RUF022  # by subject
    # 2D to 3D
    "Lifter",
    "LifterStream",
    "LiftedPose",
    "lift_keypoint_file",
    "LiftedPerson",
    "LiftedTrack",
    "Placement",
    "Pinhole",
    "LifterMetadata",
    "WindowBuffer",
    "ReadyWindow",
    # video to 3D
    "PoseStream",
    "PoseFrame",
    "PersonPose",
    "LiftStatus",
    "StageTimes",
    "Measurement",
    "StreamCounts",
    "Delays",
    "Percentiles",
    "QueuePolicy",
    "PushedFrames",
    "Reconnection",
    "Smoothing",
    "OneEuroFilter",
    "SideSwapRepair",
    "open_video",
    "find_videos",
    "fetch_package_files",
    "VideoSource",
    "VideoFrame",
    "PersonTracker",
    "TrackedPerson",
    # the application's own step
    "Processor",
    "JointAngles",
    "joint_angles",
    "SkiingMeasures",
    "skiing_measures",
    # results
    "draw_frame",
    "draw_people",
    "LiveWindow",
    "OverlayWriter",
    "PoseRecorder",
    "PoseWriter",
    "open_writer",
    # video to 2D
    "open_detector",
    "Detector",
    "ParallelDetector",
    "Detections",
    "KeypointTrack",
    "read_keypoints",
    "write_keypoints",
    # skeletons
    "SKELETONS",
    "Skeleton",
    "find_skeleton",
    # errors
    "AdaptPoseError",
    "BadBodyHeight",
    "BadBoxes",
    "BadCamera",
    "BadDownload",
    "BadKeypoints",
    "BadLookahead",
    "BadModelFile",
    "BadMotion",
    "BadOutput",
    "BadPicture",
    "BadTarget",
    "BadVideo",
    "DeviceUnavailable",
    "MissingDependency",
    "StreamFailed",
    "UnknownChoice",
    "UnknownDetector",
    "UnknownDevice",
    "UnknownMeasurement",
    "UnknownPolicy",
    "UnknownSkeleton",
    "__version__",
]


def __getattr__(name: str) -> object:
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'sdk' has no attribute {name!r}. It publishes: {', '.join(__all__)}.")
    value = getattr(import_module(_MODULE_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
