"""Normalises keypoints for a lifter: screen or root-centred (AdaptPose, section 6). Bounds those far outside."""

from __future__ import annotations

import torch
from torch import Tensor

from sdk.skeletons.keypoint_normalisation import Normalisation
from sdk.skeletons.skeleton import H36M16
from training.geometry.camera import root_relative

_SMALLEST = 1e-8
_SMALLEST_PERSON = 1e-3


def people_size(keypoints: Tensor) -> Tensor:
    """Mean of the width and the height of people's boxes, without feet: (..., J, 2) to (..., 1, 1)."""
    body = keypoints[..., : len(H36M16), :]
    return (body.amax(-2) - body.amin(-2)).mean(-1).clamp(min=_SMALLEST_PERSON)[..., None, None]


def normalised(keypoints: Tensor, normalisation: Normalisation) -> Tensor:
    """Normalise keypoints of generated cameras, as `sdk.lifting.windows.prepare_keypoints` does for real images.

    Args:
        keypoints: (..., 16, 2) screen coordinates.
        normalisation: Normalisation of the lifter. `screen` changes nothing. `root-centred` puts each pose's pelvis at
            zero and scales the pose to Frobenius norm one, as for footage that is cropped around the person.

    Returns:
        (..., 16, 2).
    """
    if normalisation == "screen":
        return keypoints
    centred = root_relative(keypoints)
    # Clamped before the root, so that a pose whose joints all coincide has a gradient too.
    return centred / centred.square().sum((-2, -1), keepdim=True).clamp(min=_SMALLEST**2).sqrt()


UNCHANGED = 2.0
"""Coordinates up to this (twice the image) stay as they are: all that can be seen or detected."""
FARTHEST = 3.0


def bounded(keypoints: Tensor) -> Tensor:
    """Bound image coordinates smoothly to ±3. Within ±2 they stay as they are.

    A clamp would have no gradient: people that a generator once put outside would stay there for ever.

    Args:
        keypoints: (..., 2) normalised image coordinates.

    Returns:
        (..., 2); each number increases with its own coordinate.
    """
    room = FARTHEST - UNCHANGED
    over = (keypoints.abs() - UNCHANGED).clamp(min=0) / room
    drawn_in = keypoints.sign() * (UNCHANGED + room * over / (1 + over))
    return torch.where(over > 0, drawn_in, keypoints)
