"""One step of AdaptPose: generator against discriminators, then the lifter on what was generated (section 5)."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from sdk.skeletons.keypoint_normalisation import Normalisation
from training.adversarial.adversaries import Adversaries
from training.adversarial.error_ratios import ErrorRatios, error_ratios
from training.adversarial.fakes import Fakes, learned_position, middle, projected
from training.adversarial.selection import inside_frame, select
from training.cameras.occlusion_and_lookahead import all_seen, cut_future, hide_joints
from training.cameras.random_cameras import CameraWindows
from training.evaluation.metrics import mpjpe
from training.generator.motion_generator import MotionGenerator
from training.geometry.camera import root_relative
from training.geometry.keypoint_normalisation import bounded, normalised
from training.lifter.lifter import TemporalLifter
from training.losses.reprojection import reprojection_loss
from training.matching.target_motion import TargetMotion
from training.matching.view_matched_source import aligned_position, view_matched_source
from training.runs.network_weights import averaged, frozen
from training.runs.resuming import HasState
from training.settings.method import Method
from training.target.target_windows import TargetWindows

FilmSource = Callable[[int, torch.Generator], CameraWindows]
"""Draws that many source windows and sees them through source cameras."""

_GRADIENT_CLIP = 1.0
_SQUARES_DECAY = 0.99
"""Of Adam's mean of squared gradients, for generator and discriminators: what these learn from changes all the time."""
_START_DEPTH_M = 5.0
_HIDDEN = 0.3
"""Share of windows with joints that are not seen, for lifters that can do without; as `Pretrain.hidden`."""


