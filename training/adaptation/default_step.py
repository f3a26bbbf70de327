"""The step of the default recipe: the lifter learns from view-matched source motion. There is no generator."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from training.adaptation.lifter_teacher import Lesson, LifterTeacher
from training.adaptation.spread_calibration import calibrate_spread
from training.adaptation.step import Adaptation
from training.cameras.random_cameras import CameraWindows
from training.geometry.keypoint_normalisation import bounded, people_size
from training.lifter.lifter import TemporalLifter
from training.lifter.mirrored_lifter import MirroredLifter
from training.matching.target_motion import TargetMotion
from training.matching.view_matched_source import view_matched_source
from training.runs.network_weights import frozen
from training.runs.resuming import HasState
from training.target.target_windows import TargetWindows

_SEED = 20_220_619
"""Of the windows that the result is calibrated on: a resumed run ends with the same."""


class MatchedSource:
    """Source motion, and the target's own motion, as the target's cameras would see it.

    Args:
        teacher: Its averaged lifter estimates from where target people are seen.
        target: The target's keypoint windows.
        height_m: Height of the target's people, if it is known.
    """

    def __init__(self, teacher: LifterTeacher, target: TargetWindows, height_m: float | None = None) -> None:
        self.method, self._teacher, self._target = teacher.method, teacher, target
        self.target_motion = TargetMotion(target, self.method.speeds, height_m, self.method.fit_reprojection)
        self._lift_target_at = {max(1, round(teacher.steps * share)) for share in self.method.target_lifted_at}

    def find_views(self) -> tuple[str, ...]:
        """Find videos that show one person at the same moments, if the method uses them. A sentence on each motion."""
        if not self.method.several_views:
            return ()
        with self._steady_lifter() as lifter:
            self.target_motion.shared.find(lifter)
        return tuple(
            f"{', '.join(videos)} show the same person at the same moments: the lifter learns what they tell together."
            for videos in self.target_motion.shared.videos
        )

    def lift_target(self, step: int, random: torch.Generator) -> None:
        """Lift the target's own motion again, at the steps that the method names."""
        if self.method.target_share and step in self._lift_target_at:
            with self._steady_lifter() as lifter:
                if len(self.target_motion.up):
                    self.target_motion.find_up(lifter)
                self.target_motion.lift(lifter, random)

    def target_windows(self, count: int, random: torch.Generator) -> tuple[Tensor, Tensor, Tensor | None]:
        """Middle frames (B,) as rows of the target's keypoints, windows (B, T, J, 2) around them, and (B, 3) up in each
        where the method asks for it."""
        upright = self.method.source_turn == "upright"
        if upright and not len(self.target_motion.up):
            with self._steady_lifter() as lifter:
                self.target_motion.find_up(lifter)
        rows = self._target.draw(count, random)
        up = self.target_motion.up[self._target.sequence[rows]] if upright else None
        return rows, self._target.at(rows), up

    def seen(self, matched: CameraWindows, rows: Tensor) -> Tensor:
        """(B, T, J, 2) keypoints of matched windows, as the target's detector would see them.

        Args:
            matched: From `draw`.
            rows: (B,) the target windows that they were matched to; their errors are added.
        """
        keypoints, share = matched.keypoints, self.method.detector_errors
        errors = self.target_motion.detector_errors(rows) if share else None
        if errors is None:
            return keypoints
        middle = keypoints[:, keypoints.shape[1] // 2]
        return keypoints + share * errors.to(keypoints) * people_size(middle)[:, None]

    def with_several_views(self, lesson: Lesson, rows: Tensor, target: Tensor, random: torch.Generator) -> Lesson:
        """The lesson with some of the target windows themselves, where other videos tell their poses too.

        Args:
            lesson: Of windows that were matched to these target windows.
            rows: (B,) middle frames, from `target_windows`.
            target: (B, T, J, 2) the windows around them.
            random: Source of randomness.
        """
        told, poses = self.target_motion.told_by_several(rows)
        if not told.any():
            return lesson
        told = (told & (torch.rand(len(told), generator=random) < self.method.several_views)).to(target.device)
        return dataclasses.replace(
            lesson,
            keypoints=torch.where(told[:, None, None, None], bounded(target), lesson.keypoints),
            pose_m=torch.where(told[:, None, None], poses.to(lesson.pose_m), lesson.pose_m),
        )

    def draw(
        self,
        source: CameraWindows,
        target: Tensor,
        progress: float,
        random: torch.Generator,
        target_up: Tensor | None = None,
        target_share: float | None = None,
    ) -> CameraWindows:
        """Source windows, rotated as the target's people are and placed where these stand.

        The averaged lifter estimates the rotation, because it varies less than the lifter itself.

        Args:
            source: (B, ...) windows.
            target: (B, T, 16, 2) target windows.
            progress: Share of the steps that are done.
            random: Source of randomness.
            target_up: (B, 3) up in each target window, with source_turn `upright`.
            target_share: Share of the target's own motion; None: the method's.
        """
        method = self.method
        share = method.target_share if target_share is None else target_share
        source = self.target_motion.mixed_in(source, share, random)

        def falling(first: float, last: float) -> float:
            return last + (first - last) * max(0.0, 1 - 2 * progress)

        with self._steady_lifter() as lifter:
            return view_matched_source(
                source, target, lifter, random,
                kind=method.source_turn, deviation_rad=math.radians(falling(*method.turn_deviation_deg)),
                tilt_rad=math.radians(falling(*method.tilt_deviation_deg)), target_up=target_up,
                random_share=falling(*method.random_turns), focal=method.source_focal,
                bodies=method.source_bodies, exchanged=method.limb_exchange,
            )  # fmt: skip

    @contextmanager
    def _steady_lifter(self) -> Iterator[nn.Module]:
        """The lifter that says where target people are and how they stand, in evaluation mode."""
        average = self._teacher.averaged_lifter
        with frozen(average):
            yield MirroredLifter(average) if self.method.mirrored_teacher else average


class DefaultStep(Adaptation):
    """Match source motion to the target's views and teach the lifter with it. Only the lifter learns."""

    def __post_init__(self) -> None:
        self.matched = MatchedSource(self.teacher, self.target, self.height_m)

    def notes(self) -> tuple[str, ...]:
        """What is found in the target before the first step."""
        return self.matched.find_views()

    def parts(self) -> dict[str, HasState]:
        """Everything with a state, for saving and resuming."""
        return {**self.teacher.parts(), "target_motion": self.matched.target_motion}

    def step(self, step: int, random: torch.Generator) -> dict[str, float]:
        """Do step `step` (from 1) and return the values to log."""
        teacher = self.teacher
        teacher.descent.begin(step)
        source = self.source(teacher.batch, random).to(teacher.device)
        rows, target, up = self.matched.target_windows(teacher.batch, random)
        target = target.to(teacher.device)
        self.matched.lift_target(step, random)
        matched = self.matched.draw(source, target, step / teacher.steps, random, up)
        lesson = lesson_of(matched, self.matched.seen(matched, rows))
        lesson = self.matched.with_several_views(lesson, rows, target, random)
        values, kept = teacher.teach(lesson, source, target, random)
        return values | {"selection/selected": float(kept.float().mean())}

    def calibrate(self, lifter: TemporalLifter, held_out: CameraWindows) -> None:
        """Make what it tells of its errors true of held-out motion as the target's cameras see it."""
        if not (lifter.tells_more and self.method.calibrated_spread):
            return
        random = torch.Generator().manual_seed(_SEED)
        device = self.teacher.device
        rows, target, up = self.matched.target_windows(len(held_out.focal), random)
        seen = self.matched.draw(held_out.to(device), target.to(device), 1.0, random, up, target_share=0.0)
        lesson = lesson_of(seen, self.matched.seen(seen, rows))
        calibrate_spread(lifter, *(one.cpu() for one in self.teacher.as_shown(lesson, random)))

    def examples(self, count: int, random: torch.Generator) -> tuple[CameraWindows, CameraWindows]:
        """Examples for the report, on the CPU: source windows, and what the lifter learns from in their place."""
        device = self.teacher.device
        source = self.source(count, random).to(device)
        _, target, up = self.matched.target_windows(count, random)
        made = self.matched.draw(source, target.to(device), 1.0, random, up)
        return source.to(torch.device("cpu")), made.to(torch.device("cpu"))


def lesson_of(matched: CameraWindows, keypoints: Tensor | None = None) -> Lesson:
    """A lesson of all matched windows. The selection rule does not apply: their motion is real.

    Args:
        matched: The windows.
        keypoints: (B, T, J, 2) as they are seen, if not exactly.
    """
    everything = torch.ones(len(matched.focal), dtype=torch.bool, device=matched.focal.device)
    seen = bounded(matched.keypoints if keypoints is None else keypoints)
    return Lesson(seen, matched.middle_pose_m, everything, matched.up)
