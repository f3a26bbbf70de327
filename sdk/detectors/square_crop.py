"""A square cut out of a picture, padded with black where it reaches outside."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sdk.detectors.resampling import resample


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
        return resample(image, self.left, self.top, (self.side / size, self.side / size), (size, size))

    def to_pixels(self, fractions: np.ndarray) -> np.ndarray:
        """Positions (..., 2) as x, y fractions of the square, in pixels of the picture."""
        return np.asarray(fractions, np.float32) * self.side + np.array([self.left, self.top], np.float32)
