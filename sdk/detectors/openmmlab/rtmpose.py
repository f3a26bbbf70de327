"""Runs RTMPose and RTMW from ONNX: top-down, one crop per person, SimCC decoding (Jiang et al., 2023 and 2024)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from sdk.detectors.detection import Detections, Detector
from sdk.detectors.openmmlab.graph_runs import run_each
from sdk.detectors.parallel import BatchDetector, ParallelDetector
from sdk.detectors.person_boxes import PersonBoxes
from sdk.errors import BadModelFile
from sdk.skeletons.skeleton import COCO17, COCO23, HALPE26, Skeleton
from sdk.video.image_check import check_image

if TYPE_CHECKING:
    from sdk.detectors.onnx_models import OnnxModel

BOX_EXPANSION = 1.25
"""Factor on a person's box, as in RTMPose's training."""


@dataclass(frozen=True)
class PersonCrop:
    """An upright rectangle with the network's aspect ratio, in pixels of the image.

    Attributes:
        centre: x, y of the centre.
        width: Width of the rectangle.
        height: Height of the rectangle.
    """

    centre: tuple[float, float]
    width: float
    height: float

    @classmethod
    def around_box(cls, box: np.ndarray, aspect: float, expansion: float = BOX_EXPANSION) -> PersonCrop:
        """The smallest rectangle with this aspect ratio that contains the expanded box.

        Args:
            box: (4,) left, top, right, bottom.
            aspect: Width divided by height.
            expansion: Factor on the box, about its centre.
        """
        left, top, right, bottom = (float(edge) for edge in box)
        width, height = max(right - left, 1.0) * expansion, max(bottom - top, 1.0) * expansion
        width, height = max(width, height * aspect), max(height, width / aspect)
        return cls(((left + right) / 2, (top + bottom) / 2), width, height)

    def cut(self, image: np.ndarray, width: int, height: int) -> np.ndarray:
        """Crop the image (H, W, 3) and resample it to (height, width, 3). Black outside the image."""
        scale = width / self.width
        move = [width / 2 - self.centre[0] * scale, height / 2 - self.centre[1] * scale]
        matrix = np.array([[scale, 0, move[0]], [0, scale, move[1]]])
        return cv2.warpAffine(image, matrix, (width, height), flags=cv2.INTER_LINEAR)

    def to_pixels(self, positions: np.ndarray, width: int) -> np.ndarray:
        """Convert positions (..., 2) in the crop, `width` columns wide, to pixels of the image."""
        corner = np.array([self.centre[0] - self.width / 2, self.centre[1] - self.height / 2], np.float32)
        return np.asarray(positions, np.float32) * np.float32(self.width / width) + corner


SPLIT_RATIO = 2.0
"""Classes per network pixel."""


def decode_simcc(
    simcc_x: np.ndarray, simcc_y: np.ndarray, split_ratio: float = SPLIT_RATIO
) -> tuple[np.ndarray, np.ndarray]:
    """The most likely class of each row.

    Args:
        simcc_x: (N, J, W * split_ratio).
        simcc_y: (N, J, H * split_ratio).
        split_ratio: Classes per network pixel.

    Returns:
        Positions (N, J, 2) in network pixels, x right and y down, and scores (N, J): the lower of the two maxima, in
        [0, 1].
    """
    position = np.stack([simcc_x.argmax(-1), simcc_y.argmax(-1)], -1).astype(np.float32) / split_ratio
    score = np.minimum(simcc_x.max(-1), simcc_y.max(-1))
    return position, np.clip(score, 0, 1).astype(np.float32)


MEAN_RGB = (123.675, 116.28, 103.53)
STD_RGB = (58.395, 57.12, 57.375)
"""ImageNet's mean and standard deviation for [0, 255], in RGB order. All published RTMPose configs use them."""
SKELETON_OF_JOINTS = {len(COCO17): COCO17, len(HALPE26): HALPE26, 133: COCO23}
"""By the number of joints of a model. Of COCO-WholeBody's 133 the first 23 are used: COCO's, and the feet."""
PEOPLE_AT_ONCE = 16
"""Most people in one call: a crowd must not fill the memory."""


