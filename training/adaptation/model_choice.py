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
from torch import Tensor, nn

from sdk.skeletons.keypoint_normalisation import Normalisation
from sdk.skeletons.skeleton import H36M16
from training.evaluation.expected_error import expected_error_mm
from training.evaluation.metrics import mpjpe
from training.lifter.lifter import TemporalLifter
from training.matching.cycle_consistency import cycle_consistency_mm
from training.matching.shared_motion import lifted, told_poses
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
        off_told_mm: Mean distance of joints from the poses that several videos tell together; None without such.
    """

    reprojection: float
    length_variation: float
    asymmetry: float
    cycle_consistency_mm: float
    expected_error_mm: float | None = None
    off_told_mm: float | None = None

    def relative_to(self, start: SelfConsistency) -> float:
        """Inconsistency relative to another lifter: the mean ratio of reprojection, cycle consistency, and the error
        that the lifters themselves expect, if both tell one.

        Below one is better than that lifter. Each alone can be had for nothing: a pose that only follows its 2D, one
        that is always the same, one that is sure of itself. Bone lengths and sides have no say. On real detections they
        get worse while the error falls, because constant bones with wrong 2D need wrong poses
        (docs/benchmarks/real_detections.md).

        Where several videos tell poses together, only the distance from these counts: it is nearly the error.
        """
        if self.off_told_mm is not None and start.off_told_mm is not None:
            return max(self.off_told_mm, _LEAST_OFF_MM) / max(start.off_told_mm, _LEAST_OFF_MM)
        pairs = [(getattr(self, name), getattr(start, name), least) for name, least in _LEAST_TOLD.items()]
        ratios = [max(now, least) / max(then, least) for now, then, least in pairs if None not in (now, then)]
        return sum(ratios) / len(ratios)


_LEAST_TOLD = {"reprojection": 3.0, "cycle_consistency_mm": 10.0, "expected_error_mm": 10.0}
"""Lower bounds: smaller values count as no better. Perspective alone causes such a reprojection."""
_LEAST_OFF_MM = 10.0
FEWEST_TOLD = 250
"""Fewest frames whose poses several videos tell for the choice to go by them: ten seconds."""
_AS_GOOD = 0.1
"""Candidates whose inconsistency differs by no more are equally good; then the later one is taken. On real detections
the numbers rank candidates of one run wrongly within 0.06, while the error falls to the end; on exact 2D the last one
is best in every run (docs/benchmarks/real_detections.md). So the choice refuses what went wrong, no more."""


@dataclass(frozen=True)
class ToldPoses:
    """What several videos tell of a target.

    Attributes:
        rows: (N,) frames, as rows of the keypoints of the target's windows.
        poses_m: (N, J, 3) their poses, root-relative, camera axes.
    """

    rows: Tensor
    poses_m: Tensor

    def distance_mm(self, lifter: nn.Module, windows: TargetWindows) -> float:
        """Mean distance of a lifter's joints from them, without feet, over some 4000 frames at most."""
        some = slice(None, None, max(1, len(self.rows) // _POSES))
        poses = lifted(lifter, windows, self.rows[some])[:, : len(H36M16)]
        return float(mpjpe(poses, self.poses_m[some, : len(H36M16)])) * 1000


def self_consistency(lifter: nn.Module, windows: TargetWindows, told: ToldPoses | None = None) -> SelfConsistency:
    """Measure a lifter on about 4000 frames at most, spread over the windows. It is left in evaluation mode."""
    lifter.eval()
    device = next(lifter.parameters()).device
    centres = windows.centres(max(1, len(windows) // _POSES))
    parts, expected = windows.at(centres).split(_LIFT_AT_ONCE), None
    with torch.no_grad():
        if isinstance(lifter, TemporalLifter) and lifter.tells_more:
            answers = [lifter.outputs(part.to(device)) for part in parts]
            poses = torch.cat([one.joints_m.cpu() for one in answers])
            expected = expected_error_mm(torch.cat([one.deviations_m.cpu() for one in answers]))
        else:
            poses = torch.cat([lifter(part.to(device)).cpu() for part in parts])
    quality = target_quality(poses, windows.keypoints[centres], windows.sequence[centres])
    cycle_mm = cycle_consistency_mm(lifter, windows)
    off = None if told is None else told.distance_mm(lifter, windows)
    return SelfConsistency(quality.reprojection, quality.length_variation, quality.asymmetry, cycle_mm, expected, off)


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


def told_of_held_out(
    start: nn.Module,
    learned: Sequence[TargetSequence],
    held_out: Sequence[TargetSequence],
    frames: int,
    normalisation: Normalisation = "screen",
) -> ToldPoses:
    """What several videos tell of the sequences to choose by; the videos may be among those to adapt to."""
    apart = learned != held_out
    together = TargetWindows([*learned, *held_out] if apart else learned, frames, normalisation)
    rows, poses = told_poses(start, together)
    first = sum(len(one.keypoints) for one in learned) if apart else 0
    return ToldPoses(rows[rows >= first] - first, poses[rows >= first])


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
        told: What several videos tell of the target, if it is enough to go by.

    Attributes:
        lifter: The best candidate so far, on the CPU, in evaluation mode.
        step: Step after which the best candidate was taken; 0 is the start.
        inconsistency: Inconsistency of the best candidate, relative to the start.
        seen: Step and inconsistency of every candidate.
    """

    def __init__(
        self,
        start: TemporalLifter,
        windows: TargetWindows,
        earlier: TargetWindows | None = None,
        told: ToldPoses | None = None,
    ) -> None:
        told = told if told is not None and len(told.rows) >= FEWEST_TOLD else None
        self._measured = ((windows, told),) if earlier is None else ((windows, told), (earlier, None))
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
            self._start = [self_consistency(self._start_lifter, *measured) for measured in self._measured]
        ratios = [
            self_consistency(lifter, *measured).relative_to(start)
            for measured, start in zip(self._measured, self._start, strict=True)
        ]
        inconsistency = sum(ratios) / len(ratios)
        least = min((value for _, value in self.seen if math.isfinite(value)), default=1.0)
        self.seen.append((step, inconsistency))
        if math.isfinite(inconsistency) and inconsistency < 1 and inconsistency < least + _AS_GOOD:
            self.step, self.inconsistency = step, inconsistency
            self.lifter = copy.deepcopy(lifter).cpu().eval()
        return inconsistency

    def off_told_mm(self) -> dict[str, float]:
        """`SelfConsistency.off_told_mm` of the start and of the best candidate: `before` and `after`. Empty without."""
        windows, told = self._measured[0]
        lifters = {"before": self._start_lifter, "after": self.lifter}
        return {} if told is None else {when: told.distance_mm(one, windows) for when, one in lifters.items()}

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
