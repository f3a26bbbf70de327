"""The square that MoveNet sees: where it lies, how it is cut out, how it is resampled.

The rule and its constants are those Google publishes with the models: they were trained on crops made this way.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from sdk.skeletons.skeleton import COCO17


@dataclass(frozen=True)
class SquareCrop:
    """Where a network looks, in pixels of the image.

    Attributes:
        left: Column of the left edge; negative outside.
        top: Row of the top edge; negative outside.
        side: Length of an edge, at least 1.
    """

    left: int
    top: int
    side: int

    @classmethod
    def around_image(cls, height: int, width: int) -> SquareCrop:
        """The smallest square that holds the whole image, centred on it."""
        side = max(height, width)
        return cls((width - side) // 2, (height - side) // 2, side)

    def cut(self, image: np.ndarray, size: int) -> np.ndarray:
        """The part of the image (H, W, 3) inside the square, resized to (size, size, 3)."""
        return resample(image, self.left, self.top, (self.side / size, self.side / size), (size, size))

    def to_pixels(self, fractions: np.ndarray) -> np.ndarray:
        """Positions (..., 2) as x, y fractions of the square, in pixels of the image."""
        return np.asarray(fractions, np.float32) * self.side + np.array([self.left, self.top], np.float32)


SEEN_SCORE = 0.2
"""A joint below this is taken as not seen."""
TORSO_MARGIN = 1.9
"""Half of the crop, in units of the farthest torso joint's distance from mid-hips."""
BODY_MARGIN = 1.2
"""Half of the crop, in units of the farthest seen joint's distance from mid-hips."""

_SHOULDERS = [COCO17.index("left_shoulder"), COCO17.index("right_shoulder")]
_HIPS = [COCO17.index("left_hip"), COCO17.index("right_hip")]


def next_crop(keypoints: np.ndarray, scores: np.ndarray, height: int, width: int) -> SquareCrop:
    """The square for the next image.

    Args:
        keypoints: Last pose, (17, 2) pixels.
        scores: (17,).
        height: Of the image, pixels.
        width: Of the image, pixels.

    Returns:
        A square round mid-hips that holds the body with a margin; round the whole image where neither a shoulder
        nor a hip was seen, or where the body fills the image.
    """
    seen = scores >= SEEN_SCORE
    if not (seen[_SHOULDERS].any() and seen[_HIPS].any()):
        return SquareCrop.around_image(height, width)
    centre = keypoints[_HIPS].mean(0)
    distance = np.abs(keypoints - centre).max(1)
    half = max(TORSO_MARGIN * distance[_SHOULDERS + _HIPS].max(), BODY_MARGIN * distance[seen].max())
    # No need to reach beyond the image's farthest edge.
    half = min(half, max(centre[0], width - centre[0], centre[1], height - centre[1]))
    if half > max(height, width) / 2:
        return SquareCrop.around_image(height, width)
    return SquareCrop(round(float(centre[0] - half)), round(float(centre[1] - half)), max(round(float(2 * half)), 1))


METHOD = "halved"
"""Names it in the identity of detectors, whose results change with it."""


def resample(
    image: np.ndarray, left: int, top: int, pixels_per_sample: tuple[float, float], size: tuple[int, int]
) -> np.ndarray:
    """Resample a rectangle of an image; black where that reaches outside.

    Made smaller: averages of 2 x 2 pixels until a sample has less than two of them a side, then linear between the four
    nearest. Small people do not fall between the samples, as they would with the second step alone. `cv2.INTER_AREA` is
    within a few grey levels of it and takes three to five times as long where the ratio is no whole number.

    Args:
        image: (H, W, 3) uint8.
        left: Column of the rectangle's left edge.
        top: Row of its top edge.
        pixels_per_sample: Pixels of the image for one of the result, along x and y.
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
        # Padded, then resized: the other way round the image lands on whole network pixels, 4 of ours off.
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