class RTMPose:
    """Finds the joints of people inside the boxes of another detector.

    They are COCO-17, Halpe-26 or COCO-23, by the number of joints.

    Args:
        model: Normalised RGB (N, 3, H, W) -> simcc_x (N, J, 2 W), simcc_y (N, J, 2 H), where J is 17, 26 or 133.
        boxes: Detector that finds the people. Its box scores are passed on.
        det_every: See `PersonBoxes`.

    Raises:
        BadModelFile: the number of joints or the sizes do not fit.
    """

    def __init__(self, model: OnnxModel, boxes: Detector, det_every: int = 1) -> None:
        self._model = model
        self._boxes = PersonBoxes(boxes, det_every)
        height, width = model.inputs[0].shape[2:]
        assert isinstance(height, int)
        assert isinstance(width, int)
        self._height, self._width = height, width
        named = {port.name: index for index, port in enumerate(model.outputs)}
        self._order = named.get("simcc_x", 0), named.get("simcc_y", 1)
        # Exporters often leave the output sizes open, so the graph is run once to find them.
        (first,) = run_each(model, [np.zeros((3, height, width), np.float32)], 1)
        probe = [first[index].shape for index in self._order]
        joints = probe[0][0]
        expected = [(joints, int(size * SPLIT_RATIO)) for size in (width, height)]
        if joints not in SKELETON_OF_JOINTS or probe != expected:
            raise BadModelFile(
                f"{model.path}: simcc_x {probe[0]} and simcc_y {probe[1]} for a {width}x{height} input; known are "
                f"17 joints (coco17), 26 (halpe26) or 133 (whole body) with {SPLIT_RATIO:g} classes per pixel."
            )
        self.skeleton = SKELETON_OF_JOINTS[joints]
        self.device = model.device
        self.identity = _identity(model, self._boxes.identity, self.skeleton)

    def __call__(self, image_bgr: np.ndarray) -> Detections:
        """The people in one image, (H, W, 3) uint8 BGR, in the order of the boxes.

        Raises:
            BadImage: for any other array.
            BadModelFile: the model returns NaN.
        """
        check_image(image_bgr)
        (people,) = self._look_inside([self._boxes(image_bgr)], [image_bgr], self._model)
        if len(people):
            self._boxes.follow(people)
        return people

    def reset(self) -> None:
        """Reset the detector of the boxes, because another video starts."""
        self._boxes.reset()

    def parallel(self) -> ParallelDetector | None:
        """The parallel form; None if the detector of the boxes has none, or if people are followed in between."""
        boxes = self._boxes.parallel()
        if boxes is None:
            return None
        model = self._model.for_two_threads
        if model is None:
            return None

        def look(image_bgr: np.ndarray, kept: Any) -> tuple[Detections, Any]:
            check_image(image_bgr)
            found, kept = boxes.look(image_bgr, kept)
            return self._look_inside([found], [image_bgr], model)[0], kept

        return ParallelDetector(look, _identity(self._model, boxes.identity, self.skeleton))

    def batches(self) -> BatchDetector | None:
        """The form for several images; None if the detector of the boxes has none, or if people are followed."""
        boxes = self._boxes.batches()
        if boxes is None:
            return None
        look = boxes.look
        return BatchDetector(lambda images: self._look_inside(look(images), images, self._model), boxes.at_once)

    def _look_inside(
        self, found: Sequence[Detections], images_bgr: Sequence[np.ndarray], model: OnnxModel
    ) -> list[Detections]:
        """The poses in the boxes of each image; the crops of all images go through the graph together."""
        crops = [[PersonCrop.around_box(box, self._width / self._height) for box in each.boxes] for each in found]
        inputs = (
            self._normalised(crop.cut(image, self._width, self._height))
            for image, people in zip(images_bgr, crops, strict=True)
            for crop in people
        )
        answers = run_each(model, inputs, PEOPLE_AT_ONCE)
        return [
            self._decode([next(answers) for _ in people], people, boxes)
            for people, boxes in zip(crops, found, strict=True)
        ]

    def _normalised(self, cut: np.ndarray) -> np.ndarray:
        rgb = (cut[..., ::-1] - np.array(MEAN_RGB, np.float32)) / np.array(STD_RGB, np.float32)
        return np.ascontiguousarray(rgb.transpose(2, 0, 1))

    def _decode(self, answers: list[list[np.ndarray]], crops: list[PersonCrop], found: Detections) -> Detections:
        joints = len(self.skeleton)
        if not answers:
            return Detections.none(joints)
        x, y = (np.stack([answer[index][:joints] for answer in answers]) for index in self._order)
        positions, scores = decode_simcc(x, y)
        if not np.isfinite(scores).all():
            raise BadModelFile(f"{self._model.path} returns scores that are not finite: its weights are damaged.")
        keypoints = np.stack([crop.to_pixels(p, self._width) for crop, p in zip(crops, positions, strict=True)])
        return Detections(keypoints, scores, found.boxes, found.box_scores)


def _identity(model: OnnxModel, boxes: str, skeleton: Skeleton) -> str:
    feet = ":feet" if skeleton is COCO23 else ""  # earlier ones of the same models have none
    return f"rtmpose:{model.identity}:expansion={BOX_EXPANSION}{feet}:boxes=({boxes})"
