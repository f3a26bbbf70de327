"""How the lifter learns from generated windows without forgetting the source (eq. 23). Both recipes share this."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from sdk.skeletons.keypoint_normalisation import Normalisation
from training.adaptation.telling import contact_loss, pose_distance, telling_loss
from training.adversarial.fakes import middle
from training.adversarial.selection import inside_frame
from training.cameras.occlusion_and_lookahead import all_seen, cut_future, hide_joints
from training.cameras.random_cameras import CameraWindows, FilmSource
from training.evaluation.metrics import mpjpe
from training.geometry.keypoint_normalisation import normalised
from training.lifter.lifter import LifterOutputs, TemporalLifter
from training.losses.reprojection import reprojection_loss
from training.runs.network_weights import averaged
from training.runs.processes import Processes
from training.runs.resuming import HasState
from training.settings.method import Method

_GRADIENT_CLIP = 1.0
_HIDDEN = 0.3
"""Share of windows with hidden joints, for lifters that take missing joints; as `Pretrain.hidden`."""


class Descent:
    """Adam with a learning rate that falls linearly to zero over the run. Gradients are clipped by their norm.

    Args:
        parameters: Parameters to train.
        rate: Learning rate of the first step.
        steps: Steps of the whole run.
        betas: Adam's betas.
        processes: The processes whose gradients are added up.
    """

    def __init__(
        self,
        parameters: Iterable[nn.Parameter],
        rate: float,
        steps: int,
        betas: tuple[float, float] = (0.9, 0.999),
        processes: Processes | None = None,
    ) -> None:
        self.optimiser = torch.optim.Adam(parameters, rate, betas=betas, fused=True)
        self._rate, self._steps, self._processes = rate, steps, processes or Processes()

    def begin(self, step: int) -> None:
        """Set the learning rate of step `step` (from 1)."""
        self.optimiser.param_groups[0]["lr"] = self._rate * (1 - (step - 1) / self._steps)

    def descend(self, loss: Tensor) -> None:
        """Do one optimiser step for a scalar loss."""
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        parameters = self.optimiser.param_groups[0]["params"]
        self._processes.sum_gradients(parameters)
        torch.nn.utils.clip_grad_norm_(parameters, _GRADIENT_CLIP)
        self.optimiser.step()


@dataclass(frozen=True)
class Lesson:
    """Windows with known 3D that the lifter learns from in one step.

    Attributes:
        keypoints: (B, T, J, 2) normalised image coordinates; J is the lifter's, 16 or 20.
        pose_m: (B, J, 3) root-relative pose of the middle frame, camera axes.
        chosen: (B,) bool: whether the lifter learns from the window.
        up: (B, 3) of length 1, camera axes; NaN where it is not known. None: nowhere.
    """

    keypoints: Tensor
    pose_m: Tensor
    chosen: Tensor
    up: Tensor | None = None

    def followed_by(self, other: Lesson) -> Lesson:
        """These windows, then the others."""
        return Lesson(
            torch.cat([self.keypoints, other.keypoints]),
            torch.cat([self.pose_m, other.pose_m]),
            torch.cat([self.chosen, other.chosen]),
            None if self.up is None or other.up is None else torch.cat([self.up, other.up]),
        )


class LifterTeacher:
    """The lifter that is adapted, its running average, and the loss that teaches it.

    Args:
        lifter: Lifter to start from; it is copied.
        frame_extent: Half width and half height of the target's images in image coordinates.
        method: Constants.
        steps: Steps of the whole run, for the decay of all learning rates.
        batch: Windows made for a lesson.
        device: Device of the networks; all randomness is drawn on the CPU.
        normalisation: How the keypoints of lifter and target are normalised.
        anchor: Draws motion that the lifter must not forget, whatever the source is. Half of the windows that are shown
            through the source's cameras come from it.
        shortest_lookahead: Shortest look-ahead of the lifter, in frames, which it keeps learning here. None: it always
            gets whole windows.
        processes: The processes that adapt; each is given the same arguments. None: this one alone.
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
        processes: Processes | None = None,
    ) -> None:
        # Of footage that is cropped around the person, the whole frame is not known.
        known = method.sees_target and normalisation == "screen"
        self.frame_extent = frame_extent if known else (1.0, 1.0)
        self.method, self.normalisation, self.batch, self.device = method, normalisation, batch, device
        self.anchor, self.shortest_lookahead, self.steps = anchor, shortest_lookahead, steps
        self.lifter = copy.deepcopy(lifter).to(device)
        self._start = copy.deepcopy(self.lifter).eval().requires_grad_(False) if lifter.tells_more else None
        self.average = averaged(self.lifter, method.average)
        self.processes = processes or Processes()
        self.descent = Descent(self.lifter.parameters(), method.lifter_learning_rate, steps, processes=self.processes)

    @property
    def averaged_lifter(self) -> TemporalLifter:
        """The running average of the lifter. It is steadier than the lifter itself."""
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

        Lesson, source and target go through the network in one batch. With one batch per domain, the running statistics
        of batch normalisation would lie between the domains and fit none of them.

        Args:
            lesson: Windows that it learns from.
            source: Source windows of the step. Some of them are shown through the source's cameras.
            target: (B, T, J, 2) target windows; feet that are not seen are NaN.
            random: Source of randomness.

        Returns:
            The values to log, and (B,) bool: which windows of the lesson were used.
        """
        kept = self._kept(lesson)
        self.lifter.train()
        if self.method.keep_norm_statistics:
            keep_norm_statistics(self.lifter)
        anchors, targets = self.anchors(source, random), self.batch // 4 if self.method.reprojection else 0
        made_up = normalised(torch.cat([lesson.keypoints, anchors.keypoints]), self.normalisation)
        made_up = self._as_in_use(made_up, random)
        shown, told = torch.cat([made_up, self._all_seen(target[:targets])]), None
        if self.lifter.tells_more:
            told = self.lifter.outputs(shown)
        answers = self.lifter(shown) if told is None else told.joints_m
        from_lesson, from_source, from_target = answers.split([self.batch, len(anchors.focal), targets])
        per_window = pose_distance(from_lesson, lesson.pose_m)
        lesson_loss = (per_window * kept).sum() / kept.sum().clamp(min=1)
        exact = anchors.middle_pose_m
        # One mean in place of two rounds otherwise: lifters without feet stay as they were, to the bit.
        source_loss = mpjpe(from_source, exact) if told is None else pose_distance(from_source, exact).mean()
        reprojection = reprojection_loss(from_target, middle(target[:targets])) if targets else torch.zeros(())
        loss = lesson_loss + source_loss + self.method.reprojection * reprojection
        if told is not None:
            loss = loss + self._telling(told, lesson, kept, anchors, made_up)
        self.descent.descend(loss)
        self.average.update_parameters(self.lifter)
        values = {
            "lifter/fake_mm": float(lesson_loss.detach()) * 1000,
            "lifter/source_mm": float(source_loss.detach()) * 1000,
            "lifter/reprojection": float(reprojection.detach()),
        }
        return values, kept

    def _kept(self, lesson: Lesson) -> Tensor:
        """(B,) bool: the chosen windows of a lesson that lie inside the image."""
        return lesson.chosen & inside_frame(lesson.keypoints.nan_to_num(), self.frame_extent)

    def as_shown(self, lesson: Lesson, random: torch.Generator) -> tuple[Tensor, Tensor]:
        """Windows of a lesson as the lifter takes them (N, T, J, 2 or 3), and their poses (N, J, 3)."""
        kept = self._kept(lesson)
        shown = self._as_in_use(normalised(lesson.keypoints, self.normalisation), random)
        return shown[kept], lesson.pose_m[kept]

    def _telling(
        self, told: LifterOutputs, lesson: Lesson, kept: Tensor, anchors: CameraWindows, shown: Tensor
    ) -> Tensor:
        """Loss of what a lifter of 20 joints tells beside the joints, on lesson and anchors."""
        made, shown_anchors = len(kept), shown[len(kept) :]
        of_lesson = LifterOutputs(*(one[:made][kept] for one in told))
        of_anchors = LifterOutputs(*(one[made : len(shown)] for one in told))
        loss = telling_loss(of_anchors, anchors.middle_pose_m, anchors.up)
        if kept.any():
            loss = loss + telling_loss(of_lesson, lesson.pose_m[kept], None if lesson.up is None else lesson.up[kept])
        assert self._start is not None
        with torch.no_grad():
            before = self._start.outputs(shown_anchors).contact.sigmoid()
        return loss + contact_loss(of_anchors.contact, before)

    def anchors(self, source: CameraWindows, random: torch.Generator) -> CameraWindows:
        """Windows through the source's cameras, so that these are not forgotten: half as many as in a lesson."""
        count = self.batch // 2
        if self.anchor is None:
            return source.first(count)
        return source.first(count - count // 2).followed_by(self.anchor(count // 2, random).to(self.device))

    def _as_in_use(self, keypoints: Tensor, random: torch.Generator) -> Tensor:
        """Occlusion and look-ahead augmentation, if the lifter was trained with it. Without it, it would forget."""
        if self.shortest_lookahead is not None:
            keypoints = cut_future(keypoints, self.shortest_lookahead, random)
        if self.lifter.input_channels != 3:
            return keypoints
        seen = keypoints[..., :2].isfinite().all(-1, keepdim=True)  # feet of the target may be missing
        return hide_joints(keypoints.nan_to_num(), _HIDDEN, random) * seen

    def _all_seen(self, keypoints: Tensor) -> Tensor:
        return all_seen(keypoints) if self.lifter.input_channels == 3 else keypoints


def keep_norm_statistics(network: nn.Module) -> None:
    """Let a network in training mode use the normalisation statistics that it was given with."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d):
            module.eval()
