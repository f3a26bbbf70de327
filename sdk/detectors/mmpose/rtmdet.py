"""Finds people with mmdet's RTMDet, if mmdet is really installed. mmpose's own tools use it too."""

from __future__ import annotations

import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from sdk.detectors.detection import Detections
from sdk.detectors.mmpose.checkpoint import load_weights
from sdk.detectors.mmpose.configs import metadata_address
from sdk.detectors.mmpose.detector import find_torch_device, quiet
from sdk.detectors.mmpose.import_shims import import_mmpose
from sdk.detectors.onnx_models import content_hash
from sdk.files.downloads import fetch_weights
from sdk.skeletons.skeleton import COCO17
from sdk.video.image_check import check_image

CONFIG = "rtmdet_m_8xb32-300e_coco"
PERSON_LABEL = 0
PERSON_SCORE = 0.3


class RTMDetPeople:
    """Finds the people of each image as boxes. All joints are in the middle of the box and count as not seen.

    Args:
        checkpoint: Weights; None for those of mmdet's zoo, which are downloaded at first use.
        device: `cpu`, `cuda`, `cuda:N` or `auto`.

    Raises:
        BadDownload: the weights are not in the cache and can't be downloaded.
        BadModelFile: the checkpoint does not fit.
        UnknownDevice, DeviceUnavailable: as the names say.
    """

    skeleton = COCO17
    boxes_only = True

    def __init__(self, checkpoint: Path | None = None, device: str = "cpu") -> None:
        import_mmpose()
        from mmdet.apis import init_detector

        config = mmdet_config()
        checkpoint = checkpoint or fetch_weights(metadata_address(config))
        self.device = find_torch_device(device)
        with quiet():
            self._model = init_detector(str(config), None, palette="coco", device="cpu")
        load_weights(self._model, checkpoint)
        self._model.to(self.device)
        self.identity = f"rtmdet:{content_hash(checkpoint)}:person={PERSON_SCORE}"

    def __call__(self, image_bgr: np.ndarray) -> Detections:
        """The people in one image, (H, W, 3) uint8 BGR, highest score first.

        Raises:
            BadImage: for any other array.
        """
        from mmdet.apis import inference_detector

        check_image(image_bgr)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found: Any = inference_detector(self._model, image_bgr).pred_instances
        boxes, scores = found.bboxes.cpu().numpy(), found.scores.cpu().numpy().clip(0, 1)
        person = (found.labels.cpu().numpy() == PERSON_LABEL) & (scores >= PERSON_SCORE)
        return Detections.from_boxes(boxes[person], scores[person], len(COCO17))

    def reset(self) -> None:
        """Does nothing: there is no state between images."""


def mmdet_is_installed() -> bool:
    """Whether the real mmdet is installed, and not our stand-in."""
    try:
        spec = find_spec("mmdet")
    except ValueError:  # the stand-in has no module specification
        return False
    return spec is not None and spec.origin is not None


def mmdet_config() -> Path:
    """The file of RTMDet's config in mmdet's wheel."""
    spec = find_spec("mmdet")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / ".mim" / "configs" / "rtmdet" / f"{CONFIG}.py"