class Adaptation:
    """All that learns, and how one step teaches it.

    Args:
        lifter: To start from; it is copied.
        source: Draws source windows.
        target: The target's keypoint windows.
        frame_extent: Half width and half height of the target's pictures in image coordinates.
        method: Constants.
        steps: Of the whole run, for the decay of the learning rates.
        batch: Generated windows a step.
        device: Where the networks live; all randomness is drawn on the CPU.
        normalisation: How the lifter takes keypoints, and the target's are given.
        anchor: Draws motion that the lifter is not to forget, whatever the source: half of the windows that it learns
            from as the source's cameras see them.
        shortest_lookahead: Frames of the future that the lifter can do with, and is to learn to do with here as well;
            None: it gets whole windows.
        height_m: Of the target's people, if it is known; source and anchor are to be as tall.
    """

    def __init__(
        self,
        lifter: TemporalLifter,
        source: FilmSource,
        target: TargetWindows,
        frame_extent: tuple[float, float],
        method: Method,
        *,
        steps: int,
        batch: int,
        device: torch.device,
        normalisation: Normalisation = "screen",
        anchor: FilmSource | None = None,
        shortest_lookahead: int | None = None,
        height_m: float | None = None,
    ) -> None:
        self.anchor = anchor
        self.shortest_lookahead = shortest_lookahead
        self.source, self.target, self.method, self.normalisation = source, target, method, normalisation
        # Of a picture that was cropped around the person, the whole is not known.
        known = method.sees_target and normalisation == "screen"
        self.frame_extent = frame_extent if known else (1.0, 1.0)
        self.steps, self.batch, self.device = steps, batch, device
        self.lifter = copy.deepcopy(lifter).to(device)
        self.average = averaged(self.lifter, method.average)
        self.generator = MotionGenerator(
            _START_DEPTH_M,
            frames=lifter.receptive_field,
            bone_rotation=method.bone_rotation,
            bone_lengths=method.bone_lengths,
            camera=method.camera,
            camera_rotation=method.camera_rotation,
        ).to(device)
        self.adversaries = Adversaries(method, device, normalisation)
        self.target_motion = TargetMotion(target, method.speeds, height_m)
        self._lift_target_at = {max(1, round(steps * share)) for share in method.target_lifted_at}
        self.domain_discriminator = self.adversaries.domain_discriminator
        self.pose_discriminator = self.adversaries.pose_discriminator
        rates = {
            "generator": method.learning_rate,
            "domain_discriminator": method.discriminator_learning_rate,
            "pose_discriminator": method.discriminator_learning_rate,
        }
        self._optimisers = {
            name: torch.optim.Adam(
                getattr(self, name).parameters(), rate, betas=(method.momentum, _SQUARES_DECAY), fused=True
            )
            for name, rate in rates.items()
        }
        self._optimisers["lifter"] = torch.optim.Adam(self.lifter.parameters(), method.lifter_learning_rate, fused=True)
        self._rates = {name: optimiser.param_groups[0]["lr"] for name, optimiser in self._optimisers.items()}

    def parts(self) -> dict[str, HasState]:
        """Everything with a state, for saving and resuming."""
        modules: dict[str, HasState] = {
            "lifter": self.lifter,
            "average": self.average,
            "generator": self.generator,
            "domain_discriminator": self.domain_discriminator,
            "pose_discriminator": self.pose_discriminator,
            "keypoint_pool": self.adversaries.keypoint_pool,
            "pose_pool": self.adversaries.pose_pool,
            "target_motion": self.target_motion,
        }
        optimisers = {f"{name}_optimiser": optimiser for name, optimiser in self._optimisers.items()}
        return {**modules, **optimisers}

    def step(self, step: int, random: torch.Generator) -> dict[str, float]:
        """Do step `step` (from 1) and return the numbers worth watching."""
        values: dict[str, float] = {}
        for name, optimiser in self._optimisers.items():
            optimiser.param_groups[0]["lr"] = self._rates[name] * (1 - (step - 1) / self.steps)
        source = _on(self.source(self.batch, random), self.device)
        target = self.target.sample(self.batch, random).to(self.device)

        if self.method.target_share and step in self._lift_target_at:
            with frozen(self.average.module):
                self.target_motion.lift(self.average.module, random)
        if self.method.source_share == 1:
            values |= self._teach_lifter(None, source, target, None, step / self.steps, random)
            self.average.update_parameters(self.lifter)
            return values
        fakes = self.generate(source, target, random)
        warming_up = step <= self.method.warm_up * self.steps
        # While warming up, generator and discriminators are alone: no feedback from the lifter, and none to it.
        ratios = None if warming_up else error_ratios(self.lifter, fakes, source, self.normalisation)
        frames = torch.randint(target.shape[1], (self.batch,), generator=random).to(self.device)
        losses = self.adversaries.generator_losses(fakes, source, ratios, frames, step / self.steps)
        self._descend("generator", sum(losses.values(), start=torch.zeros((), device=self.device)))
        values |= {f"generator/{name}": float(loss.detach()) for name, loss in losses.items()}

        if step % self.method.discriminators_every == 0:
            values |= self._teach_discriminators(fakes, source, target, frames, random)
        if ratios is not None:
            values |= self._teach_lifter(fakes, source, target, ratios, step / self.steps, random)
            self.average.update_parameters(self.lifter)
        return values

    def generate(self, source: CameraWindows, target: Tensor, random: torch.Generator) -> Fakes:
        """Make fakes from source windows.

        Args:
            source: (B, ...) windows.
            target: (B, T, 16, 2) target windows, for their positions where these are aligned.
            random: Source of the noise.
        """
        motion = self.generator(source.joints_m, random)
        if self.method.position == "aligned":
            pose = root_relative(middle(motion.joints_m))
            position = aligned_position(pose, middle(target), source.focal)
        else:
            position = learned_position(motion, source)
        return Fakes(motion, position, projected(motion.joints_m, position, source.focal))

    def examples(self, count: int, random: torch.Generator) -> tuple[CameraWindows, CameraWindows]:
        """Source windows and what the lifter learns from in their place, to look at; on the CPU.

        Those of the generator, in evaluation mode, where there is one.
        """
        source = _on(self.source(count, random), self.device)
        target = self.target.sample(count, random).to(self.device)
        if self.method.source_share == 1:
            made = self._turned(source, target, 1.0, random)
        else:
            with frozen(self.generator), torch.no_grad():
                fakes = self.generate(source, target, random)
            made = CameraWindows(fakes.motion.joints_m, fakes.position_m, source.focal)
        return _on(source, torch.device("cpu")), _on(made, torch.device("cpu"))

    def _teach_discriminators(
        self, fakes: Fakes, source: CameraWindows, target: Tensor, frames: Tensor, random: torch.Generator
    ) -> dict[str, float]:
        loss_2d, penalty = self.adversaries.domain_losses(fakes, source, target, frames, random)
        self._descend("domain_discriminator", loss_2d + penalty)
        loss_3d = self.adversaries.pose_loss(fakes, source, frames, random)
        self._descend("pose_discriminator", loss_3d)
        return {"discriminator/2d": float(loss_2d.detach()), "discriminator/3d": float(loss_3d.detach())}

    def _teach_lifter(
        self,
        fakes: Fakes | None,
        source: CameraWindows,
        target: Tensor,
        ratios: ErrorRatios | None,
        progress: float,
        random: torch.Generator,
    ) -> dict[str, float]:
        """Eq. 23 and the reprojection of the lifted target.

        Fakes, source and target go through in one batch: batch normalisation over one domain at a time would leave the
        running statistics between them, fitting none.
        """
        moved = round(self.method.source_share * self.batch)
        keypoints, poses, chosen = [], [], []
        values: dict[str, float] = {}
        if moved:
            # Source motion that was only moved is real: it is not for the rule to judge.
            turned = self._turned(_first(source, moved), target[:moved], progress, random)
            keypoints.append(bounded(turned.keypoints))
            poses.append(turned.middle_pose_m)
            chosen.append(torch.ones(moved, dtype=torch.bool, device=self.device))
        if fakes is not None and ratios is not None:
            ratio = ratios.camera.detach()[moved:]
            keypoints.append(fakes.keypoints[moved:].detach())
            poses.append(fakes.middle_pose_m[moved:].detach())
            rule = self.method.selection
            chosen.append(select(ratio, *rule) if rule else torch.ones_like(ratio, dtype=torch.bool))
            values["selection/error_ratio"] = float(ratio.median())
        fake_keypoints, truth = torch.cat(keypoints), torch.cat(poses)
        kept = torch.cat(chosen) & inside_frame(fake_keypoints, self.frame_extent)

        self.lifter.train()
        if self.method.keep_norm_statistics:
            keep_norm_statistics(self.lifter)
        anchors, targets = self._anchors(source, random), self.batch // 4 if self.method.reprojection else 0
        made_up = normalised(torch.cat([fake_keypoints, anchors.keypoints]), self.normalisation)
        answers = self.lifter(torch.cat([self._as_in_use(made_up, random), self._all_seen(target[:targets])]))
        from_fakes, from_source, from_target = answers.split([self.batch, len(anchors.focal), targets])
        per_fake = (from_fakes - truth).norm(dim=-1).mean(-1)
        fake_loss = (per_fake * kept).sum() / kept.sum().clamp(min=1)
        source_loss = mpjpe(from_source, anchors.middle_pose_m)
        reprojection = reprojection_loss(from_target, middle(target[:targets])) if targets else torch.zeros(())
        self._descend("lifter", fake_loss + source_loss + self.method.reprojection * reprojection)
        return values | {
            "lifter/fake_mm": float(fake_loss.detach()) * 1000,
            "lifter/source_mm": float(source_loss.detach()) * 1000,
            "lifter/reprojection": float(reprojection.detach()),
            "selection/selected": float(kept[moved:].float().mean())
            if moved < self.batch
            else float(kept.float().mean()),
        }

    def _anchors(self, source: CameraWindows, random: torch.Generator) -> CameraWindows:
        """What the lifter sees as it did before, half as many windows as it learns from otherwise."""
        count = self.batch // 2
        if self.anchor is None:
            return _first(source, count)
        kept = _on(self.anchor(count // 2, random), self.device)
        return _joined(_first(source, count - count // 2), kept)

    def _as_in_use(self, keypoints: Tensor, random: torch.Generator) -> Tensor:
        """With less of the future, and with joints missing, if the lifter can do with that: or it would forget how."""
        if self.shortest_lookahead is not None:
            keypoints = cut_future(keypoints, self.shortest_lookahead, random)
        return hide_joints(keypoints, _HIDDEN, random) if self.lifter.input_channels == 3 else keypoints

    def _all_seen(self, keypoints: Tensor) -> Tensor:
        return all_seen(keypoints) if self.lifter.input_channels == 3 else keypoints

    def _turned(self, source: CameraWindows, target: Tensor, progress: float, random: torch.Generator) -> CameraWindows:
        """Source motion among the target, by the averaged lifter's estimate: it swings less than the lifter itself."""
        method = self.method
        source = self.target_motion.mixed_in(source, method.target_share, random)

        def falling(first: float, last: float) -> float:
            return last + (first - last) * max(0.0, 1 - 2 * progress)

        average = self.average.module
        assert isinstance(average, TemporalLifter)
        with frozen(average):
            return view_matched_source(
                source, target, average, random,
                kind=method.source_turn, deviation_rad=math.radians(falling(*method.turn_deviation_deg)),
                random_share=falling(*method.random_turns), focal=method.source_focal,
                bodies=method.source_bodies, exchanged=method.limb_exchange,
            )  # fmt: skip

    def _descend(self, name: str, loss: Tensor) -> None:
        optimiser = self._optimisers[name]
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(optimiser.param_groups[0]["params"], _GRADIENT_CLIP)
        optimiser.step()


def keep_norm_statistics(network: nn.Module) -> None:
    """Let a network in training mode normalise by the statistics that it came with."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d):
            module.eval()


def _on(windows: CameraWindows, device: torch.device) -> CameraWindows:
    return CameraWindows(windows.joints_m.to(device), windows.position_m.to(device), windows.focal.to(device))


def _first(windows: CameraWindows, count: int) -> CameraWindows:
    return CameraWindows(windows.joints_m[:count], windows.position_m[:count], windows.focal[:count])


def _joined(first: CameraWindows, second: CameraWindows) -> CameraWindows:
    return CameraWindows(
        torch.cat([first.joints_m, second.joints_m]),
        torch.cat([first.position_m, second.position_m]),
        torch.cat([first.focal, second.focal]),
    )
