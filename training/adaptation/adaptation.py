"""Makes the adaptation that a method asks for: the paper's step, or the default step, which has no generator."""

from __future__ import annotations

from training.adaptation.default_step import DefaultStep
from training.adaptation.lifter_teacher import LifterTeacher
from training.adaptation.paper_step import PaperStep
from training.cameras.random_cameras import FilmSource
from training.target.target_windows import TargetWindows


def new_adaptation(
    teacher: LifterTeacher, source: FilmSource, target: TargetWindows, height_m: float | None = None
) -> DefaultStep | PaperStep:
    """Begin an adaptation with the teacher's method and steps. Seed torch before you call it.

    Args:
        teacher: The lifter that learns, and how.
        source: Draws source windows.
        target: The target's keypoint windows.
        height_m: Height of the target's people, if it is known. People of source and anchor must be as tall.
    """
    kind = DefaultStep if teacher.method.source_share == 1 else PaperStep
    return kind(teacher, source, target, height_m)
