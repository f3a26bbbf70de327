"""Runs any 2D body model of mmpose, from config and checkpoint."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np

from sdk.detectors.detection import Detections, Detector, missing_boxes, needless_boxes
from sdk.detectors.mmpose.checkpoint import load_weights
from sdk.detectors.mmpose.configs import find_config, hash_config, read_config, skeleton_of
from sdk.detectors.mmpose.import_shims import import_mmpose
from sdk.detectors.onnx_models import content_hash
from sdk.detectors.person_boxes import PersonBoxes, check_detection_interval
from sdk.errors import BadModelFile, DeviceUnavailable, MissingDependency
from sdk.runtime.sessions import parse_device
from sdk.skeletons.skeleton import Skeleton
from sdk.video.image_check import check_image

VISIBLE_SCORE = 0.3
"""If the model gives no boxes, a box is the extent of the joints with at least this score."""
PERSON_KINDS = ("TopdownPoseEstimator", "BottomupPoseEstimator")


class MMPoseDetector:
    """Finds people with an mmpose model: top-down models inside boxes, bottom-up and one-stage models without boxes.

    Args:
        model: From `mmpose.apis.init_model`.
        skeleton: Skeleton of its joints.
        boxes: Person boxes for a top-down model. Boxes and their scores are passed on. None for other models.
        device: Device of the model. On a GPU it computes in half precision.
        identity: Identity of model and weights.
    """

    def __init__(self, model: Any, skeleton: Skeleton, boxes: PersonBoxes | None, device: str, identity: str) -> None:
        self._model = model
        self._boxes = boxes
        self.skeleton = skeleton
        self.device = device
        self.identity = identity

    def __call__(self, image_bgr: np.ndarray) -> Detections:
        """The people in one image, (H, W, 3) uint8 BGR.

        Raises:
            BadImage: for any other array.
            BadModelFile: the model returns another number of joints than its config says, or NaN.
        """
        check_image(image_bgr)
        found = None if self._boxes is None else self._boxes(image_bgr)
        with warnings.catch_warnings(), self._precision():
            warnings.simplefilter("ignore")  # mmpose 1.3 uses names and defaults that torch now deprecates
            people = self._find(image_bgr) if found is None else self._look_inside(found, image_bgr)
        if self._boxes is not None:
            self._boxes.follow(people)
        return people

    def reset(self) -> None:
        """Reset the detector of the boxes, because another video starts."""
        if self._boxes is not None:
            self._boxes.reset()

    def _precision(self) -> AbstractContextManager[Any]:
        import torch

        cuda = self.device.startswith("cuda")
        return torch.autocast("cuda", dtype=torch.float16) if cuda else nullcontext()

    def _look_inside(self, found: Detections, image_bgr: np.ndarray) -> Detections:
        from mmpose.apis import inference_topdown

        if len(found) == 0:  # mmpose would take the whole image as a person
            return Detections.none(len(self.skeleton))
        people = [self._checked(s.pred_instances) for s in inference_topdown(self._model, image_bgr, found.boxes)]
        keypoints = np.concatenate([person.keypoints for person in people])
        scores = np.concatenate([person.keypoint_scores for person in people])
        return Detections(_single(keypoints), _single(scores).clip(0, 1), found.boxes, found.box_scores)

    def _find(self, image_bgr: np.ndarray) -> Detections:
        from mmpose.apis import inference_bottomup

        people = inference_bottomup(self._model, image_bgr)[0].pred_instances
        if len(people) == 0:
            return Detections.none(len(self.skeleton))
        people = self._checked(people)
        keypoints, scores = _single(people.keypoints), _single(people.keypoint_scores).clip(0, 1)
        if "bboxes" not in people or "bbox_scores" not in people:
            return Detections.from_keypoints(keypoints, scores, VISIBLE_SCORE)
        return Detections(keypoints, scores, _single(people.bboxes), _single(people.bbox_scores).clip(0, 1))

    def _checked(self, people: Any) -> Any:
        if people.keypoints.shape[1:] != (len(self.skeleton), 2):
            raise BadModelFile(
                f"the mmpose model returns keypoints {people.keypoints.shape}, but its config names the "
                f"{len(self.skeleton)} joints of {self.skeleton.name}."
            )
        if not (np.isfinite(people.keypoints).all() and np.isfinite(people.keypoint_scores).all()):
            raise BadModelFile("the mmpose model returns keypoints that are not finite: its weights are damaged.")
        return people


def open_mmpose_detector(
    config_name: str,
    checkpoint: Path | None,
    open_boxes: Callable[[], Detector] | None,
    device: str = "cpu",
    det_every: int = 1,
) -> MMPoseDetector:
    """Open an mmpose model.

    Args:
        config_name: See `find_config`. A config is a Python program, which this runs.
        checkpoint: Weights of the model. No code in the file is run.
        open_boxes: Opens the detector of person boxes for a top-down model; None if there is none.
        device: `cpu`, `cuda`, `cuda:N`, or `auto`.
        det_every: See `PersonBoxes`.

    Raises:
        MissingDependency: mmpose, or a package it needs, is not installed.
        UnknownConfig: there is no such config.
        BadModelFile: the checkpoint is missing, not given, or does not fit; or the config is not readable or has other
            joints.
        BadBoxes: a top-down model has no boxes, or another model has some.
        UnknownDevice, DeviceUnavailable: as the names say.
    """
    config_path = find_config(config_name)
    if checkpoint is None:
        raise BadModelFile(
            f"no checkpoint for {config_name!r}: its weights would be random. Write "
            f"'mmpose:{config_name}:CHECKPOINT.pth'; mmpose's model zoo has one for each of its configs."
        )
    with quiet():
        try:
            mmpose = import_mmpose()
        except ImportError as error:
            raise MissingDependency(error.name or "mmpose", "mmpose", "a detector 'mmpose:...'") from error
        from mmpose.apis import init_model
        from mmpose.apis.inference import dataset_meta_from_config

        torch_device = find_torch_device(device)
        config = read_config(config_path)
        kind = str(config.model.type).rpartition(".")[2]
        if kind not in PERSON_KINDS:
            raise BadModelFile(f"{config_path} describes a {kind}; known are {', '.join(PERSON_KINDS)}.")
        if kind == "TopdownPoseEstimator" and open_boxes is None:
            raise missing_boxes(config_name)
        if kind == "BottomupPoseEstimator" and (open_boxes is not None or check_detection_interval(det_every) > 1):
            raise needless_boxes(config_name)
        skeleton = skeleton_of(dataset_meta_from_config(config), config_path)
        identity = f"mmpose:{mmpose.__version__}:{hash_config(config)}"
        model = init_model(config, device="cpu")
    load_weights(model, checkpoint)
    model.to(torch_device)
    boxes = PersonBoxes(open_boxes(), det_every) if open_boxes is not None else None
    identity += ":fp16" if torch_device.startswith("cuda") else ""
    identity += f":{content_hash(checkpoint)}" + (f":boxes=({boxes.identity})" if boxes is not None else "")
    return MMPoseDetector(model, skeleton, boxes, torch_device, identity)


def find_torch_device(device: str) -> str:
    """torch's name of a device.

    Raises:
        UnknownDevice, DeviceUnavailable: as the names say.
    """
    import torch

    kind, number = parse_device(device)
    if kind in ("tensorrt", "openvino"):
        raise DeviceUnavailable(
            f"mmpose models run in torch, not on device {kind!r}. Export the model with adaptpose-export detector, or "
            "use device='cpu' or 'cuda'."
        )
    there = torch.cuda.device_count()
    if kind == "cpu" or (kind == "auto" and there == 0):
        return "cpu"
    if number >= there:
        raise DeviceUnavailable(
            f"device {device!r} is not here: torch {torch.__version__} sees {there} CUDA devices. Use device='cpu'."
        )
    return f"cuda:{number}"


@contextmanager
def quiet() -> Iterator[None]:
    """Silence mmpose and mmengine: they warn of mmdet, which is not needed, and of metadata that they do find."""
    level = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)


def _single(values: Any) -> np.ndarray:
    return np.asarray(values.cpu() if hasattr(values, "cpu") else values, np.float32)
