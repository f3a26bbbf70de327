"""MoveNet multipose: up to six people in one look."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from sdk.detectors.detection import Detections
from sdk.detectors.movenet.crop import METHOD, resample
from sdk.detectors.parallel import ParallelDetector
from sdk.skeletons.skeleton import COCO17
from sdk.video.image_check import check_image

if TYPE_CHECKING:
    from sdk.detectors.onnx_models import OnnxModel

PERSON_SCORE = 0.2
"""In real video people have 0.2 to 0.8, empty scenes up to 0.12."""
LONG_SIDE = 384
"""Pixels. At Google's 256 a bystander a quarter of the image high is missed, at 384 found, for 1.6 times the time."""
_STRIDE = 32


class MoveNetMulti:
    """Up to six people of each image, COCO-17. Each image stands alone.

    Args:
        model: int32 RGB (1, h, w, 3) -> (1, 6, 56): 17 times y, x in [0, 1] and score, then the box (top, left,
            bottom, right) and its score.
        person_score: People below it are left out.
        long_side: Pixels to which the image's longer side is resized, where the model leaves its size open.
    """

    skeleton = COCO17

    def __init__(self, model: OnnxModel, person_score: float = PERSON_SCORE, long_side: int = LONG_SIDE) -> None:
        self._model = model
        self._fixed_size = tuple(n if isinstance(n, int) else None for n in model.inputs[0].shape[1:3])
        self._person_score = person_score
        self._long_side = long_side
        self.device = model.device
        self.identity = f"movenet-multi:{model.identity}:person={person_score}:side={long_side}:{METHOD}"

    def __call__(self, image_bgr: np.ndarray) -> Detections:
        """The people in one image, (H, W, 3) uint8 BGR, surest first.

        Raises:
            BadImage: for any other array.
        """
        check_image(image_bgr)
        rgb, pixels_per_fraction = self._prepare(image_bgr)
        people = self._model.run(rgb[None])[0][0]
        people = people[people[:, 55] >= self._person_score]
        people = people[np.argsort(-people[:, 55], kind="stable")]
        joints = people[:, :51].reshape(-1, 17, 3)
        corners = people[:, 51:55].reshape(-1, 2, 2)[..., ::-1]
        return Detections(
            keypoints_px=joints[..., 1::-1] * pixels_per_fraction,
            scores=joints[..., 2],
            boxes=(corners * pixels_per_fraction).reshape(-1, 4),
            box_scores=people[:, 55],
        )

    def reset(self) -> None:
        """Nothing is kept between images."""

    def parallel(self) -> ParallelDetector | None:
        """The same results, for each image stands alone."""
        model = self._model.for_two_threads
        if model is None:
            return None
        twin = MoveNetMulti(model, self._person_score, self._long_side)
        return ParallelDetector(lambda image_bgr, _: (twin(image_bgr), None), self.identity)

    def pixels_seen(self, height: int, width: int) -> int:
        """How many pixels the network gets of an image of this size."""
        (rows, columns), _ = self._sizes(height, width)
        return rows * columns

    def _prepare(self, image_bgr: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The padded network input (h, w, 3), and what turns its fractions (x, y) into pixels, (2,)."""
        height, width = image_bgr.shape[:2]
        (rows, columns), (inner_height, inner_width) = self._sizes(height, width)
        padded = np.zeros((rows, columns, 3), np.uint8)
        inner, pixels = (inner_width, inner_height), (width / inner_width, height / inner_height)
        padded[:inner_height, :inner_width] = resample(image_bgr, 0, 0, pixels, inner)
        pixels_per_fraction = np.array([columns * width / inner_width, rows * height / inner_height], np.float32)
        return cv2.cvtColor(padded, cv2.COLOR_BGR2RGB).astype(np.int32), pixels_per_fraction

    def _sizes(self, height: int, width: int) -> tuple[tuple[int, int], tuple[int, int]]:
        """Height and width of the network's input, and of the image in it."""
        fixed_height, fixed_width = self._fixed_size
        scale = self._long_side / max(height, width)
        if fixed_height and fixed_width:
            scale = min(fixed_height / height, fixed_width / width)
        inner = max(round(height * scale), 1), max(round(width * scale), 1)
        rows = fixed_height or -(-inner[0] // _STRIDE) * _STRIDE
        columns = fixed_width or -(-inner[1] // _STRIDE) * _STRIDE
        return (rows, columns), inner
