"""What a lifter contradicts itself in on videos without labels, and which of several lifters does so least.

No label of the target is seen: the published code picks the epoch by the error on the labelled test set.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from training.data.target_windows import TargetWindows
from training.target_quality import target_quality
from training.turned_again import turned_again_mm

_POSES = 4000
_LIFT_AT_ONCE = 1024


@dataclass(frozen=True)
class SelfConsistency:
    """Numbers of a lifter on unlabelled windows; lower is better, none of them is the error.

    Attributes:
        reprojection: How far poses lie from their 2D, percent; see `TargetQuality`.
        length_variation: How much a track's bones change their length, percent.
        asymmetry: How much left and right bones differ, percent.
        turned_again_mm: How far a lifted, turned, projected and lifted pose lies from itself.
    """

    reprojection: float
    length_variation: float
    asymmetry: float
    turned_again_mm: float

    def relative_to(self, start: SelfConsistency) -> float:
        """Mean of the four, each relative to another lifter's: below one contradicts itself less.

        The arithmetic mean: one that answers the same pose to everything has bones of constant length, and no zero may
        outweigh how far that pose is from the 2D.
        """
        ratios = [
            max(getattr(self, name), least) / max(getattr(start, name), least) for name, least in _LEAST_TOLD.items()
        ]
        return sum(ratios) / len(ratios)


_LEAST_TOLD = {"reprojection": 3.0, "length_variation": 2.0, "asymmetry": 2.0, "turned_again_mm": 10.0}
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
        quality.reprojection, quality.length_variation, quality.asymmetry, turned_again_mm(lifter, windows)
    )
