"""Checks that an image has the form that detectors take."""

from __future__ import annotations

import numpy as np

from sdk.errors import BadImage


def check_image(image_bgr: np.ndarray) -> None:
    """Refuse all that is not a BGR image, (H, W, 3) uint8.

    Raises:
        BadImage: it is something else; names type, dtype and shape.
    """
    if not isinstance(image_bgr, np.ndarray):
        raise BadImage(f"a detector takes a numpy array (H, W, 3) of uint8 BGR, not {type(image_bgr).__name__}.")
    if image_bgr.dtype != np.uint8 or image_bgr.ndim != 3 or image_bgr.shape[2] != 3 or 0 in image_bgr.shape:
        raise BadImage(
            f"a detector takes an image (H, W, 3) of uint8 BGR, not {image_bgr.dtype} {image_bgr.shape}. "
            "Grey: cv2.cvtColor(image, cv2.COLOR_GRAY2BGR); in [0, 1]: (image * 255).astype(np.uint8)."
        )
