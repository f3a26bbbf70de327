"""A whole image in a network's input: scaled with its aspect ratio kept, grey round it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

GREY = 114
"""What RTMO and YOLOX saw round images in training."""


@dataclass(frozen=True)
class Letterbox:
    """Where an image lies in the input.

    Attributes:
        scale: x, y: input pixels to a pixel of the image.
        corner: x, y of the image's upper left corner in the input.
    """

    scale: tuple[float, float]
    corner: tuple[float, float]

    def to_pixels(self, positions: np.ndarray) -> np.ndarray:
        """Convert positions (..., 2) in the input to pixels of the image."""
        return (positions - np.array(self.corner, np.float32)) / np.array(self.scale, np.float32)


def in_the_middle(image_bgr: np.ndarray, width: int, height: int) -> tuple[np.ndarray, Letterbox]:
    """As mmpose does for RTMO (BottomupResize): the centre of the image lies in the centre of the input.

    Returns:
        The input (3, height, width), float32 BGR from 0 to 255, and where the image lies in it.
    """
    rows, columns = image_bgr.shape[:2]
    scale = min(width / columns, height / rows)
    corner = (width / 2 - columns / 2 * scale, height / 2 - rows / 2 * scale)
    move = np.array([[scale, 0, corner[0]], [0, scale, corner[1]]])
    inside = cv2.warpAffine(image_bgr, move, (width, height), flags=cv2.INTER_LINEAR, borderValue=(GREY, GREY, GREY))
    return _channels_first(inside), Letterbox((scale, scale), corner)


def in_the_corner(image_bgr: np.ndarray, width: int, height: int) -> tuple[np.ndarray, Letterbox]:
    """As mmdet does for YOLOX (Resize, Pad): the image, rounded to whole pixels, lies in the upper left corner.

    Returns:
        As `in_the_middle`.
    """
    rows, columns = image_bgr.shape[:2]
    scale = min(width / columns, height / rows)
    new_width, new_height = max(int(columns * scale + 0.5), 1), max(int(rows * scale + 0.5), 1)
    inside = np.full((height, width, 3), GREY, np.uint8)
    inside[:new_height, :new_width] = cv2.resize(image_bgr, (new_width, new_height), interpolation=cv2.INTER_LINEAR)
    return _channels_first(inside), Letterbox((new_width / columns, new_height / rows), (0.0, 0.0))


def _channels_first(image_bgr: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(image_bgr.transpose(2, 0, 1), np.float32)
