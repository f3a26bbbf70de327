"""What detectors of one stage share: the whole image goes through the graph, and nothing is kept between images."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from sdk.detectors.detection import Detections
from sdk.detectors.openmmlab.graph_runs import run_each
from sdk.detectors.openmmlab.letterbox import Letterbox
from sdk.detectors.parallel import BatchDetector, ParallelDetector
from sdk.errors import BadModelFile
from sdk.skeletons.skeleton import COCO17
from sdk.video.image_check import check_image

if TYPE_CHECKING:
    from sdk.detectors.onnx_models import OnnxModel

IMAGES_AT_ONCE = 4
"""Most images in one call: 20 MB of input at 640 x 640."""
INPUT_PX = 640
"""Width and height of the input, where the graph takes any and nobody says what it was trained for."""


class WholeImageDetector(ABC):
    """Finds everybody in an image at once.

    Args:
        model: BGR (N, 3, H, W) from 0 to 255 -> what `_decode` takes, with N as the first axis.
        input_px: Width and height of the input, where the graph takes any.
    """

    skeleton = COCO17
    identity: str

    def __init__(self, model: OnnxModel, input_px: int = INPUT_PX) -> None:
        self._model = model
        height, width = model.inputs[0].shape[2:]
        self._height = height if isinstance(height, int) else input_px
        self._width = width if isinstance(width, int) else input_px
        self.device = model.device

    def __call__(self, image_bgr: np.ndarray) -> Detections:
        """The people in one image, (H, W, 3) uint8 BGR, highest score first.

        Raises:
            BadImage: for any other array.
            BadModelFile: the model returns other shapes than its file says, or NaN.
        """
        return self._find(self._model, [image_bgr])[0]

    def reset(self) -> None:  # noqa: B027 (nothing in subclasses either)
        """Does nothing: there is no state between images."""

    def parallel(self) -> ParallelDetector | None:
        """The parallel form; only on the CPU."""
        model = self._model.for_two_threads
        if model is None:
            return None
        return ParallelDetector(lambda image_bgr, _: (self._find(model, [image_bgr])[0], None), self.identity)

    def batches(self) -> BatchDetector:
        """The form for several images in one call."""
        return BatchDetector(lambda images: self._find(self._model, images), IMAGES_AT_ONCE)

    def _find(self, model: OnnxModel, images_bgr: Sequence[np.ndarray]) -> list[Detections]:
        for image in images_bgr:
            check_image(image)
        fitted = [self._fit(image) for image in images_bgr]
        found = []
        for outputs, (_, place) in zip(
            run_each(model, (content for content, _ in fitted), IMAGES_AT_ONCE), fitted, strict=True
        ):
            if not all(np.isfinite(output).all() for output in outputs):
                raise BadModelFile(f"{self._model.path} returns values that are not finite: its weights are damaged.")
            found.append(self._decode(outputs, place))
        return found

    @abstractmethod
    def _fit(self, image_bgr: np.ndarray) -> tuple[np.ndarray, Letterbox]:
        """The input (3, H, W) for an image, and where the image lies in it."""

    @abstractmethod
    def _decode(self, outputs: list[np.ndarray], place: Letterbox) -> Detections:
        """The people of an image, in its pixels, from the graph's outputs for it. They are finite."""
