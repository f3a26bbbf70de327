"""What a run of adaptation does step by step, whatever the recipe."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import nn

from training.adaptation.lifter_teacher import LifterTeacher
from training.cameras.random_cameras import CameraWindows, FilmSource
from training.lifter.lifter import TemporalLifter
from training.runs.resuming import HasState
from training.settings.method import Method
from training.target.target_windows import TargetWindows


@dataclass(eq=False)
class Adaptation(ABC):
    """A lifter that learns step by step. `DefaultStep` and `PaperStep` are the two kinds.

    Attributes:
        teacher: The lifter that learns, its running average, and how it learns.
        source: Draws source windows.
        target: The target's keypoint windows.
        height_m: Height of the target's people, if it is known. People of the source must be as tall.
    """

    teacher: LifterTeacher
    source: FilmSource
    target: TargetWindows
    height_m: float | None = None

    @abstractmethod
    def __post_init__(self) -> None:
        """Make what else the recipe needs."""

    @property
    def method(self) -> Method:
        """Constants."""
        return self.teacher.method

    @property
    def networks(self) -> tuple[nn.Module, ...]:
        """Networks that learn."""
        return (self.teacher.lifter,)

    def notes(self) -> tuple[str, ...]:
        """What is found in the target before the first step, a sentence each. Call it once."""
        return ()

    @abstractmethod
    def parts(self) -> dict[str, HasState]:
        """Everything with a state, for saving and resuming."""

    @abstractmethod
    def step(self, step: int, random: torch.Generator) -> dict[str, float]:
        """Do step `step` (from 1) and return the values to log."""

    @abstractmethod
    def calibrate(self, lifter: TemporalLifter, held_out: CameraWindows) -> None:
        """Make what a lifter tells of its errors true of motion that it did not learn from.

        Args:
            lifter: The result, on the CPU, in evaluation mode.
            held_out: Held-out source motion, on the CPU.
        """

    @abstractmethod
    def examples(self, count: int, random: torch.Generator) -> tuple[CameraWindows, CameraWindows]:
        """Examples for the report, on the CPU: source windows, and what the lifter learns from in their place."""
