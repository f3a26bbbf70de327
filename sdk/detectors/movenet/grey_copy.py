"""Small grey copies of images: what a scene looks like, cell by cell."""

from __future__ import annotations

import cv2
import numpy as np

LONG_SIDE_CELLS = 96
"""A cell is 20 pixels wide in 1080p: a person of 32 pixels covers most of one."""
SAMPLES_PER_CELL = 4
"""Least pixels along a cell's side that its mean is taken of. All of them take ten times as long (1080p: 2.0 ms)."""
CHANGED_LEVELS = 8.0
"""A cell is changed from so many grey levels (of 256) on. A camera's noise in poor light (8 levels a pixel) makes 2 of
a cell's mean of 16, four times less; a person who covers half a cell and is 16 levels off the background is seen."""


def small_grey(image_bgr: np.ndarray, finer: int = 1) -> np.ndarray:
    """An image (H, W, 3) uint8 with `LONG_SIDE_CELLS` times `finer` cells along its longer side, float32: the means of
    pixels of its green, which most resembles brightness. Finer ones are means of fewer pixels.
    """
    height, width = image_bgr.shape[:2]
    longer = max(height, width)
    step = max(longer // (LONG_SIDE_CELLS * SAMPLES_PER_CELL), 1)
    rows, columns = (max(round(LONG_SIDE_CELLS * side / longer), 1) * finer for side in (height, width))
    green = np.ascontiguousarray(image_bgr[::step, ::step, 1])
    return cv2.resize(green, (columns, rows), interpolation=cv2.INTER_AREA).astype(np.float32)
