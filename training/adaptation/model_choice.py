"""Which lifter a run ends with, chosen without labels by self-consistency on target sequences.

No label of the target is seen: the published code picks the epoch by the error on the labelled test set.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from training.lifter.lifter import TemporalLifter
from training.matching.cycle_consistency import cycle_consistency_mm
from training.target.target_quality import target_quality
from training.target.target_windows import TargetSequence, TargetWindows

_POSES = 4000
_LIFT_AT_ONCE = 1024


@dataclass(frozen=True)
class SelfConsistency:
    """Numbers of a lifter on unlabelled windows; lower is better, none of them is the error.

    Attributes:
        reprojection: How far poses lie from their 2D, percent; see `TargetQuality`.
        length_variation: How much a track's bones change their length, percent.
        asymmetry: How much left and right bones differ, percent.
        cycle_consistency_mm: How far a lifted, turned, projected and lifted pose lies from itself.
    """

    reprojection: float
    length_variation: float
    asymmetry: float
    cycle_consistency_mm: float

    def relative_to(self, start: SelfConsistency) -> float:
        """Inconsistency relative to another lifter: the mean of the four ratios. Below one is better.

        The arithmetic mean: one that answers the same pose to everything has bones of constant length, and no zero may
        outweigh how far that pose is from the 2D.
        """
        ratios = [
            max(getattr(self, name), least) / max(getattr(start, name), least) for name, least in _LEAST_TOLD.items()
        ]
        return sum(ratios) / len(ratios)


_LEAST_TOLD = {"reprojection": 3.0, "length_variation": 2.0, "asymmetry": 2.0, "cycle_consistency_mm": 10.0}
"""Below these, less is no better: perspective alone makes as much in the 2D, and people's own left and right differ."""


def self_consistency(lifter: nn.Module, windows: TargetWindows) -> SelfConsistency:
    """Measure a lifter, which is left in evaluation mode, on at most some 4000 frames spread over the windows."""
    lifter.eval()
    device = next(lifter.parameters()).device
    centres = windows.centres(max(1, len(windows) // _POSES))
    with torch.no_grad():
        parts = windows.at(centres).split(_LIFT_AT_ONCE)
        lifted = torch.cat([lifter(part.to(device)).cpu() for part in parts])
    quality = target_quality(lifted, windows.keypoints[centres], windows.sequence[centres])
    return SelfConsistency(
        quality.reprojection, quality.length_variation, quality.asymmetry, cycle_consistency_mm(lifter, windows)
    )


HELD_OUT_EVERY = 10
"""Of the target's sequences, one in so many is looked at for the choice and not adapted to."""


def hold_out(sequences: Sequence[TargetSequence]) -> tuple[list[TargetSequence], list[TargetSequence]]:
    """Split a target into sequences to adapt to and sequences to choose by.

    Fewer than `HELD_OUT_EVERY` are too few to spare one: then both are all of them.
    """
    if len(sequences) < HELD_OUT_EVERY:
        return list(sequences), list(sequences)
    held_out = list(sequences[HELD_OUT_EVERY - 1 :: HELD_OUT_EVERY])
    return [one for i, one in enumerate(sequences) if (i + 1) % HELD_OUT_EVERY], held_out


class ModelChoice:
    """Keeps the checkpoint with the best self-consistency; see `SelfConsistency.relative_to`.

    Args:
        start: The lifter before adaptation, the first candidate; its inconsistency is one.
        windows: Of the target, to choose by.

    Attributes:
        lifter: The best so far, on the CPU, in evaluation mode.
        step: After which step it was; 0 is the start.
        inconsistency: Its own, relative to the start's.
        seen: Step and inconsistency of every candidate.
    """

    def __init__(self, start: TemporalLifter, windows: TargetWindows) -> None:
        self._windows = windows
        self.lifter = copy.deepcopy(start).cpu().eval()
        self._start: SelfConsistency | None = None
        self._start_lifter = self.lifter
        self.step, self.inconsistency = 0, 1.0
        self.seen: list[tuple[int, float]] = []

    @property
    def helped(self) -> bool:
        """Whether any checkpoint is more self-consistent than the start."""
        return self.step > 0

    def consider(self, step: int, lifter: TemporalLifter) -> float:
        """Look at a candidate and keep a copy if it is the best so far.

        Args:
            step: After which it stands so.
            lifter: Left in evaluation mode.

        Returns:
            Its inconsistency relative to the start's.
        """
        if self._start is None:
            self._start = self_consistency(self._start_lifter, self._windows)
        inconsistency = self_consistency(lifter, self._windows).relative_to(self._start)
        self.seen.append((step, inconsistency))
        if math.isfinite(inconsistency) and inconsistency < self.inconsistency:
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
        """Take them back."""
        self.lifter = copy.deepcopy(self._start_lifter)
        self.lifter.load_state_dict(state["lifter"])
        self.step, self.inconsistency = int(state["step"]), float(state["inconsistency"])
        self.seen = [(int(step), float(value)) for step, value in state["seen"]]
