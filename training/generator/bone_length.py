"""Changes body proportions: one relative length change per symmetric group of bones (AdaptPose, λ in eq. 5)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from training.generator.generator_trunk import GeneratorTrunk
from training.geometry.bones import LENGTH_GROUPS, PARENTS, TORSO_BONES

LARGEST_CHANGE = 0.2
_NOISE = 48


class BoneLength(nn.Module):
    """Learns nine length ratios. The thorax keeps its length: a tall person far away looks like a short one near."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = GeneratorTrunk(48 + len(PARENTS), _NOISE, len(LENGTH_GROUPS))

    def forward(self, middle_pose: Tensor, lengths: Tensor, generator: torch.Generator) -> Tensor:
        """Ratios for `scale_bones`.

        Args:
            middle_pose: (B, 16, 3) root-relative, metres.
            lengths: (B, 15) of its bones, metres.
            generator: Source of the noise.

        Returns:
            (B, 9) within ±0.2.
        """
        ratios = torch.tanh(self.trunk(torch.cat([middle_pose.flatten(1), lengths], -1), generator)) * LARGEST_CHANGE
        changes = torch.ones(len(LENGTH_GROUPS), device=ratios.device)
        changes[LENGTH_GROUPS.index((TORSO_BONES[1],))] = 0
        return ratios * changes
