"""What moves by itself while the camera moves.

An image is compared with one of some images ago, which is shifted as far as the scene seems to have moved between them.
What still differs has moved by itself, or lies much nearer or farther than the rest. Where the camera zooms or shakes,
no one shift fits: then more places stand out than there are, or none.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from sdk.detectors.movenet.grey_copy import CHANGED_LEVELS, small_grey

COMPARED_IMAGES = 10
"""An image is compared with the one so many images before: who walks is a quarter of their height further by then."""
FINER = 2
"""The grey copies have so many times the cells of a scene's. With 1, a walker 48 pixels tall in a panned 1080p stood
out in a third of the images, with 2 in nine of ten."""
SHIFT_ERROR = 0.4
"""The shift is known to so much of a cell. What a shift by that explains is no change: edges, leaves."""
LEAST_RESPONSE = 0.3
"""Least response of the phase correlation: real films have 0.7 to 1, scenes that are too smooth for it about 0."""
_FEWEST_CELLS = 16
"""Least cells along a side for a shift to be told."""


@dataclass(frozen=True, eq=False)
class PannedScene:
    """The last images of a camera that moves; a value.

    Attributes:
        images: Up to `COMPARED_IMAGES` grey copies (rows, columns), the oldest first.
        covered: Where people were followed in each, (rows, columns) bool.
    """

    images: tuple[np.ndarray, ...] = ()
    covered: tuple[np.ndarray, ...] = ()

    def after(self, image_bgr: np.ndarray, covered: np.ndarray) -> tuple[PannedScene, np.ndarray]:
        """With one more image; and which cells of the scene moved by themselves, like `covered`.

        Args:
            image_bgr: (H, W, 3) uint8.
            covered: (rows, columns) bool: cells of the scene in which people are followed.
        """
        grey = small_grey(image_bgr, FINER)
        fine = covered.repeat(FINER, 0).repeat(FINER, 1)
        known = self if self.images and self.images[0].shape == grey.shape else PannedScene()
        images, boxes = (*known.images, grey), (*known.covered, fine)
        moved = np.zeros(grey.shape, bool)
        if len(images) > COMPARED_IMAGES:
            if min(grey.shape) >= _FEWEST_CELLS:
                moved = _moved_alone(images[0], boxes[0], grey, fine)
            images, boxes = images[1:], boxes[1:]
        rows, columns = covered.shape
        return PannedScene(images, boxes), moved.reshape(rows, FINER, columns, FINER).any((1, 3))


def _moved_alone(earlier: np.ndarray, was_covered: np.ndarray, grey: np.ndarray, covered: np.ndarray) -> np.ndarray:
    """Cells of a grey copy that an earlier one does not explain, shifted to fit."""
    size = grey.shape[::-1]
    window = cv2.createHanningWindow(size, cv2.CV_32F)
    # Of copies: OpenCV multiplies the images that it is given by the window.
    (x, y), surely = cv2.phaseCorrelate(earlier.copy(), grey.copy(), window)
    if surely < LEAST_RESPONSE:
        return np.zeros(grey.shape, bool)
    shift = np.array([[1.0, 0.0, x], [0.0, 1.0, y]])
    there = cv2.warpAffine(np.ones_like(earlier), shift, size) > 0.999
    open_ = there & ~covered & (cv2.warpAffine(was_covered.astype(np.float32), shift, size) == 0)
    if not open_.any():
        return open_
    difference = grey - cv2.warpAffine(earlier, shift, size)
    difference -= np.median(difference[open_])
    step = cv2.morphologyEx(grey, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    return (np.abs(difference) >= CHANGED_LEVELS + SHIFT_ERROR * step) & open_
