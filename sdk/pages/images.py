"""Images inside a page."""

from __future__ import annotations

from base64 import b64encode

import numpy as np


def embedded_jpeg(image_bgr: np.ndarray, longest_px: int, quality: int) -> str:
    """An image (H, W, 3), scaled to at most `longest_px`, as the address of an embedded JPEG."""
    import cv2

    scale = min(1.0, longest_px / max(image_bgr.shape[:2]))
    if scale < 1:
        image_bgr = cv2.resize(image_bgr, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    _, data = cv2.imencode(".jpg", image_bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return "data:image/jpeg;base64," + b64encode(data.tobytes()).decode()
