"""Where MoveNet's single-pose models look next: round the pose they saw last.

The rule and its constants are those Google publishes with the models: they were trained on crops made this way.
"""

from __future__ import annotations

import numpy as np

from sdk.detectors.square_crop import SquareCrop
from sdk.skeletons import COCO17

SEEN_SCORE = 0.2
"""A joint below this is taken as not seen."""
TORSO_MARGIN = 1.9
"""Half of the crop, in units of the farthest torso joint's distance from mid-hips."""
BODY_MARGIN = 1.2
"""Half of the crop, in units of the farthest seen joint's distance from mid-hips."""

_SHOULDERS = [COCO17.index("left_shoulder"), COCO17.index("right_shoulder")]
_HIPS = [COCO17.index("left_hip"), COCO17.index("right_hip")]


def next_crop(keypoints: np.ndarray, scores: np.ndarray, height: int, width: int) -> SquareCrop:
    """The square for the next picture.

    Args:
        keypoints: Last pose, (17, 2) pixels.
        scores: (17,).
        height: Of the picture, pixels.
        width: Of the picture, pixels.

    Returns:
        A square round mid-hips that holds the body with a margin; round the whole picture where neither a shoulder
        nor a hip was seen, or where the body fills the picture.
    """
    seen = scores >= SEEN_SCORE
    if not (seen[_SHOULDERS].any() and seen[_HIPS].any()):
        return SquareCrop.around_picture(height, width)
    centre = keypoints[_HIPS].mean(0)
    distance = np.abs(keypoints - centre).max(1)
    half = max(TORSO_MARGIN * distance[_SHOULDERS + _HIPS].max(), BODY_MARGIN * distance[seen].max())
    # No need to reach beyond the picture's farthest edge.
    half = min(half, max(centre[0], width - centre[0], centre[1], height - centre[1]))
    if half > max(height, width) / 2:
        return SquareCrop.around_picture(height, width)
    return SquareCrop(round(float(centre[0] - half)), round(float(centre[1] - half)), max(round(float(2 * half)), 1))
