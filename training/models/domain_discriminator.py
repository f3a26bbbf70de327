"""The domain discriminator: do these 2D keypoints come from the target? (AdaptPose, section 4.3)"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from training.geometry.bones import PARENTS
from training.geometry.kinematic_chain import chain_and_size
from training.models.discriminator_branch import DiscriminatorBranch


class DomainDiscriminator(nn.Module):
    """One branch sees the keypoints, one their kinematic chain matrix; neither is relative to the root.

    The matrix' diagonal tells the size of the person, the rest the camera's viewpoint.

    Args:
        kinematic_chain: Whether there is the second branch.
    """

    def __init__(self, *, kinematic_chain: bool = True) -> None:
        super().__init__()
        joints, bones = len(PARENTS) + 1, len(PARENTS)
        self.keypoints = DiscriminatorBranch(joints * 2, 100, 4, 100)
        self.chain = DiscriminatorBranch(bones * bones, 256, 3, 100) if kinematic_chain else None
        seen = 200 if kinematic_chain else 100
        self.decision = nn.Sequential(nn.Linear(seen, 100), nn.LeakyReLU(), nn.Linear(100, 1))

    def forward(self, keypoints: Tensor) -> Tensor:
        """(N, 16, 2) normalised image coordinates to (N, 1): one for the target, zero for anything else."""
        if self.chain is None:
            return self.decision(self.keypoints(keypoints.flatten(1)))
        chain = chain_and_size(keypoints).flatten(1)
        return self.decision(torch.cat([self.keypoints(keypoints.flatten(1)), self.chain(chain)], -1))
