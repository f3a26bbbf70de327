"""Writes an mmpose top-down SimCC model (RTMPose) as an ONNX file for the SDK's detector, and checks it against mmpose.

The graph ends before the decoding, like the RTMPose files of other exporters. The SDK crops people, decodes and maps
back without mmpose (`sdk.detectors.openmmlab.rtmpose`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from sdk.detectors.detection import Detections, DetectorMetadata
from sdk.detectors.mmpose.checkpoint import load_weights
from sdk.detectors.mmpose.configs import find_config, read_config, skeleton_of
from sdk.detectors.mmpose.detector import quiet
from sdk.detectors.mmpose.import_shims import import_mmpose
from sdk.detectors.onnx_models import OnnxModel
from sdk.detectors.openmmlab.rtmpose import BOX_EXPANSION, MEAN_RGB, SPLIT_RATIO, STD_RGB, RTMPose
from sdk.errors import AdaptPoseError, BadModelFile, MissingDependency
from sdk.skeletons.skeleton import Skeleton
from training.lifter.onnx_graphs import export_graph, write_graph

TOLERANCE_PX = 0.1
"""Largest allowed difference, in pixels of the image."""
INPUT_NAME, OUTPUT_NAMES = "input", ("simcc_x", "simcc_y")


class UnequalDetector(AdaptPoseError):
    """An exported detector with other results than mmpose."""


@dataclass(frozen=True)
class TopDownModel:
    """An mmpose model that can be exported.

    Attributes:
        model: The model built by mmpose, with its weights, on the CPU, in evaluation mode.
        metadata: Metadata for the file.
        skeleton: Skeleton of its joints.
        input_size: Width and height of its input.
    """

    model: Any
    metadata: DetectorMetadata
    skeleton: Skeleton
    input_size: tuple[int, int]


class SimccNetwork(nn.Module):
    """Backbone, neck and head of an mmpose model: normalised images to SimCC rows."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 3, H, W) normalised RGB to simcc_x (B, J, 2 W) and simcc_y (B, J, 2 H)."""
        x, y = self.model.head(self.model.extract_feat(images))
        return x, y


def open_top_down(config_name: str, checkpoint: Path) -> TopDownModel:
    """Build an mmpose model and fill its weights.

    Args:
        config_name: A path, or the name of a config that mmpose ships. A config is a program: open only those that you
            trust.
        checkpoint: Weights of the model. No code in the file is run.

    Raises:
        MissingDependency: mmpose is not installed.
        UnknownConfig: there is no such config.
        BadModelFile: the model is not a top-down SimCC model with RTMPose's input and COCO-17 or Halpe-26, or the
            weights do not fit.
    """
    path = find_config(config_name)
    with quiet():
        try:
            import_mmpose()
        except ImportError as error:
            raise MissingDependency(error.name or "mmpose", "mmpose", "adaptpose-export detector") from error
        from mmpose.apis import init_model
        from mmpose.apis.inference import dataset_meta_from_config

        config = read_config(path)
        _check_kind(config, path)
        skeleton = skeleton_of(dataset_meta_from_config(config), path)
        model = init_model(config, device="cpu")
    load_weights(model, checkpoint)
    width, height = config.codec.input_size
    metadata = DetectorMetadata(
        config=path.stem,
        skeleton=skeleton.name,
        input=f"a person's box, widened by {BOX_EXPANSION} and to {width}:{height}, as {width}x{height} RGB, "
        f"minus {MEAN_RGB}, over {STD_RGB}",
        output=f"argmax of each row over {SPLIT_RATIO:g} is a joint's x or y in pixels of the input, "
        "the smaller maximum its score",
        checkpoint_sha256=hashlib.sha256(checkpoint.read_bytes()).hexdigest(),
    )
    return TopDownModel(model.eval(), metadata, skeleton, (int(width), int(height)))


