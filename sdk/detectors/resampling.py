"""Part of a picture in another size; made smaller, what is small in it is averaged and not lost."""

from __future__ import annotations

import cv2
import numpy as np

METHOD = "halved"
"""Names it in the identity of detectors, whose results change with it."""


def resample(
    image: np.ndarray, left: int, top: int, pixels_per_sample: tuple[float, float], size: tuple[int, int]
) -> np.ndarray:
    """Resample a rectangle of a picture; black where that reaches outside.

    Made smaller: averages of 2 x 2 pixels until a sample has less than two of them a side, then linear between the four
    nearest. Small people do not fall between the samples, as they would with the second step alone. `cv2.INTER_AREA` is
    within a few grey levels of it and takes three to five times as long where the ratio is no whole number.

    Args:
        image: (H, W, 3) uint8.
        left: Column of the rectangle's left edge.
        top: Row of its top edge.
        pixels_per_sample: Pixels of the picture for one of the result, along x and y.
        size: Width and height of the result.

    Returns:
        (height, width, 3) uint8.
    """
    (scale_x, scale_y), (width, height) = pixels_per_sample, size
    columns, rows = max(round(width * scale_x), 1), max(round(height * scale_y), 1)
    part = image[max(top, 0) : max(top + rows, 0), max(left, 0) : max(left + columns, 0)]
    if part.size == 0:
        return np.zeros((height, width, 3), image.dtype)
    if min(pixels_per_sample) < 1:
        # Padded, then resized: the other way round the picture lands on whole network pixels, 4 of ours off.
        padded = np.zeros((rows, columns, 3), image.dtype)
        below, right = max(-top, 0), max(-left, 0)
        padded[below : below + part.shape[0], right : right + part.shape[1]] = part
        return cv2.resize(padded, size, interpolation=cv2.INTER_LINEAR)
    start_x, start_y = min(left, 0.0), min(top, 0.0)  # of the rectangle in its part inside
    while min(scale_x, scale_y) >= 2 and min(part.shape[:2]) >= 2:
        rows, columns = (side // 2 for side in part.shape[:2])
        part = cv2.resize(part[: 2 * rows, : 2 * columns], (columns, rows), interpolation=cv2.INTER_AREA)
        start_x, start_y, scale_x, scale_y = start_x / 2, start_y / 2, scale_x / 2, scale_y / 2
    # From the middle of a sample to the middle of a pixel.
    matrix = np.array([[scale_x, 0, start_x + (scale_x - 1) / 2], [0, scale_y, start_y + (scale_y - 1) / 2]])
    return cv2.warpAffine(part, matrix, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
