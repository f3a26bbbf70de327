"""Runs YOLOX from ONNX: finds people as boxes (Ge et al., 2021)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sdk.detectors.detection import Detections
from sdk.detectors.openmmlab.letterbox import Letterbox, in_the_corner
from sdk.detectors.openmmlab.suppression import suppress_overlaps
from sdk.detectors.openmmlab.whole_image import INPUT_PX, WholeImageDetector
from sdk.errors import BadModelFile
from sdk.skeletons.skeleton import COCO17

if TYPE_CHECKING:
    from sdk.detectors.onnx_models import OnnxModel

PERSON_LABEL = 0
PERSON_SCORE = 0.3
MOST_IOU = 0.65
"""Of mmdet's configs."""
STRIDES = (8, 16, 32)


class YOLOX(WholeImageDetector):
    """Finds the people of each image as boxes. All joints are in the middle of the box and count as not seen.

    Args:
        model: BGR (N, 3, H, W) from 0 to 255 -> one of two forms, in pixels of the input. OpenMMLab's: dets (N, P, 5),
            boxes and scores, and labels (N, P); overlaps are suppressed. Megvii's: (N, A, 5 + K) for all A cells of
            the strides 8, 16 and 32: centre as an offset in cells, logarithm of the size in cells, probability of an
            object, probabilities of K kinds.
        input_px: Width and height of the input, where the graph takes any.

    Raises:
        BadModelFile: the cells do not fit the input.
    """

    boxes_only = True

    def __init__(self, model: OnnxModel, input_px: int = INPUT_PX) -> None:
        super().__init__(model, input_px)
        self._raw = len(model.outputs) == 1
        self._dets = [len(port.shape) for port in model.outputs].index(3)
        self._cells, self._strides = _cells(self._width, self._height)
        cells = model.outputs[0].shape[1]
        if self._raw and isinstance(cells, int) and cells != len(self._cells):
            raise BadModelFile(
                f"{model.path} answers for {cells} cells; YOLOX with an input of {self._width}x{self._height} has "
                f"{len(self._cells)}."
            )
        self.identity = f"yolox:{model.identity}:{self._width}x{self._height}:person={PERSON_SCORE}:iou={MOST_IOU}"

    def _fit(self, image_bgr: np.ndarray) -> tuple[np.ndarray, Letterbox]:
        return in_the_corner(image_bgr, self._width, self._height)

    def _decode(self, outputs: list[np.ndarray], place: Letterbox) -> Detections:
        boxes, scores = self._from_cells(outputs[0]) if self._raw else self._from_dets(outputs)
        # Of boxes that the graph has suppressed all stay, but in the order of their scores.
        kept = suppress_overlaps(boxes, scores, MOST_IOU if self._raw else 1.0)
        corners = place.to_pixels(boxes[kept].reshape(-1, 2, 2)).reshape(-1, 4)
        return Detections.from_boxes(corners, scores[kept].clip(0, 1), len(COCO17))

    def _from_dets(self, outputs: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        dets, labels = outputs[self._dets], outputs[1 - self._dets]
        if dets.shape != (*labels.shape, 5) or labels.ndim != 1:
            raise BadModelFile(
                f"{self._model.path} gives {dets.shape} and {labels.shape}; known are boxes (P, 5) and labels (P,)."
            )
        people = dets[(labels == PERSON_LABEL) & (dets[:, 4] >= PERSON_SCORE)]
        return people[:, :4], people[:, 4]

    def _from_cells(self, answers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if answers.shape[0] != len(self._cells) or answers.shape[1] < 6:
            raise BadModelFile(
                f"{self._model.path} gives {answers.shape}; known is ({len(self._cells)}, 5 and one for each kind)."
            )
        scores = answers[:, 4] * answers[:, 5 + PERSON_LABEL]
        people = (answers[:, 5:].argmax(1) == PERSON_LABEL) & (scores >= PERSON_SCORE)
        middle = (answers[people, :2] + self._cells[people]) * self._strides[people]
        half = np.exp(answers[people, 2:4].clip(None, _LARGEST_LOGARITHM)) * self._strides[people] / 2
        return np.concatenate([middle - half, middle + half], 1), scores[people]


_LARGEST_LOGARITHM = 10.0
"""22,000 cells: no box is as large, and none overflows."""


def _cells(width: int, height: int) -> tuple[np.ndarray, np.ndarray]:
    """Column and row (A, 2) of all cells, and their strides (A, 1): row by row, the finest stride first."""
    cells, strides = [], []
    for stride in STRIDES:
        rows, columns = np.mgrid[: height // stride, : width // stride]
        cells.append(np.stack([columns.ravel(), rows.ravel()], 1))
        strides.append(np.full((rows.size, 1), stride))
    return np.concatenate(cells).astype(np.float32), np.concatenate(strides).astype(np.float32)
