"""What both recipes share: how the lifter learns from made-up windows without forgetting the source (eq. 23)."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from sdk.skeletons.keypoint_normalisation import Normalisation
from training.adversarial.fakes import middle
from training.adversarial.selection import inside_frame
from training.cameras.occlusion_and_lookahead import all_seen, cut_future, hide_joints
from training.cameras.random_cameras import CameraWindows, FilmSource
from training.evaluation.metrics import mpjpe
from training.geometry.keypoint_normalisation import normalised
from training.lifter.lifter import TemporalLifter
from training.losses.reprojection import reprojection_loss
from training.runs.network_weights import averaged
from training.runs.resuming import HasState
from training.settings.method import Method

_GRADIENT_CLIP = 1.0
_HIDDEN = 0.3
"""Share of windows with joints that are not seen, for lifters that can do without; as `Pretrain.hidden`."""


class Descent:
    """Adam with a learning rate that falls linearly to zero over the run, and gradients clipped by their norm.

    Args:
        parameters: What learns.
        rate: Of the first step.
        steps: Of the whole run.
        betas: Adam's.
    """

    def __init__(
        self, parameters: Iterable[nn.Parameter], rate: float, steps: int, betas: tuple[float, float] = (0.9, 0.999)
    ) -> None:
        self.optimiser = torch.optim.Adam(parameters, rate, betas=betas, fused=True)
        self._rate, self._steps = rate, steps

    def begin(self, step: int) -> None:
        """Set the rate of a step, from 1."""
        self.optimiser.param_groups[0]["lr"] = self._rate * (1 - (step - 1) / self._steps)

    def descend(self, loss: Tensor) -> None:
        """One step down a scalar."""
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.optimiser.param_groups[0]["params"], _GRADIENT_CLIP)
        self.optimiser.step()


@dataclass(frozen=True)
class Lesson:
    """Windows with known 3D that the lifter learns from in a step.

    Attributes:
        keypoints: (B, T, 16, 2) normalised image coordinates.
        pose_m: (B, 16, 3) root-relative pose of the middle frame, camera axes.
        chosen: (B,) bool; the others do not teach.
    """

    keypoints: Tensor
    pose_m: Tensor
    chosen: Tensor

    def followed_by(self, other: Lesson) -> Lesson:
        """These windows, then the others."""
        return Lesson(
            torch.cat([self.keypoints, other.keypoints]),
            torch.cat([self.pose_m, other.pose_m]),
            torch.cat([self.chosen, other.chosen]),
        )


class LifterTeacher:
    """The lifter that is adapted, its running average, and the loss that teaches it.

    Args:
        lifter: To start from; it is copied.
        frame_extent: Half width and half height of the target's pictures in image coordinates.
        method: Constants.
        steps: Of the whole run, for the decay of the learning rate.
        batch: Windows of a lesson.
        device: Where the networks live; all randomness is drawn on the CPU.
        normalisation: How the lifter takes keypoints, and the target's are given.
        anchor: Draws motion that the lifter is not to forget, whatever the source: half of the windows that it learns
            from as the source's cameras see them.
        shortest_lookahead: Frames of the future that the lifter can do with, and is to learn to do with here as well;
            None: it gets whole windows.
    """

    def __init__(
        self,
        lifter: TemporalLifter,
        frame_extent: tuple[float, float],
        method: Method,
        *,
        steps: int,
        batch: int,
        device: torch.device,
        normalisation: Normalisation = "screen",
        anchor: FilmSource | None = None,
        shortest_lookahead: int | None = None,
    ) -> None:
        # Of a picture that was cropped around the person, the whole is not known.
        known = method.sees_target and normalisation == "screen"
        self.frame_extent = frame_extent if known else (1.0, 1.0)
        self.method, self.normalisation, self.batch, self.device = method, normalisation, batch, device
        self.anchor, self.shortest_lookahead = anchor, shortest_lookahead
        self.lifter = copy.deepcopy(lifter).to(device)
        self.average = averaged(self.lifter, method.average)
        self.descent = Descent(self.lifter.parameters(), method.lifter_learning_rate, steps)

    @property
    def averaged_lifter(self) -> TemporalLifter:
        """The running average: steadier than the lifter itself."""
        average = self.average.module
        assert isinstance(average, TemporalLifter)
        return average

    def parts(self) -> dict[str, HasState]:
        """Everything with a state, for saving and resuming."""
        return {"lifter": self.lifter, "average": self.average, "lifter_optimiser": self.descent.optimiser}

    def teach(
        self, lesson: Lesson, source: CameraWindows, target: Tensor, random: torch.Generator
    ) -> tuple[dict[str, float], Tensor]:
        """One step of the lifter and of its average: eq. 23 and the reprojection of the lifted target.

        Lesson, source and target go through in one batch: batch normalisation over one domain at a time would leave the
        running statistics between them, fitting none.

        Args:
            lesson: What it learns from.
            source: Windows of the step, of which some are shown as the source's cameras see them.
            target: (B, T, 16, 2) target windows.
            random: Source of randomness.

        Returns:
            The numbers worth watching, and (B,) which windows of the lesson did teach.
        """
        kept = lesson.chosen & inside_frame(lesson.keypoints, self.frame_extent)
        self.lifter.train()
        if self.method.keep_norm_statistics:
            keep_norm_statistics(self.lifter)
        anchors, targets = self.anchors(source, random), self.batch // 4 if self.method.reprojection else 0
        made_up = normalised(torch.cat([lesson.keypoints, anchors.keypoints]), self.normalisation)
        answers = self.lifter(torch.cat([self._as_in_use(made_up, random), self._all_seen(target[:targets])]))
        from_lesson, from_source, from_target = answers.split([self.batch, len(anchors.focal), targets])
        per_window = (from_lesson - lesson.pose_m).norm(dim=-1).mean(-1)
        lesson_loss = (per_window * kept).sum() / kept.sum().clamp(min=1)
        source_loss = mpjpe(from_source, anchors.middle_pose_m)
        reprojection = reprojection_loss(from_target, middle(target[:targets])) if targets else torch.zeros(())
        self.descent.descend(lesson_loss + source_loss + self.method.reprojection * reprojection)
        self.average.update_parameters(self.lifter)
        values = {
            "lifter/fake_mm": float(lesson_loss.detach()) * 1000,
            "lifter/source_mm": float(source_loss.detach()) * 1000,
            "lifter/reprojection": float(reprojection.detach()),
        }
        return values, kept

    def anchors(self, source: CameraWindows, random: torch.Generator) -> CameraWindows:
        """What the lifter sees as it did before: half as many windows as there are in a lesson."""
        count = self.batch // 2
        if self.anchor is None:
            return source.first(count)
        return source.first(count - count // 2).followed_by(self.anchor(count // 2, random).to(self.device))

    def _as_in_use(self, keypoints: Tensor, random: torch.Generator) -> Tensor:
        """With less of the future, and with joints missing, if the lifter can do with that: or it would forget how."""
        if self.shortest_lookahead is not None:
            keypoints = cut_future(keypoints, self.shortest_lookahead, random)
        return hide_joints(keypoints, _HIDDEN, random) if self.lifter.input_channels == 3 else keypoints

    def _all_seen(self, keypoints: Tensor) -> Tensor:
        return all_seen(keypoints) if self.lifter.input_channels == 3 else keypoints


def keep_norm_statistics(network: nn.Module) -> None:
    """Let a network in training mode normalise by the statistics that it came with."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d):
            module.eval()
