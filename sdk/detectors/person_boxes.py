"""Boxes for a top-down model: from a detector in every n-th image, and round the last poses in between."""

from __future__ import annotations

import numpy as np

from sdk.detectors.detection import Detections, Detector
from sdk.detectors.parallel import BatchDetector, ParallelDetector, batch_form, parallel_form
from sdk.errors import BadBoxes

FOLLOWED_SCORE = 0.3
"""A pose with a lower mean joint score is lost. It can only be found again at the next detection."""
FOLLOWED_MARGIN = 1.25
"""Factor on the box of a person's joints, about its centre. The joints end at wrists, ankles and eyes; the enlarged box
contains the body."""
SAME_PERSON_IOU = 0.8
"""If the boxes of two poses overlap by more, both follow the same person."""


class PersonBoxes:
    """The boxes of people in each image, for a top-down model.

    Args:
        detector: Finds people. Only its boxes and their scores are used.
        every: It is used in every n-th image, and whenever nobody is followed.

    Raises:
        BadBoxes: `every` is no whole number from 1.
    """

    def __init__(self, detector: Detector, every: int = 1) -> None:
        self._detector = detector
        self._every = check_detection_interval(every)
        self._since = 0
        self._followed: Detections | None = None
        self.identity = detector.identity + (f":every={every}" if every > 1 else "")

    def __call__(self, image_bgr: np.ndarray) -> Detections:
        """Boxes in one image, (H, W, 3) uint8 BGR. Their keypoints are not those of the top-down model."""
        if self._followed is not None and len(self._followed) and self._since < self._every:
            self._since += 1
            return self._followed
        self._since = 1
        return self._detector(image_bgr)

    def follow(self, poses: Detections) -> None:
        """Take the poses found in the boxes of this image. The boxes of the next image are made round them."""
        if self._every == 1:
            return
        sure = poses.scores.mean(1) >= FOLLOWED_SCORE
        found = Detections.from_keypoints(poses.keypoints_px[sure], poses.scores[sure], FOLLOWED_SCORE)
        middle = (found.boxes[:, :2] + found.boxes[:, 2:]) / 2
        half = (found.boxes[:, 2:] - found.boxes[:, :2]) / 2 * FOLLOWED_MARGIN
        boxes = np.concatenate([middle - half, middle + half], 1)
        kept = [i for i in range(len(boxes)) if not any(_iou(boxes[i], boxes[j]) > SAME_PERSON_IOU for j in range(i))]
        self._followed = Detections(found.keypoints_px[kept], found.scores[kept], boxes[kept], found.box_scores[kept])

    def parallel(self) -> ParallelDetector | None:
        """The parallel form; None if people are followed, or the detector has none."""
        return parallel_form(self._detector) if self._every == 1 else None

    def batches(self) -> BatchDetector | None:
        """The form for several images; None if people are followed, or the detector has none."""
        return batch_form(self._detector) if self._every == 1 else None

    def reset(self) -> None:
        """Forget all people, because another video starts."""
        self._since, self._followed = 0, None
        self._detector.reset()


def check_detection_interval(every: int) -> int:
    """Return the interval, or raise BadBoxes if it is no whole number from 1."""
    if not isinstance(every, int) or isinstance(every, bool) or every < 1:
        raise BadBoxes(f"det_every is {every!r}; it is a whole number of images, 1 to look for people in each.")
    return every


def _iou(first: np.ndarray, second: np.ndarray) -> float:
    """Intersection over union of two boxes (4,), in [0, 1]."""
    sides = np.minimum(first[2:], second[2:]) - np.maximum(first[:2], second[:2])
    common = float(np.prod(np.maximum(sides, 0)))
    areas = float(np.prod(first[2:] - first[:2]) + np.prod(second[2:] - second[:2]))
    return common / max(areas - common, 1e-9)
