"""Runs RTMO from ONNX: one stage, all people of an image at once (Lu et al., 2024).

The graph decodes the coordinates itself (dynamic coordinate classifier). The thresholds are those of mmpose's configs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sdk.detectors.detection import Detections
from sdk.detectors.openmmlab.letterbox import Letterbox, in_the_middle
from sdk.detectors.openmmlab.suppression import suppress_overlaps
from sdk.detectors.openmmlab.whole_image import INPUT_PX, WholeImageDetector
from sdk.errors import BadModelFile
from sdk.skeletons.skeleton import COCO17

if TYPE_CHECKING:
    from sdk.detectors.onnx_models import OnnxModel

PERSON_SCORE = 0.1
MOST_IOU = 0.65


class RTMO(WholeImageDetector):
    """Finds everybody in an image, COCO-17.

    Args:
        model: BGR (N, 3, H, W) from 0 to 255 -> dets (N, P, 5), boxes and their scores, and keypoints (N, P, 17, 3),
            x, y and score, in pixels of the input.
        input_px: Width and height of the input, where the graph takes any.

    Raises:
        BadModelFile: it has other joints.
    """

    def __init__(self, model: OnnxModel, input_px: int = INPUT_PX) -> None:
        super().__init__(model, input_px)
        axes = [len(port.shape) for port in model.outputs]
        self._boxes, self._keypoints = axes.index(3), axes.index(4)
        joints = model.outputs[self._keypoints].shape[2]
        if isinstance(joints, int) and joints != len(COCO17):
            raise BadModelFile(f"{model.path} gives {joints} joints a person; known is RTMO with 17 (coco17).")
        self.identity = f"rtmo:{model.identity}:{self._width}x{self._height}:person={PERSON_SCORE}:iou={MOST_IOU}"

    def _fit(self, image_bgr: np.ndarray) -> tuple[np.ndarray, Letterbox]:
        return in_the_middle(image_bgr, self._width, self._height)

    def _decode(self, outputs: list[np.ndarray], place: Letterbox) -> Detections:
        people, keypoints = outputs[self._boxes], outputs[self._keypoints]
        if people.shape[1:] != (5,) or keypoints.shape != (len(people), len(COCO17), 3):
            raise BadModelFile(
                f"{self._model.path} gives boxes {people.shape} and keypoints {keypoints.shape}; "
                "known are (P, 5) and (P, 17, 3)."
            )
        sure = people[:, 4] > PERSON_SCORE
        people, keypoints = people[sure], keypoints[sure]
        # Published graphs suppress overlaps, but fill the images of a batch up with people that they had suppressed.
        kept = suppress_overlaps(people[:, :4], people[:, 4], MOST_IOU)
        people, keypoints = people[kept], keypoints[kept]
        corners = people[:, :4].reshape(-1, 2, 2).clip(0, (self._width, self._height)).astype(np.float32)
        return Detections(
            place.to_pixels(keypoints[..., :2]),
            keypoints[..., 2].clip(0, 1),
            place.to_pixels(corners).reshape(-1, 4),
            people[:, 4].clip(0, 1),
        )
