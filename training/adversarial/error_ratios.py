"""How hard fakes are for the lifter, over the source: what selection and feedback go by (AdaptPose, 4.4 and 5)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from sdk.skeletons.keypoint_normalisation import Normalisation
from training.adversarial.fakes import Fakes, middle, projected
from training.cameras.random_cameras import CameraWindows
from training.geometry.camera import root_relative
from training.geometry.keypoint_normalisation import normalised
from training.lifter.lifter import TemporalLifter
from training.losses.hard_ratio import pose_error
from training.runs.network_weights import frozen


@dataclass(frozen=True)
class ErrorRatios:
    """The lifter's error on generated windows over its mean error on the source windows they were made from.

    Attributes:
        bones: (B / 2,) of every other window, with other bones, still in the source camera. It only gives feedback,
            which half of them give as well.
        camera: (B,) after the camera stage: what selection goes by (eq. 14).
    """

    bones: Tensor
    camera: Tensor


def error_ratios(
    lifter: TemporalLifter, fakes: Fakes, source: CameraWindows, normalisation: Normalisation = "screen"
) -> ErrorRatios:
    """Ask the lifter, in evaluation mode; the ratios have gradients with respect to the fakes' motion, not to
    their position, nor to its weights.

    Args:
        lifter: To ask.
        fakes: To lift.
        source: The windows they were made from.
        normalisation: How the lifter takes keypoints.
    """
    # Where people stand is for the discriminator alone: beside the picture they would be hardest of all.
    keypoints = projected(fakes.motion.joints_m, fakes.position_m.detach(), source.focal)
    body_m = fakes.motion.body_m[::2]
    body = projected(body_m, source.position_m[::2], source.focal[::2])
    with frozen(lifter):
        with torch.no_grad():
            seen, truth = source.keypoints[::2], source.middle_pose_m[::2]
            source_error = pose_error(lifter(normalised(seen, normalisation)), truth).mean()
        return ErrorRatios(
            pose_error(lifter(normalised(body, normalisation)), root_relative(middle(body_m))) / source_error,
            pose_error(lifter(normalised(keypoints, normalisation)), fakes.middle_pose_m) / source_error,
        )
