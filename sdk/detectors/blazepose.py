"""Runs MediaPipe's BlazePose. Its weights are in the mediapipe wheel."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from importlib.metadata import version
from typing import Any

import cv2
import numpy as np

from sdk.detectors.detection import Detections
from sdk.errors import DeviceUnavailable, MissingDependency
from sdk.runtime.sessions import parse_device
from sdk.skeletons.skeleton import MEDIAPIPE33
from sdk.video.image_check import check_image

MODEL_COMPLEXITY = 1
"""pose_landmark_full: the only landmark model in the wheel. The others would be downloaded."""
DETECTION_SCORE = 0.5
TRACKING_SCORE = 0.5
VISIBLE_SCORE = 0.5
"""The box is the extent of the landmarks with at least this score."""


class BlazePose:
    """Finds the most prominent person of each image: 33 landmarks, smoothed over time by MediaPipe itself.

    The score of a joint is MediaPipe's visibility. Landmarks may lie outside the image.

    Args:
        device: `cpu` or `auto`. The wheel runs on the CPU only.

    Raises:
        MissingDependency: mediapipe is not installed.
        UnknownDevice: there is no such device word.
        DeviceUnavailable: the device is not the CPU.
    """

    skeleton = MEDIAPIPE33

    def __init__(self, device: str = "cpu") -> None:
        if parse_device(device)[0] not in ("cpu", "auto"):
            raise DeviceUnavailable(
                f"the mediapipe detector runs on the CPU only, not on {device!r}. Use device='cpu'."
            )
        self._module = _import_pose()
        self._pose: Any = None
        self._settled = False
        self.device = "cpu"
        self.identity = (
            f"mediapipe:{version('mediapipe')}:complexity={MODEL_COMPLEXITY}:detection={DETECTION_SCORE}"
            f":tracking={TRACKING_SCORE}:visible={VISIBLE_SCORE}"
        )

    def __call__(self, image_bgr: np.ndarray) -> Detections:
        """The person in one image, (H, W, 3) uint8 BGR; none or one.

        Raises:
            BadImage: for any other array.
        """
        check_image(image_bgr)
        rgb = cv2.cvtColor(image_bgr, cv2.COLOR_BGR2RGB)
        # The graph logs when it starts, and again when it first crops a person.
        with nullcontext() if self._settled else _quiet_stderr():
            if self._pose is None:
                self._pose = self._module.Pose(
                    model_complexity=MODEL_COMPLEXITY,
                    min_detection_confidence=DETECTION_SCORE,
                    min_tracking_confidence=TRACKING_SCORE,
                )
            landmarks = self._pose.process(rgb).pose_landmarks
        self._settled = self._settled or landmarks is not None
        if landmarks is None:
            return Detections.none(len(MEDIAPIPE33))
        values = np.array([[mark.x, mark.y, mark.visibility] for mark in landmarks.landmark], np.float32)
        height, width = image_bgr.shape[:2]
        keypoints = values[:, :2] * np.array([width, height], np.float32)
        return Detections.from_keypoints(keypoints[None], values[None, :, 2].clip(0, 1), VISIBLE_SCORE)

    def reset(self) -> None:
        """Close MediaPipe's graph, with its tracking and smoothing. The next image opens a new one."""
        if self._pose is not None:
            self._pose.close()
            self._pose = None
            self._settled = False


def _import_pose() -> Any:
    os.environ.setdefault("GLOG_minloglevel", "2")  # read once, when the C++ part loads
    try:
        with _quiet_stderr():
            from mediapipe.python.solutions import pose
    except ImportError as error:
        raise MissingDependency("mediapipe", "mediapipe", "the detector 'mediapipe'") from error
    return pose


@contextmanager
def _quiet_stderr() -> Iterator[None]:
    """Silence file descriptor 2. TensorFlow Lite writes start-up notes there at any log level."""
    sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
