"""A square cut out of a picture, padded with black where it reaches outside."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from sdk.detectors.shrinking import shrink


@dataclass(frozen=True)
class SquareCrop:
    """Where a network looks, in pixels of the picture.

    Attributes:
        left: Column of the left edge; negative outside.
        top: Row of the top edge; negative outside.
        side: Length of an edge, at least 1.
    """

    left: int
    top: int
    side: int

    @classmethod
    def around_picture(cls, height: int, width: int) -> SquareCrop:
        """The smallest square that holds the whole picture, centred on it."""
        side = max(height, width)
        return cls((width - side) // 2, (height - side) // 2, side)

    def cut(self, image: np.ndarray, size: int) -> np.ndarray:
        """The part of the picture (H, W, 3) inside the square, resized to (size, size, 3)."""
        if size < self.side:
            return shrink(image, self.left, self.top, (self.side / size, self.side / size), (size, size))
        height, width = image.shape[:2]
        left, right = np.clip((self.left, self.left + self.side), 0, width)
        top, bottom = np.clip((self.top, self.top + self.side), 0, height)
        # Padded, then resized: the other way round the picture lands on whole network pixels, 4 of ours off.
        square = np.zeros((self.side, self.side, 3), image.dtype)
        square[top - self.top : bottom - self.top, left - self.left : right - self.left] = image[top:bottom, left:right]
        return cv2.resize(square, (size, size), interpolation=cv2.INTER_LINEAR)

    def to_pixels(self, fractions: np.ndarray) -> np.ndarray:
        """Positions (..., 2) as x, y fractions of the square, in pixels of the picture."""
        return np.asarray(fractions, np.float32) * self.side + np.array([self.left, self.top], np.float32)
