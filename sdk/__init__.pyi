"""What `sdk` publishes: the one list, read by `lazy_loader` at run time and by type checkers."""

# 2D to 3D
from .lifting.lifter import Lifter as Lifter
from .lifting.lifter import LifterStream as LifterStream
from .lifting.answers import PoseAnswer as PoseAnswer
from .lifting.lifted_poses import LiftedPose as LiftedPose
from .lifting.keypoint_lifting import lift_keypoint_file as lift_keypoint_file
from .lifting.keypoint_lifting import LiftedPerson as LiftedPerson
from .lifting.lifted_poses import LiftedTrack as LiftedTrack
from .camera.placement import Placement as Placement
from .camera.pinhole_camera import Pinhole as Pinhole
from .lifting.model_metadata import LifterMetadata as LifterMetadata
from .lifting.windows import WindowBuffer as WindowBuffer
from .lifting.windows import ReadyWindow as ReadyWindow

# video to 3D
from .stream.pose_stream import PoseStream as PoseStream
from .results.pose_frame import PoseFrame as PoseFrame
from .results.pose_frame import PersonPose as PersonPose
from .results.pose_frame import LiftStatus as LiftStatus
from .results.pose_frame import StageTimes as StageTimes
from .results.pose_frame import Measurement as Measurement
from .stream.pose_stream import StreamCounts as StreamCounts
from .stream.delay_statistics import Delays as Delays
from .stream.delay_statistics import Percentiles as Percentiles
from .video.frame_queue import QueuePolicy as QueuePolicy
from .video.pushed_frames import PushedFrames as PushedFrames
from .video.reconnection import Reconnection as Reconnection
from .camera.one_euro import Smoothing as Smoothing
from .camera.one_euro import OneEuroFilter as OneEuroFilter
from .tracking.left_right_swap import SideSwapRepair as SideSwapRepair
from .video.source import open_video as open_video
from .video.source import find_videos as find_videos
from .files.wheel_data import fetch_package_files as fetch_package_files
from .video.source import VideoSource as VideoSource
from .video.source import VideoFrame as VideoFrame
from .tracking.person_tracker import PersonTracker as PersonTracker
from .tracking.person_tracker import TrackedPerson as TrackedPerson

# the application's own step
from .results.processors.base import Processor as Processor
from .results.processors.joint_angles import JointAngles as JointAngles
from .results.processors.joint_angles import joint_angles as joint_angles
from .results.processors.upright import Upright as Upright
from .results.processors.upright import up_of_tilt as up_of_tilt
from .results.processors.steady_feet import SteadyFeet as SteadyFeet
from .results.processors.skiing import SkiingMeasures as SkiingMeasures
from .results.processors.skiing import skiing_measures as skiing_measures

# results
from .drawing.frame_drawing import draw_frame as draw_frame
from .drawing.frame_drawing import draw_people as draw_people
from .drawing.live_window import LiveWindow as LiveWindow
from .drawing.video_writer import OverlayWriter as OverlayWriter
from .writers.npz_writer import PoseRecorder as PoseRecorder
from .writers.base import PoseWriter as PoseWriter
from .writers.factory import open_writer as open_writer

# video to 2D
from .detectors.factory import open_detector as open_detector
from .detectors.detection import Detector as Detector
from .detectors.parallel import ParallelDetector as ParallelDetector
from .detectors.detection import Detections as Detections
from .detectors.bridges import FunctionDetector as FunctionDetector
from .detectors.bridges import from_supervision as from_supervision
from .detectors.bridges import from_ultralytics as from_ultralytics
from .detectors.bridges import to_supervision as to_supervision
from .keypoint_files import KeypointTrack as KeypointTrack
from .keypoint_files import read_keypoints as read_keypoints
from .keypoint_files import write_keypoints as write_keypoints

# skeletons
from .skeletons.skeleton import SKELETONS as SKELETONS
from .skeletons.skeleton import Skeleton as Skeleton
from .skeletons.skeleton import find_skeleton as find_skeleton

# how a program ends
from .commands.command_line import run_command as run_command

# errors: all in sdk.errors
from . import errors as errors
from .errors import AdaptPoseError as AdaptPoseError
from .version import __version__ as __version__
