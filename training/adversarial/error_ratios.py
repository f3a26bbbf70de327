"""How hard fakes are for the lifter, relative to the source. Selection and feedback use it (AdaptPose, 4.4 and 5)."""

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
    """The lifter's error on generated windows, divided by its mean error on the source windows they were made from.

    Attributes:
        bones: (B / 2,) ratios of every other window after the bone stage, still in the source camera. They are only
            used for feedback, for which half of the windows are enough.
        camera: (B,) ratios after the camera stage. Selection uses them (eq. 14).
    """

    bones: Tensor
    camera: Tensor


def error_ratios(
    lifter: TemporalLifter, fakes: Fakes, source: CameraWindows, normalisation: Normalisation = "screen"
) -> ErrorRatios:
    """Compute the ratios, with the lifter in evaluation mode.

    They have gradients with respect to the motion of the fakes, but not to their position or the lifter's weights.

    Args:
        lifter: The lifter.
        fakes: Fakes to lift.
        source: The windows that the fakes were made from.
        normalisation: Normalisation of the lifter's keypoints.
    """
    # No gradient to the position: only the discriminator judges it. For the lifter, people outside the image would be
    # the hardest.
    keypoints = projected(fakes.motion.joints_m, fakes.position_m.detach(), source)
    body_m = fakes.motion.body_m[::2]
    body = projected(body_m, source.position_m[::2], source.every(2))
    with frozen(lifter):
        with torch.no_grad():
            seen, truth = source.keypoints[::2], source.middle_pose_m[::2]
            source_error = pose_error(lifter(normalised(seen, normalisation)), truth).mean()
        return ErrorRatios(
            pose_error(lifter(normalised(body, normalisation)), root_relative(middle(body_m))) / source_error,
            pose_error(lifter(normalised(keypoints, normalisation)), fakes.middle_pose_m) / source_error,
        )
