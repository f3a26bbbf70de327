"""The 2D domain discriminator: do these keypoints come from the target? (AdaptPose, section 4.3)"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from training.geometry.bones import PARENTS
from training.geometry.kinematic_chain import chain_and_size


class DiscriminatorBranch(nn.Module):
    """Linear layers with leaky ReLU. A skip connects the outputs of the first and the last hidden layer.

    Args:
        inputs: Numbers in.
        width: Width of the hidden layers.
        layers: Number of hidden layers, at least two.
        outputs: Numbers out.
    """

    def __init__(self, inputs: int, width: int, layers: int, outputs: int) -> None:
        super().__init__()
        self.entry = nn.Sequential(nn.Linear(inputs, width), nn.LeakyReLU())
        hidden: list[nn.Module] = []
        for _ in range(layers - 1):
            hidden += [nn.Linear(width, width), nn.LeakyReLU()]
        self.hidden = nn.Sequential(*hidden)
        self.exit = nn.Linear(width, outputs)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.kaiming_normal_(module.weight)
                nn.init.zeros_(module.bias)

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs) to (B, outputs)."""
        entered = self.entry(x)
        return self.exit(entered + self.hidden(entered))


class DomainDiscriminator(nn.Module):
    """Has two branches: one sees the keypoints, the other their kinematic chain matrix. Neither is root-relative.

    The diagonal of the matrix shows the size of the person, the rest the camera's viewpoint.

    Args:
        kinematic_chain: Whether the second branch exists.
    """

    def __init__(self, *, kinematic_chain: bool = True) -> None:
        super().__init__()
        joints, bones = len(PARENTS) + 1, len(PARENTS)
        self.keypoints = DiscriminatorBranch(joints * 2, 100, 4, 100)
        self.chain = DiscriminatorBranch(bones * bones, 256, 3, 100) if kinematic_chain else None
        seen = 200 if kinematic_chain else 100
        self.decision = nn.Sequential(nn.Linear(seen, 100), nn.LeakyReLU(), nn.Linear(100, 1))

    def forward(self, keypoints: Tensor) -> Tensor:
        """(N, 16, 2) normalised image coordinates to (N, 1): one for the target, zero for all else."""
        if self.chain is None:
            return self.decision(self.keypoints(keypoints.flatten(1)))
        chain = chain_and_size(keypoints).flatten(1)
        return self.decision(torch.cat([self.keypoints(keypoints.flatten(1)), self.chain(chain)], -1))
