"""AdaptPose's SDK: from video or 2D keypoints to 3D poses, without torch.

Names are loaded when they are first used, so `import sdk` is quick and brings neither OpenCV nor ONNX Runtime.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from sdk.version import __version__

if TYPE_CHECKING:
    from sdk.delay_statistics import Delays, Percentiles
    from sdk.detectors.detection import Detections, Detector
    from sdk.detectors.opening import open_detector
    from sdk.detectors.side_by_side import SharedLook
    from sdk.drawing import draw_frame, draw_people
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
    from sdk.formats import KeypointTrack, read_keypoints, write_keypoints
    from sdk.frame_queue import QueuePolicy
    from sdk.keypoint_lifting import LiftedPerson, lift_keypoint_file
    from sdk.lifter import LiftedPose, LiftedTrack, Lifter, LifterStream
    from sdk.lifter_card import LifterCard
    from sdk.live_window import LiveWindow
    from sdk.one_euro import OneEuroFilter, Smoothing
    from sdk.overlay_writer import OverlayWriter
    from sdk.package_files import fetch_package_files
    from sdk.pinhole import Pinhole
    from sdk.placement import Placement
    from sdk.pose_recorder import PoseRecorder
    from sdk.pose_stream import PoseStream, StreamCounts
    from sdk.poses import LiftStatus, Measurement, PersonPose, PoseFrame, StageTimes
    from sdk.processor import Processor
    from sdk.processors.joint_angles import JointAngles, joint_angles
    from sdk.processors.skiing import SkiingMeasures, skiing_measures
    from sdk.pushed_frames import PushedFrames
    from sdk.reconnection import Reconnection
    from sdk.side_swaps import SideSwapRepair
    from sdk.skeletons import SKELETONS, Skeleton, find_skeleton
    from sdk.tracks import PersonTracker, TrackedPerson
    from sdk.video import VideoFrame, VideoSource, find_videos, open_video
    from sdk.windows import ReadyWindow, WindowBuffer
    from sdk.writers.opening import open_writer
    from sdk.writers.pose_writer import PoseWriter

_HOMES = {
    "sdk.detectors.detection": ("Detections", "Detector"),
    "sdk.detectors.opening": ("open_detector",),
    "sdk.detectors.side_by_side": ("SharedLook",),
    "sdk.drawing": ("draw_frame", "draw_people"),
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
    "sdk.formats": ("KeypointTrack", "read_keypoints", "write_keypoints"),
    "sdk.keypoint_lifting": ("LiftedPerson", "lift_keypoint_file"),
    "sdk.lifter": ("LiftedPose", "LiftedTrack", "Lifter", "LifterStream"),
    "sdk.lifter_card": ("LifterCard",),
    "sdk.live_window": ("LiveWindow",),
    "sdk.overlay_writer": ("OverlayWriter",),
    "sdk.package_files": ("fetch_package_files",),
    "sdk.pinhole": ("Pinhole",),
    "sdk.placement": ("Placement",),
    "sdk.pose_recorder": ("PoseRecorder",),
    "sdk.pose_stream": ("PoseStream", "StreamCounts"),
    "sdk.poses": ("LiftStatus", "Measurement", "PersonPose", "PoseFrame", "StageTimes"),
    "sdk.skeletons": ("SKELETONS", "Skeleton", "find_skeleton"),
    "sdk.tracks": ("PersonTracker", "TrackedPerson"),
    "sdk.video": ("VideoFrame", "VideoSource", "find_videos", "open_video"),
    "sdk.delay_statistics": ("Delays", "Percentiles"),
    "sdk.frame_queue": ("QueuePolicy",),
    "sdk.one_euro": ("OneEuroFilter", "Smoothing"),
    "sdk.processor": ("Processor",),
    "sdk.processors.joint_angles": ("JointAngles", "joint_angles"),
    "sdk.processors.skiing": ("SkiingMeasures", "skiing_measures"),
    "sdk.pushed_frames": ("PushedFrames",),
    "sdk.reconnection": ("Reconnection",),
    "sdk.side_swaps": ("SideSwapRepair",),
    "sdk.writers.opening": ("open_writer",),
    "sdk.writers.pose_writer": ("PoseWriter",),
    "sdk.windows": ("ReadyWindow", "WindowBuffer"),
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
    "LifterCard",
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
    "SharedLook",
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
