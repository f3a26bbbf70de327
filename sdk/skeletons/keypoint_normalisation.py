"""Pixels to the lifter's image coordinates and back (AdaptPose, section 6)."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import numpy as np

from sdk.errors import BadKeypoints

Normalisation = Literal["screen", "root-centred"]
"""`screen`: the longer side spans [-1, 1]. `root-centred`: pelvis at zero, Frobenius norm one (cropped footage)."""


def normalise_screen(keypoints_px: np.ndarray, image_size: tuple[int, int]) -> np.ndarray:
    """Map pixels so that the longer side spans [-1, 1] and the image centre is zero.

    For a landscape image this is x / w * 2 - 1 and (y - h / 2) * 2 / w. Both are divided by the width, so the aspect
    ratio is kept. For a portrait image, both are divided by the height, as if it were padded to a square.

    Args:
        keypoints_px: (..., 2), x right and y down.
        image_size: Width and height in pixels.

    Returns:
        (..., 2) float32.

    Raises:
        BadKeypoints: if the image size is not two positive numbers.
    """
    width, height = check_image_size(image_size)
    centre, scale = _centre_and_scale(float(width), float(height))
    return (np.asarray(keypoints_px, np.float32) - centre) * scale


@lru_cache(maxsize=64)
def _centre_and_scale(width: float, height: float) -> tuple[np.ndarray, np.float32]:
    """They are the same for every frame of a video, and making them takes as long as using them."""
    centre = np.array([width / 2, height / 2], np.float32)
    centre.setflags(write=False)
    return centre, np.float32(2 / max(width, height))


def screen_to_pixels(keypoints: np.ndarray, image_size: tuple[int, int]) -> np.ndarray:
    """The inverse of `normalise_screen`: (..., 2) image coordinates to pixels."""
    width, height = check_image_size(image_size)
    return np.asarray(keypoints) * (max(width, height) / 2) + np.array([width / 2, height / 2])


def normalise_root_centred(keypoints: np.ndarray) -> np.ndarray:
    """Put the pelvis of each pose at zero and scale the pose to Frobenius norm one.

    Args:
        keypoints: (..., 16, 2) in any unit; joint 0 is the pelvis.

    Returns:
        (..., 16, 2); a pose whose joints all coincide stays zero.
    """
    centred = keypoints - keypoints[..., :1, :]
    norm = np.sqrt((centred**2).sum((-2, -1), keepdims=True))
    return centred / np.where(norm == 0, 1, norm)


def check_image_size(image_size: tuple[int, int]) -> tuple[int, int]:
    """Return (width, height) or raise BadKeypoints naming the value."""
    try:
        width, height = image_size
        if width > 0 and height > 0:
            return width, height
    except (TypeError, ValueError):
        pass
    raise BadKeypoints(f"image_size must be (width, height) in pixels, both positive, not {image_size!r}.")
