"""The part of a picture that a top-down model sees: a person's box, widened to the network's aspect."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

BOX_EXPANSION = 1.25
"""Margin round a person's box with which RTMPose is trained."""


@dataclass(frozen=True)
class PersonCrop:
    """An upright rectangle with the network's aspect, in pixels of the picture.

    Attributes:
        centre: x, y.
        width: Of the rectangle.
        height: Of the rectangle.
    """

    centre: tuple[float, float]
    width: float
    height: float

    @classmethod
    def around_box(cls, box: np.ndarray, aspect: float, expansion: float = BOX_EXPANSION) -> PersonCrop:
        """The smallest rectangle of that aspect that holds the widened box.

        Args:
            box: (4,) left, top, right, bottom.
            aspect: Width over height.
            expansion: Factor on the box about its centre.
        """
        left, top, right, bottom = (float(edge) for edge in box)
        width, height = max(right - left, 1.0) * expansion, max(bottom - top, 1.0) * expansion
        width, height = max(width, height * aspect), max(height, width / aspect)
        return cls(((left + right) / 2, (top + bottom) / 2), width, height)

    def cut(self, image: np.ndarray, width: int, height: int) -> np.ndarray:
        """The rectangle of the picture (H, W, 3), resampled to (height, width, 3), black outside."""
        scale = width / self.width
        move = [width / 2 - self.centre[0] * scale, height / 2 - self.centre[1] * scale]
        matrix = np.array([[scale, 0, move[0]], [0, scale, move[1]]])
        return cv2.warpAffine(image, matrix, (width, height), flags=cv2.INTER_LINEAR)

    def to_pixels(self, positions: np.ndarray, width: int) -> np.ndarray:
        """Positions (..., 2) in the cut, `width` columns wide, in pixels of the picture."""
        corner = np.array([self.centre[0] - self.width / 2, self.centre[1] - self.height / 2], np.float32)
        return np.asarray(positions, np.float32) * np.float32(self.width / width) + corner
