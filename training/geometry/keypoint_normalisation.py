"""Keypoints as a lifter takes them: screen or root-centred (AdaptPose, section 6), held near the image for networks."""

from __future__ import annotations

import torch
from torch import Tensor

from sdk.skeletons.keypoint_normalisation import Normalisation
from training.geometry.camera import root_relative

_SMALLEST = 1e-8


def normalised(keypoints: Tensor, normalisation: Normalisation) -> Tensor:
    """What `sdk.lifting.windows.prepare_keypoints` does to a picture's keypoints, for those of made-up cameras.

    Args:
        keypoints: (..., 16, 2) screen coordinates.
        normalisation: Of the lifter: `screen` leaves them, `root-centred` puts each pose's pelvis at zero and scales
            the pose to Frobenius norm one, as for footage that is cropped around the person.

    Returns:
        (..., 16, 2).
    """
    if normalisation == "screen":
        return keypoints
    centred = root_relative(keypoints)
    # Squared, so that a pose whose joints all coincide has a gradient as well.
    return centred / centred.square().sum((-2, -1), keepdim=True).clamp(min=_SMALLEST**2).sqrt()


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
