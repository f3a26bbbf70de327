"""Chooses the lifter that a run ends with: the candidate with the best self-consistency on target sequences.

No label of the target is used. (The published code picks the epoch by the error on the labelled test set.)
"""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from training.evaluation.expected_error import expected_error_mm
from training.lifter.lifter import TemporalLifter
from training.matching.cycle_consistency import cycle_consistency_mm
from training.target.target_quality import target_quality
from training.target.target_windows import TargetSequence, TargetWindows

_POSES = 4000
_LIFT_AT_ONCE = 1024


@dataclass(frozen=True)
class SelfConsistency:
    """How well a lifter agrees with itself on unlabelled windows. Lower is better; none of the numbers is the error.

    Attributes:
        reprojection: Distance of poses from their 2D, percent; see `TargetQuality`.
        length_variation: How much the bones of a track change their length, percent.
        asymmetry: How much left and right bones differ, percent.
        cycle_consistency_mm: See `cycle_consistency_mm`.
        expected_error_mm: See `expected_error_mm`; None of a lifter that does not tell how sure it is.
    """

    reprojection: float
    length_variation: float
    asymmetry: float
    cycle_consistency_mm: float
    expected_error_mm: float | None = None

    def relative_to(self, start: SelfConsistency) -> float:
        """Inconsistency relative to another lifter: the mean ratio of reprojection, cycle consistency, and the error
        that the lifters themselves expect, if both tell one.

        Below one is better than that lifter. Each alone can be had for nothing: a pose that only follows its 2D, one
        that is always the same, one that is sure of itself. Bone lengths and sides have no say. On real detections they
        get worse while the error falls, because constant bones with wrong 2D need wrong poses
        (docs/benchmarks/real_detections.md).
        """
        pairs = [(getattr(self, name), getattr(start, name), least) for name, least in _LEAST_TOLD.items()]
        ratios = [max(now, least) / max(then, least) for now, then, least in pairs if None not in (now, then)]
        return sum(ratios) / len(ratios)


_LEAST_TOLD = {"reprojection": 3.0, "cycle_consistency_mm": 10.0, "expected_error_mm": 10.0}
"""Lower bounds: smaller values count as no better. Perspective alone causes such a reprojection."""
_AS_GOOD = 0.1
"""Candidates whose inconsistency differs by no more are equally good; then the later one is taken. On real detections
the numbers rank candidates of one run wrongly within 0.06, while the error falls to the end; on exact 2D the last one
is best in every run (docs/benchmarks/real_detections.md). So the choice refuses what went wrong, no more."""


def self_consistency(lifter: nn.Module, windows: TargetWindows) -> SelfConsistency:
    """Measure a lifter on about 4000 frames at most, spread over the windows. It is left in evaluation mode."""
    lifter.eval()
    device = next(lifter.parameters()).device
    centres = windows.centres(max(1, len(windows) // _POSES))
    parts, expected = windows.at(centres).split(_LIFT_AT_ONCE), None
    with torch.no_grad():
        if isinstance(lifter, TemporalLifter) and lifter.tells_more:
            told = [lifter.outputs(part.to(device)) for part in parts]
            lifted = torch.cat([one.joints_m.cpu() for one in told])
            expected = expected_error_mm(torch.cat([one.deviations_m.cpu() for one in told]))
        else:
            lifted = torch.cat([lifter(part.to(device)).cpu() for part in parts])
    quality = target_quality(lifted, windows.keypoints[centres], windows.sequence[centres])
    cycle_mm = cycle_consistency_mm(lifter, windows)
    return SelfConsistency(quality.reprojection, quality.length_variation, quality.asymmetry, cycle_mm, expected)


HELD_OUT_EVERY = 10
"""One of so many target sequences is held out: used for the choice, not for adaptation."""


def hold_out(sequences: Sequence[TargetSequence]) -> tuple[list[TargetSequence], list[TargetSequence]]:
    """Split a target into sequences to adapt to and sequences to choose by.

    With fewer than `HELD_OUT_EVERY` sequences none is held out: then both lists hold all of them.
    """
    if len(sequences) < HELD_OUT_EVERY:
        return list(sequences), list(sequences)
    held_out = list(sequences[HELD_OUT_EVERY - 1 :: HELD_OUT_EVERY])
    return [one for i, one in enumerate(sequences) if (i + 1) % HELD_OUT_EVERY], held_out


def hold_out_note(sequences: Sequence[TargetSequence]) -> str | None:
    """What a user is to know where no sequence could be spared."""
    if len(sequences) >= HELD_OUT_EVERY:
        return None
    count = f"{len(sequences)} tracks are" if len(sequences) > 1 else "One track is"
    return (
        f"{count} too few to hold one out ({HELD_OUT_EVERY} are needed): the checkpoint was chosen by its "
        "self-consistency on the tracks that it was adapted to. A lifter that fits these tracks too closely shows less."
    )


class ModelChoice:
    """Keeps the checkpoint with the best self-consistency, of equally good ones the last; see
    `SelfConsistency.relative_to`.

    Args:
        start: The lifter before adaptation. It is the first candidate, with an inconsistency of one.
        windows: Target windows to choose by.
        earlier: Windows of targets that the start was adapted to before. They count as much as the target.

    Attributes:
        lifter: The best candidate so far, on the CPU, in evaluation mode.
        step: Step after which the best candidate was taken; 0 is the start.
        inconsistency: Inconsistency of the best candidate, relative to the start.
        seen: Step and inconsistency of every candidate.
    """

    def __init__(self, start: TemporalLifter, windows: TargetWindows, earlier: TargetWindows | None = None) -> None:
        self._windows = (windows,) if earlier is None else (windows, earlier)
        self.lifter = copy.deepcopy(start).cpu().eval()
        self._start: list[SelfConsistency] | None = None
        self._start_lifter = self.lifter
        self.step, self.inconsistency = 0, 1.0
        self.seen: list[tuple[int, float]] = []

    @property
    def helped(self) -> bool:
        """Whether any candidate has better self-consistency than the start."""
        return self.step > 0

    def consider(self, step: int, lifter: TemporalLifter) -> float:
        """Measure a candidate and keep a copy if it is better than the start and none so far is better.

        Args:
            step: Steps done so far.
            lifter: The candidate; left in evaluation mode.

        Returns:
            Its inconsistency relative to the start.
        """
        if self._start is None:
            self._start = [self_consistency(self._start_lifter, windows) for windows in self._windows]
        ratios = [
            self_consistency(lifter, windows).relative_to(start)
            for windows, start in zip(self._windows, self._start, strict=True)
        ]
        inconsistency = sum(ratios) / len(ratios)
        least = min((value for _, value in self.seen if math.isfinite(value)), default=1.0)
        self.seen.append((step, inconsistency))
        if math.isfinite(inconsistency) and inconsistency < 1 and inconsistency < least + _AS_GOOD:
            self.step, self.inconsistency = step, inconsistency
            self.lifter = copy.deepcopy(lifter).cpu().eval()
        return inconsistency

    def state_dict(self) -> dict[str, Any]:
        """Tensors and plain values."""
        return {
            "lifter": self.lifter.state_dict(),
            "step": self.step,
            "inconsistency": self.inconsistency,
            "seen": [list(one) for one in self.seen],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        self.lifter = copy.deepcopy(self._start_lifter)
        self.lifter.load_state_dict(state["lifter"])
        self.step, self.inconsistency = int(state["step"]), float(state["inconsistency"])
        self.seen = [(int(step), float(value)) for step, value in state["seen"]]
