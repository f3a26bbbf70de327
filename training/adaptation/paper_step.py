"""The paper's step: generator against discriminators, then the lifter on what was generated (AdaptPose, section 5)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from training.adaptation.default_step import MatchedSource, lesson_of
from training.adaptation.lifter_teacher import Descent, Lesson
from training.adaptation.step import Adaptation
from training.adversarial.adversaries import Adversaries
from training.adversarial.error_ratios import ErrorRatios, error_ratios
from training.adversarial.fakes import Fakes, learned_position, middle, projected
from training.adversarial.selection import select
from training.cameras.random_cameras import CameraWindows
from training.generator.motion_generator import MotionGenerator
from training.geometry.camera import root_relative
from training.lifter.lifter import TemporalLifter
from training.matching.view_matched_source import aligned_position
from training.runs.network_weights import frozen
from training.runs.resuming import HasState

_SQUARES_DECAY = 0.99
"""Decay of Adam's mean of squared gradients (beta 2) for generator and discriminators. Shorter than usual, because what
they learn from changes all the time."""
_START_DEPTH_M = 5.0


class PaperStep(Adaptation):
    """A generator makes new motion and cameras, two discriminators judge them, and the lifter learns from them.

    With `Method.source_share`, view-matched source motion replaces that share of the fakes.
    """

    def __post_init__(self) -> None:
        teacher, method, device = self.teacher, self.method, self.teacher.device
        self.generator = MotionGenerator(
            _START_DEPTH_M,
            frames=teacher.lifter.receptive_field,
            bone_rotation=method.bone_rotation,
            bone_lengths=method.bone_lengths,
            camera=method.camera,
            camera_rotation=method.camera_rotation,
        ).to(device)
        self.adversaries = Adversaries(method, device, teacher.normalisation)
        self.domain_discriminator = self.adversaries.domain_discriminator
        self.pose_discriminator = self.adversaries.pose_discriminator
        self.descents = {
            name: Descent(
                getattr(self, name).parameters(), rate, teacher.steps, (method.momentum, _SQUARES_DECAY),
                teacher.processes,
            )
            for name, rate in (
                ("generator", method.learning_rate),
                ("domain_discriminator", method.discriminator_learning_rate),
                ("pose_discriminator", method.discriminator_learning_rate),
            )
        }  # fmt: skip
        self.matched = MatchedSource(teacher, self.target, self.height_m) if method.source_share else None

    @property
    def networks(self) -> tuple[nn.Module, ...]:
        """Networks that learn."""
        return (*super().networks, self.generator, self.domain_discriminator, self.pose_discriminator)

    def parts(self) -> dict[str, HasState]:
        """Everything with a state, for saving and resuming."""
        parts: dict[str, HasState] = {
            **self.teacher.parts(),
            "generator": self.generator,
            "domain_discriminator": self.domain_discriminator,
            "pose_discriminator": self.pose_discriminator,
            "keypoint_pool": self.adversaries.keypoint_pool,
            "pose_pool": self.adversaries.pose_pool,
            **{f"{name}_optimiser": descent.optimiser for name, descent in self.descents.items()},
        }
        return parts | ({"target_motion": self.matched.target_motion} if self.matched else {})

    def step(self, step: int, random: torch.Generator) -> dict[str, float]:
        """Do step `step` (from 1) and return the values to log."""
        teacher, method, progress = self.teacher, self.method, step / self.teacher.steps
        for descent in (*self.descents.values(), teacher.descent):
            descent.begin(step)
        source = self.source(teacher.batch, random).to(teacher.device)
        target = self.target.sample(teacher.batch, random).to(teacher.device)
        if self.matched:
            self.matched.lift_target(step, random)

        # 1. The generator learns from what both discriminators and the lifter say of its fakes. In the warm-up only
        # generator and discriminators learn: the lifter gives no feedback and is not trained.
        fakes = self.generate(source, target, random)
        warming_up = step <= method.warm_up * teacher.steps
        ratios = None if warming_up else error_ratios(teacher.lifter, fakes, source, teacher.normalisation)
        frames = torch.randint(target.shape[1], (teacher.batch,), generator=random).to(teacher.device)
        losses = self.adversaries.generator_losses(fakes, source, ratios, frames, progress)
        self.descents["generator"].descend(sum(losses.values(), start=torch.zeros((), device=teacher.device)))
        values = {f"generator/{name}": float(loss.detach()) for name, loss in losses.items()}

        # 2. The discriminators.
        if step % method.discriminators_every == 0:
            values |= self._teach_discriminators(fakes, source, target, frames, random)

        # 3. The lifter learns from fakes that are neither too simple nor too hard for it.
        if ratios is not None:
            values |= self._teach_lifter(fakes, ratios, source, target, progress, random)
        return values

    def generate(self, source: CameraWindows, target: Tensor, random: torch.Generator) -> Fakes:
        """Make fakes from source windows.

        Args:
            source: (B, ...) windows.
            target: (B, T, 16, 2) target windows, used for position alignment.
            random: Source of the noise.
        """
        motion = self.generator(source.joints_m, random)
        if self.method.position == "aligned":
            pose = root_relative(middle(motion.joints_m))
            position = aligned_position(pose, middle(target) - source.centre[:, None], source.focal)
        else:
            position = learned_position(motion, source)
        return Fakes(motion, position, projected(motion.joints_m, position, source))

    def calibrate(self, lifter: TemporalLifter, held_out: CameraWindows) -> None:
        """Nothing: this recipe takes no lifter that tells of its errors."""

    def examples(self, count: int, random: torch.Generator) -> tuple[CameraWindows, CameraWindows]:
        """Examples for the report, on the CPU: source windows and their fakes (generator in evaluation mode)."""
        device = self.teacher.device
        source = self.source(count, random).to(device)
        target = self.target.sample(count, random).to(device)
        with frozen(self.generator), torch.no_grad():
            fakes = self.generate(source, target, random)
        made = CameraWindows(fakes.motion.joints_m, fakes.position_m, source.focal, lens=source.lens)
        return source.to(torch.device("cpu")), made.to(torch.device("cpu"))

    def _teach_discriminators(
        self, fakes: Fakes, source: CameraWindows, target: Tensor, frames: Tensor, random: torch.Generator
    ) -> dict[str, float]:
        loss_2d, penalty = self.adversaries.domain_losses(fakes, source, target, frames, random)
        self.descents["domain_discriminator"].descend(loss_2d + penalty)
        loss_3d = self.adversaries.pose_loss(fakes, source, frames, random)
        self.descents["pose_discriminator"].descend(loss_3d)
        return {"discriminator/2d": float(loss_2d.detach()), "discriminator/3d": float(loss_3d.detach())}

    def _teach_lifter(
        self,
        fakes: Fakes,
        ratios: ErrorRatios,
        source: CameraWindows,
        target: Tensor,
        progress: float,
        random: torch.Generator,
    ) -> dict[str, float]:
        moved = round(self.method.source_share * self.teacher.batch) if self.matched else 0
        ratio, rule = ratios.camera.detach()[moved:], self.method.selection
        lesson = Lesson(
            fakes.keypoints[moved:].detach(),
            fakes.middle_pose_m[moved:].detach(),
            select(ratio, *rule) if rule else torch.ones_like(ratio, dtype=torch.bool),
        )
        if self.matched and moved:
            matched = lesson_of(self.matched.draw(source.first(moved), target[:moved], progress, random))
            lesson = matched.followed_by(lesson)
        values, kept = self.teacher.teach(lesson, source, target, random)
        return values | {
            "selection/error_ratio": float(ratio.median()),
            "selection/selected": float(kept[moved:].float().mean()),
        }
