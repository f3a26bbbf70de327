"""Which lifter a run ends with, chosen without a label: one of those along the way, or the one it began with."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from typing import Any

from training.data.target_sequence import TargetSequence
from training.data.target_windows import TargetWindows
from training.models.lifter import TemporalLifter
from training.self_consistency import SelfConsistency, self_consistency

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
    """Keeps the lifter that contradicts itself least; see `SelfConsistency.relative_to`.

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
        """Whether any candidate contradicts itself less than the start does."""
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
