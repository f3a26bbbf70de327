"""MoveNet lightning and thunder: one person, looked for where it was last seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from sdk.detectors.detection import Detections
from sdk.detectors.movenet.crop import METHOD, SEEN_SCORE, SquareCrop, next_crop
from sdk.detectors.parallel import ParallelDetector
from sdk.errors import BadModelFile
from sdk.skeletons.skeleton import COCO17
from sdk.video.image_check import check_image

if TYPE_CHECKING:
    from sdk.detectors.onnx_models import OnnxModel

Pose = tuple[np.ndarray, np.ndarray]
"""Keypoints (17, 2) in pixels and scores (17,)."""

PERSON_SCORE = 0.4
"""Mean joint score of a person. Measured in crops of real video: people mostly have 0.45 to 0.9; of 47 cuts of a scene
without people one passes (thunder, 0.46; at 0.35 three do). In a look at the whole image small people have only 0.2.
"""


class MoveNetSingle:
    """The most prominent person of each image, COCO-17.

    The crop follows the last pose as long as it is surely seen. Else the whole image is looked at, padded to a
    square, and then once more the part of it where a body seems to be: only that second look can tell whether it is.

    Args:
        model: int32 RGB (1, S, S, 3) -> (1, 1, 17, 3) of y, x in [0, 1] and score.
        person_score: A pose is a person when its mean joint score reaches this.
    """

    skeleton = COCO17

    def __init__(self, model: OnnxModel, person_score: float = PERSON_SCORE) -> None:
        size = model.inputs[0].shape[1]
        if not isinstance(size, int):
            raise BadModelFile(f"{model.path}: MoveNet for one person has a fixed input size, not {model.inputs[0]}.")
        self._model = model
        self._size = size
        self._person_score = person_score
        self._last: Pose | None = None
        self.device = model.device
        self.identity = f"movenet-single:{model.identity}:person={person_score}:seen={SEEN_SCORE}:{METHOD}"

    def __call__(self, image_bgr: np.ndarray) -> Detections:
        """The person in one image, (H, W, 3) uint8 BGR; none or one.

        Raises:
            BadImage: for any other array.
        """
        found, self._last = self._find(image_bgr, self._last)
        return found

    def reset(self) -> None:
        """Look at the whole of the next image."""
        self._last = None

    def parallel(self) -> ParallelDetector | None:
        """Every other image is looked at round the last pose but one."""
        model = self._model.for_two_threads
        if model is None:
            return None
        return ParallelDetector(MoveNetSingle(model, self._person_score)._find, f"{self.identity}:pairs")

    def _find(self, image_bgr: np.ndarray, last: Pose | None) -> tuple[Detections, Pose | None]:
        check_image(image_bgr)
        height, width = image_bgr.shape[:2]
        pose = last and self._look(image_bgr, next_crop(*last, height, width))
        if not self._is_person(pose):
            whole = SquareCrop.around_image(height, width)
            pose = self._look(image_bgr, whole)
            crop = next_crop(*pose, height, width)
            if crop != whole:
                pose = self._look(image_bgr, crop)
        if pose is None or not self._is_person(pose):
            return Detections.none(len(COCO17)), None
        keypoints, scores = pose
        return Detections.from_keypoints(keypoints[None], scores[None], SEEN_SCORE), pose

    def _look(self, image_bgr: np.ndarray, crop: SquareCrop) -> Pose:
        rgb = cv2.cvtColor(crop.cut(image_bgr, self._size), cv2.COLOR_BGR2RGB).astype(np.int32)
        pose = self._model.run(rgb[None])[0][0, 0]
        return crop.to_pixels(pose[:, 1::-1]), np.clip(pose[:, 2], 0, 1)

    def _is_person(self, pose: Pose | None) -> bool:
        return pose is not None and float(pose[1].mean()) >= self._person_score
