"""Uses detectors from outside: any function from an image to people, supervision's key points, Ultralytics' results."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from sdk.detectors.detection import Detections
from sdk.errors import BadKeypoints
from sdk.skeletons.skeleton import Skeleton, find_skeleton

if TYPE_CHECKING:
    import supervision as sv

VISIBLE_SCORE = 0.3
"""If a source gives no boxes, a box is the extent of the joints with at least this score."""


class FunctionDetector:
    """Makes a detector from a function that finds people in an image.

    ```python
    model = YOLO("yolo11s-pose.pt")
    stream = PoseStream("video.mp4", FunctionDetector(lambda image: model(image)[0], "coco17", identity="yolo11s"))
    ```

    Args:
        function: Takes an image, (H, W, 3) uint8 BGR. Returns `Detections`, `supervision.KeyPoints`, an Ultralytics
            result, or an array (P, J, 3) of x, y in pixels and score, P people.
        skeleton: Skeleton of the J joints.
        identity: Name for cached keypoints. Change it when the model or one of its settings changes.

    Raises:
        UnknownSkeleton: the skeleton is not known.
    """

    def __init__(self, function: Callable[[np.ndarray], Any], skeleton: str | Skeleton, *, identity: str) -> None:
        self._function = function
        self.skeleton = find_skeleton(skeleton) if isinstance(skeleton, str) else skeleton
        self.identity = f"function {identity}"

    def __call__(self, image_bgr: np.ndarray) -> Detections:
        """Detect in one image, (H, W, 3) uint8 BGR.

        Raises:
            BadKeypoints: the function returned something else, or the number of joints does not fit the skeleton.
        """
        found = to_detections(self._function(image_bgr), joints=len(self.skeleton))
        if found.keypoints_px.shape[1] != len(self.skeleton):
            raise BadKeypoints(
                f"the detector returned {found.keypoints_px.shape[1]} joints; {self.skeleton.name} has "
                f"{len(self.skeleton)}. Name the skeleton that the model has."
            )
        return found

    def reset(self) -> None:
        """Does nothing: there is no state between images."""


def to_detections(found: Any, *, joints: int) -> Detections:
    """Convert the result of a detector to `Detections`.

    Args:
        found: `Detections`, `supervision.KeyPoints`, an Ultralytics result, an array (P, J, 3) of x, y, score, or None
            for nobody.
        joints: J, for a result without people that does not contain it.

    Raises:
        BadKeypoints: `found` is none of these.
    """
    if found is None:
        return Detections.none(joints)
    if isinstance(found, Detections):
        return found
    if hasattr(found, "boxes") and hasattr(found, "keypoints"):
        return from_ultralytics(found, joints=joints)
    if hasattr(found, "xy") and hasattr(found, "confidence"):
        return from_supervision(found, joints=joints)
    array = np.asarray(found, np.float32) if isinstance(found, np.ndarray | list | tuple) else None
    if array is not None and array.size == 0:
        return Detections.none(joints)
    if array is None or array.ndim != 3 or array.shape[-1] != 3:
        shape = type(found).__name__ if array is None else f"an array of shape {array.shape}"
        raise BadKeypoints(
            f"a detector returned {shape}. It must return Detections, supervision.KeyPoints, an Ultralytics result, or "
            "an array (people, joints, 3) of x, y in pixels and score."
        )
    return Detections.from_keypoints(array[..., :2], array[..., 2], VISIBLE_SCORE)


def from_supervision(
    key_points: sv.KeyPoints, detections: sv.Detections | None = None, *, joints: int = 0
) -> Detections:
    """Convert people from supervision.

    Args:
        key_points: P people. Without confidence, every joint counts as seen, except joints at exactly (0, 0): in
            supervision this means that the joint was not found.
        detections: Boxes of these people, in the same order. If not given, a box is the extent of the joints.
        joints: J, for a result without people.

    Raises:
        BadKeypoints: the numbers of boxes and people differ.
    """
    xy = np.asarray(key_points.xy, np.float32)
    if len(xy) == 0:
        return Detections.none(xy.shape[1] if xy.ndim == 3 and xy.shape[1] else joints)
    found = np.ones(xy.shape[:2]) if key_points.confidence is None else np.asarray(key_points.confidence)
    scores = np.where((xy == 0).all(-1), 0, found).astype(np.float32)
    if detections is None:
        return Detections.from_keypoints(xy, scores, VISIBLE_SCORE)
    if len(detections) != len(xy):
        raise BadKeypoints(f"supervision gave {len(xy)} people and {len(detections)} boxes; they must be as many.")
    sure = detections.confidence if detections.confidence is not None else scores.mean(1)
    return Detections(xy, scores, np.asarray(detections.xyxy, np.float32), np.asarray(sure, np.float32))


def to_supervision(found: Detections) -> tuple[sv.KeyPoints, sv.Detections]:
    """Convert people to supervision, for its annotators, zones and trackers; key points and boxes in one order."""
    import supervision as sv

    classes = np.zeros(len(found), int)
    return (
        sv.KeyPoints(xy=found.keypoints_px, confidence=found.scores, class_id=classes),
        sv.Detections(xyxy=found.boxes, confidence=found.box_scores, class_id=classes.copy()),
    )


def from_ultralytics(result: Any, *, joints: int = 17) -> Detections:
    """Convert one result of an Ultralytics pose model (`model(image)[0]`). Ultralytics itself is not needed.

    Args:
        result: Has `boxes.xyxy`, `boxes.conf`, `keypoints.xy`, `keypoints.conf`: tensors on any device, or arrays.
        joints: J, for a result without people.

    Raises:
        BadKeypoints: the result has no key points, so the model is no pose model.
    """
    if result.keypoints is None:
        raise BadKeypoints("an Ultralytics result has no key points: take a pose model, such as yolo11s-pose.pt.")
    xy = _array(result.keypoints.xy)
    if len(xy) == 0 or xy.shape[1] == 0:
        return Detections.none(joints)
    sure = result.keypoints.conf
    scores = np.ones(xy.shape[:2], np.float32) if sure is None else _array(sure)
    scores = np.where((xy == 0).all(-1), 0, scores).astype(np.float32)
    return Detections(xy, scores, _array(result.boxes.xyxy), _array(result.boxes.conf))


def _array(values: Any) -> np.ndarray:
    """A tensor on any device, or an array, as a float32 array."""
    return np.asarray(values.detach().cpu() if hasattr(values, "detach") else values, np.float32)
