"""How hard fakes are for the lifter, over the source: what selection and feedback go by (AdaptPose, 4.4 and 5)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from sdk.image_normalisation import Normalisation
from training.fakes import Fakes, middle, projected
from training.frozen import frozen
from training.geometry.camera import root_relative
from training.geometry.keypoint_normalisation import normalised
from training.losses.hard_ratio import pose_error
from training.models.lifter import TemporalLifter
from training.source_cameras import CameraWindows


@dataclass(frozen=True)
class ErrorRatios:
    """The lifter's error on generated windows over its mean error on the source windows they were made from.

    Attributes:
        bones: (B,) with other bones, still in the source camera.
        camera: (B,) after the camera stage: what selection goes by (eq. 14).
    """

    bones: Tensor
    camera: Tensor


def error_ratios(
    lifter: TemporalLifter, fakes: Fakes, source: CameraWindows, normalisation: Normalisation = "screen"
) -> ErrorRatios:
    """Ask the lifter, in evaluation mode; the ratios have gradients with respect to the fakes, not to its weights.

    Args:
        lifter: To ask.
        fakes: To lift.
        source: The windows they were made from.
        normalisation: How the lifter takes keypoints.
    """
    motion = fakes.motion
    body = projected(motion.body_m, source.position_m, source.focal)
    with frozen(lifter):
        with torch.no_grad():
            source_error = pose_error(lifter(normalised(source.keypoints, normalisation)), source.middle_pose_m).mean()
        return ErrorRatios(
            pose_error(lifter(normalised(body, normalisation)), root_relative(middle(motion.body_m))) / source_error,
            pose_error(lifter(normalised(fakes.keypoints, normalisation)), fakes.middle_pose_m) / source_error,
        )
