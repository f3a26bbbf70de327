"""Makes the adaptation that a method asks for: the paper's step, or the default step, which has no generator."""

from __future__ import annotations

from typing import Protocol

import torch

from sdk.skeletons.keypoint_normalisation import Normalisation
from training.adaptation.default_step import DefaultStep
from training.adaptation.lifter_teacher import LifterTeacher
from training.adaptation.paper_step import PaperStep
from training.cameras.random_cameras import CameraWindows, FilmSource
from training.lifter.lifter import TemporalLifter
from training.runs.resuming import HasState
from training.settings.method import Method
from training.target.target_windows import TargetWindows


class Adaptation(Protocol):
    """What a run does step by step.

    Attributes:
        teacher: The lifter that learns, with its running average.
    """

    teacher: LifterTeacher

    def parts(self) -> dict[str, HasState]:
        """Everything with a state, for saving and resuming."""
        ...

    def step(self, step: int, random: torch.Generator) -> dict[str, float]:
        """Do step `step` (from 1) and return the values to log."""
        ...

    def examples(self, count: int, random: torch.Generator) -> tuple[CameraWindows, CameraWindows]:
        """Examples for the report, on the CPU: source windows, and what the lifter learns from in their place."""
        ...


def new_adaptation(
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
) -> DefaultStep | PaperStep:
    """Begin an adaptation. Seed torch before you call it.

    Args:
        lifter: Lifter to start from; it is copied.
        source: Draws source windows.
        target: The target's keypoint windows.
        frame_extent: Half width and half height of the target's images in image coordinates.
        method: Constants.
        steps: Steps of the whole run, for the decay of the learning rates.
        batch: Windows made per step.
        device: Device of the networks; all randomness is drawn on the CPU.
        normalisation: How the keypoints of lifter and target are normalised.
        anchor: Draws motion that the lifter must not forget; see `LifterTeacher`.
        shortest_lookahead: See `LifterTeacher`.
        height_m: Height of the target's people, if it is known. People of source and anchor must be as tall.
    """
    teacher = LifterTeacher(
        lifter,
        frame_extent,
        method,
        steps=steps,
        batch=batch,
        device=device,
        normalisation=normalisation,
        anchor=anchor,
        shortest_lookahead=shortest_lookahead,
    )
    kind = DefaultStep if method.source_share == 1 else PaperStep
    return kind(teacher, source, target, method, steps, height_m)
