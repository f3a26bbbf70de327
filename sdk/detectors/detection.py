"""The interface of a 2D detector, its results, and the metadata of an exported detector."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from sdk.errors import BadBoxes, BadKeypoints, BadModelFile, UnknownSkeleton
from sdk.runtime.metadata_entry import check_values, load_entry
from sdk.skeletons.skeleton import Skeleton, find_skeleton
from sdk.version import __version__


@dataclass(frozen=True)
class Detections:
    """The people found in one image; P may be zero.

    Attributes:
        keypoints_px: (P, J, 2) float32 pixels, x right and y down.
        scores: (P, J) float32 in [0, 1], one for each joint.
        boxes: (P, 4) float32 pixels: left, top, right, bottom.
        box_scores: (P,) float32 in [0, 1], one for each person.
    """

    keypoints_px: np.ndarray
    scores: np.ndarray
    boxes: np.ndarray
    box_scores: np.ndarray

    def __post_init__(self) -> None:
        people, joints = self.scores.shape
        shapes = (self.keypoints_px.shape, self.boxes.shape, self.box_scores.shape)
        if shapes != ((people, joints, 2), (people, 4), (people,)):
            raise BadKeypoints(f"detections of {people} people and {joints} joints have inconsistent shapes {shapes}.")

    def __len__(self) -> int:
        return len(self.boxes)

    @property
    def keypoints(self) -> np.ndarray:
        """The older name of `keypoints_px`."""
        return self.keypoints_px

    @classmethod
    def none(cls, joints: int) -> Detections:
        """No people, for a detector with this number of joints."""
        return cls(
            np.zeros((0, joints, 2), np.float32),
            np.zeros((0, joints), np.float32),
            np.zeros((0, 4), np.float32),
            np.zeros(0, np.float32),
        )

    @classmethod
    def from_boxes(cls, boxes: np.ndarray, box_scores: np.ndarray, joints: int) -> Detections:
        """People of whom only boxes are known: all joints are in the middle of the box and count as not seen.

        Args:
            boxes: (P, 4) pixels.
            box_scores: (P,) scores.
            joints: Number of joints.
        """
        boxes = boxes.astype(np.float32)
        middle = (boxes[:, None, :2] + boxes[:, None, 2:]) / 2
        unseen = np.zeros((len(boxes), joints), np.float32)
        return cls(np.repeat(middle, joints, 1), unseen, boxes, box_scores.astype(np.float32))

    @classmethod
    def from_keypoints(cls, keypoints: np.ndarray, scores: np.ndarray, visible_score: float) -> Detections:
        """People whose boxes are the extent of their visible joints.

        Args:
            keypoints: (P, J, 2) pixels.
            scores: (P, J) scores.
            visible_score: Joints with a lower score are not visible.

        Returns:
            Only people with two visible joints or more. The box score is the mean joint score.
        """
        keep = (scores >= visible_score).sum(1) >= 2
        keypoints, scores = keypoints[keep].astype(np.float32), scores[keep].astype(np.float32)
        seen = (scores >= visible_score)[..., None]
        low = np.where(seen, keypoints, np.inf).min(1, initial=np.inf)
        high = np.where(seen, keypoints, -np.inf).max(1, initial=-np.inf)
        return cls(keypoints, scores, np.concatenate([low, high], -1).astype(np.float32), scores.mean(1))


@runtime_checkable
class Detector(Protocol):
    """Finds people and their joints in images that come in order. It may keep state from one image to the next.

    Attributes:
        skeleton: Skeleton of the returned joints.
        identity: A string that changes with the content of the model and with every setting that changes its results.
            It names cached keypoints.
    """

    skeleton: Skeleton
    identity: str

    def __call__(self, image_bgr: np.ndarray) -> Detections:
        """Detect in one image, (H, W, 3) uint8 BGR."""
        ...

    def reset(self) -> None:
        """Forget all earlier images, because another video starts."""
        ...


@runtime_checkable
class BoxFinder(Detector, Protocol):
    """A detector whose boxes are all that it finds; its joints count as not seen."""

    boxes_only: bool


def missing_boxes(model: str) -> BadBoxes:
    """The error for a top-down model without a detector of person boxes."""
    return BadBoxes(
        f"{model} looks at one person at a time and needs person boxes, but boxes=None. Name a detector that finds "
        "people: boxes='movenet', boxes='yolox-m' or 'rtmo-s' (all fetched at first use), boxes='onnx:PATH' (YOLOX, "
        "RTMO or MoveNet), or boxes='mmpose:CONFIG:CHECKPOINT' (another one)."
    )


def needless_boxes(model: str) -> BadBoxes:
    """The error for boxes that a model would ignore."""
    return BadBoxes(f"{model} finds people by itself; leave out boxes=... and det_every=...")


METADATA_KEY = "adaptpose_detector"
"""The ONNX metadata entry with this metadata as JSON."""


@dataclass(frozen=True)
class DetectorMetadata:
    """Metadata of an exported top-down SimCC model."""

    config: str
    """Name of the mmpose config."""
    skeleton: str
    """Skeleton of its joints."""
    input: str
    """How an image becomes the input of the graph."""
    output: str
    """How the outputs of the graph become joints."""
    checkpoint_sha256: str
    """Hash of the weights."""
    project_version: str = __version__
    """Version of this project that wrote the file."""

    def __post_init__(self) -> None:
        check_values(self)
        find_skeleton(self.skeleton)

    def to_metadata(self) -> dict[str, str]:
        """The ONNX metadata entry."""
        return {METADATA_KEY: json.dumps(dataclasses.asdict(self), sort_keys=True)}

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, str], origin: str) -> DetectorMetadata:
        """Read the ONNX metadata entry.

        Raises:
            BadModelFile: there is no such entry, or it is damaged; names `origin`.
        """
        if METADATA_KEY not in metadata:
            raise BadModelFile(f"{origin}: no metadata entry {METADATA_KEY!r}: no detector that adaptpose exported.")
        values = load_entry(metadata, METADATA_KEY, origin)
        try:
            return cls(**values)
        except (TypeError, UnknownSkeleton) as error:
            raise BadModelFile(
                f"{origin}: the metadata entry {METADATA_KEY!r} is damaged: {str(error)[:200]}"
            ) from error
