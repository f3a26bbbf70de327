"""Losses of generator and discriminators (AdaptPose, section 5)."""

from __future__ import annotations

import torch
from torch import Tensor

from sdk.skeletons.keypoint_normalisation import Normalisation
from training.adversarial.error_ratios import ErrorRatios
from training.adversarial.fakes import Fakes, middle, shown
from training.cameras.random_cameras import CameraWindows
from training.discriminators.domain_discriminator import DomainDiscriminator
from training.discriminators.pose_discriminator import PoseDiscriminator
from training.discriminators.replay import ReplayPool
from training.geometry.bones import joints_to_bones
from training.geometry.camera import root_relative
from training.geometry.keypoint_normalisation import normalised
from training.losses.gan import discriminator_loss, generator_loss, gradient_penalty
from training.losses.hard_ratio import hard_ratio_band_loss, hard_ratio_loss
from training.losses.ranges import length_range_loss, turn_range_loss
from training.runs.network_weights import frozen
from training.settings.method import Method


class Adversaries:
    """Both discriminators with their pools of past fakes.

    Args:
        method: Constants.
        device: Device of the networks.
        normalisation: Normalisation of the lifter's keypoints. The domain discriminator sees the same.
    """

    def __init__(self, method: Method, device: torch.device, normalisation: Normalisation = "screen") -> None:
        self.method, self.normalisation = method, normalisation
        self.domain_discriminator = DomainDiscriminator(kinematic_chain=method.domain_kcs).to(device)
        self.pose_discriminator = PoseDiscriminator().to(device)
        self.keypoint_pool = ReplayPool((16, 2)).to(device)
        self.pose_pool = ReplayPool((16, 3)).to(device)

    def generator_losses(
        self, fakes: Fakes, source: CameraWindows, ratios: ErrorRatios | None, frames: Tensor, progress: float
    ) -> dict[str, Tensor]:
        """Weighted terms of eq. 22. The lifter's feedback is included if there are ratios.

        Args:
            fakes: Fakes with gradients.
            source: The windows that the fakes were made from.
            ratios: How hard the fakes are for the lifter.
            frames: (B,) which frame of each window the discriminators see.
            progress: Share of the steps that are done.
        """
        method, motion = self.method, fakes.motion
        with frozen(self.domain_discriminator), frozen(self.pose_discriminator):
            fooled_2d = generator_loss(self.domain_discriminator(self._seen(fakes.keypoints, frames)))
            fooled_3d = generator_loss(self.pose_discriminator(shown(motion.body_m, frames)))
        out_of_range = length_range_loss(motion.length_ratios)
        if method.bone_rotation != "none":
            bones = joints_to_bones(source.middle_pose_m), joints_to_bones(middle(motion.body_m))
            out_of_range = out_of_range + turn_range_loss(*bones)
        losses = {
            "adversarial_2d": method.adversarial_2d * fooled_2d,
            "adversarial_3d": method.adversarial_3d * fooled_3d,
            "ranges": method.ranges * out_of_range,
        }
        hardness_loss = hard_ratio_band_loss if method.hard_ratio_form == "band" else hard_ratio_loss
        # A stage that is left out gets no feedback, because its ratio is that of the other stage.
        if ratios is not None and (method.bone_rotation != "none" or method.bone_lengths):
            first, last, reach = method.hard_ratio_bones
            wanted = first + (last - first) * progress
            losses["hard_ratio_bones"] = method.hard_ratio_bones_weight * hardness_loss(ratios.bones, wanted, reach)
        if ratios is not None and method.camera != "none":
            losses["hard_ratio_camera"] = method.hard_ratio_camera_weight * hardness_loss(
                ratios.camera, *method.hard_ratio_camera
            )
        return losses

    def domain_losses(
        self, fakes: Fakes, source: CameraWindows, target: Tensor, frames: Tensor, random: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """Eq. 16 and the gradient penalty of the domain discriminator, two scalars."""
        keypoints = self.keypoint_pool.mix(self._seen(fakes.keypoints, frames), random)
        of_target = self.method.real_2d == "target"
        real = (shown(target, frames) if of_target else self._seen(source.keypoints, frames)).requires_grad_()
        answers = self.domain_discriminator(real)
        loss = discriminator_loss(answers, self.domain_discriminator(keypoints))
        weight = self.method.gradient_penalty
        return loss, weight * gradient_penalty(answers, real) if weight else torch.zeros_like(loss)

    def pose_loss(self, fakes: Fakes, source: CameraWindows, frames: Tensor, random: torch.Generator) -> Tensor:
        """Eq. 15, a scalar. The limbs of source poses are perturbed, unless that is switched off."""
        poses = self.pose_pool.mix(root_relative(shown(fakes.motion.body_m, frames)), random)
        perturbation = random if self.method.perturbation else None
        human = self.pose_discriminator(shown(source.joints_m, frames), perturbation=perturbation)
        return discriminator_loss(human, self.pose_discriminator(poses))

    def _seen(self, keypoints: Tensor, frames: Tensor) -> Tensor:
        """2D of generated cameras as the domain discriminator sees it: normalised like the target's."""
        return normalised(shown(keypoints, frames), self.normalisation)
