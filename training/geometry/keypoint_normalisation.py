"""Screen coordinates as a lifter takes them: as they are, or root-centred (AdaptPose, section 6)."""

from __future__ import annotations

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