def _check_kind(config: Any, path: Path) -> None:
    """Raise BadModelFile for a model whose output the SDK's RTMPose would misread."""
    kind = str(config.model.type).rpartition(".")[2]
    codec = config.get("codec", {})
    prepared = config.model.get("data_preprocessor", {})
    for what, found, wanted in (
        ("model", kind, "TopdownPoseEstimator"),
        ("codec", str(codec.get("type", "none")).rpartition(".")[2], "SimCCLabel"),
        ("classes per pixel", codec.get("simcc_split_ratio"), SPLIT_RATIO),
        ("refinement (use_dark)", bool(codec.get("use_dark", False)), False),
        ("mean", tuple(prepared.get("mean", ())), MEAN_RGB),
        ("std", tuple(prepared.get("std", ())), STD_RGB),
        ("bgr_to_rgb", prepared.get("bgr_to_rgb"), True),
    ):
        if found != wanted:
            raise BadModelFile(
                f"{path}: {what} is {found!r}; exported are top-down models prepared and read as RTMPose ({wanted!r}). "
                "Run it with mmpose: --detector mmpose:CONFIG:CHECKPOINT."
            )


def write_detector_onnx(top_down: TopDownModel, path: Path) -> None:
    """Write the model: input (batch, 3, H, W), outputs simcc_x (batch, J, 2 W) and simcc_y (batch, J, 2 H), float32."""
    width, height = top_down.input_size
    with quiet():
        network = SimccNetwork(top_down.model)
        model = export_graph(network, [torch.zeros(2, 3, height, width)], [INPUT_NAME], list(OUTPUT_NAMES))
    write_graph(model, top_down.metadata.to_metadata(), path)


def measure_detector(top_down: TopDownModel, onnx_file: Path, images: Sequence[tuple[np.ndarray, np.ndarray]]) -> float:
    """The largest distance, in pixels, between joints of the exported file, run by the SDK, and those of mmpose.

    Args:
        top_down: The model that the file was made from.
        onnx_file: Written by `write_detector_onnx`.
        images: Images (H, W, 3) uint8 BGR, each with boxes of people (N, 4).
    """
    from mmpose.apis import inference_topdown

    largest = 0.0
    for image, boxes in images:
        found = RTMPose(OnnxModel(onnx_file), GivenBoxes(boxes, top_down.skeleton))(image)
        with quiet():
            expected = [s.pred_instances.keypoints for s in inference_topdown(top_down.model, image, boxes)]
        distance = np.linalg.norm(found.keypoints - np.concatenate(expected), axis=-1)
        largest = max(largest, float(distance.max()))
    return largest


def require_equal(largest_px: float, images: int) -> None:
    """Raise UnequalDetector if the largest distance is above `TOLERANCE_PX`."""
    if not largest_px <= TOLERANCE_PX:
        raise UnequalDetector(
            f"the exported detector's joints are up to {largest_px:.3f} pixels from mmpose's in {images} images; "
            f"{TOLERANCE_PX} is allowed. It must not be used."
        )


def drawn_images(count: int = 8) -> list[tuple[np.ndarray, np.ndarray]]:
    """Images of smooth coloured noise, with boxes of all shapes. Some boxes go beyond the image."""
    import cv2

    random = np.random.default_rng(0)
    made = []
    for _ in range(count):
        coarse = random.integers(0, 256, (12, 16, 3), np.uint8)
        image = cv2.resize(coarse, (640, 480), interpolation=cv2.INTER_CUBIC)
        corner, size = random.uniform((-40, -40), (400, 200), (3, 2)), random.uniform((40, 80), (300, 350), (3, 2))
        made.append((image, np.concatenate([corner, corner + size], 1).astype(np.float32)))
    return made


class GivenBoxes:
    """A person detector that returns known boxes."""

    identity = "given"

    def __init__(self, boxes: np.ndarray, skeleton: Skeleton) -> None:
        self.skeleton = skeleton
        self._boxes = np.asarray(boxes, np.float32)

    def __call__(self, image_bgr: np.ndarray) -> Detections:
        """The same boxes in every image; joints at zero."""
        people, joints = len(self._boxes), len(self.skeleton)
        return Detections(
            np.zeros((people, joints, 2), np.float32),
            np.zeros((people, joints), np.float32),
            self._boxes,
            np.ones(people, np.float32),
        )

    def reset(self) -> None:
        """Does nothing: there is no state."""
