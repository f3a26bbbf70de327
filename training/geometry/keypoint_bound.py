"""Keypoints far outside the picture, held near it for networks: one behind the camera would outweigh all others."""

from __future__ import annotations

import torch
from torch import Tensor

UNCHANGED = 2.0
"""Twice the picture: whatever can be seen, or was detected, stays as it is."""
FARTHEST = 3.0


def bounded(keypoints: Tensor) -> Tensor:
    """Image coordinates within ±2 as they are, those beyond drawn in smoothly to within ±3.

    Not a clamp: its gradient is zero, and people whom a generator once put outside would stay there for ever.

    Args:
        keypoints: (..., 2) normalised image coordinates.

    Returns:
        (..., 2), each growing with its own coordinate.
    """
    room = FARTHEST - UNCHANGED
    over = (keypoints.abs() - UNCHANGED).clamp(min=0) / room
    drawn_in = keypoints.sign() * (UNCHANGED + room * over / (1 + over))
    return torch.where(over > 0, drawn_in, keypoints)
