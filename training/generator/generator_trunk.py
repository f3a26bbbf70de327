"""The network of every part of the motion generator: a pose and noise in, parameters out."""

from __future__ import annotations

import torch
from torch import Tensor, nn

_WIDTH = 256


class GeneratorTrunk(nn.Module):
    """Linear to 256 and two residual blocks, with batch normalisation and leaky ReLU, then a linear head.

    Args:
        inputs: Numbers per sample that describe the pose.
        noise: Numbers of standard normal noise that are added to the input.
        outputs: Number of parameters.
    """

    def __init__(self, inputs: int, noise: int, outputs: int) -> None:
        super().__init__()
        self.noise = noise
        self.entry = _layer(inputs + noise)
        self.blocks = nn.ModuleList(nn.Sequential(_layer(_WIDTH), _layer(_WIDTH)) for _ in range(2))
        self.head = nn.Linear(_WIDTH, outputs)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.kaiming_normal_(module.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, pose: Tensor, generator: torch.Generator) -> Tensor:
        """(B, inputs) to (B, outputs); `generator` draws the noise, on the CPU."""
        noise = torch.randn(len(pose), self.noise, generator=generator).to(pose)
        x = self.entry(torch.cat([pose, noise], -1))
        for block in self.blocks:
            x = x + block(x)
        return self.head(x)


def _layer(inputs: int) -> nn.Sequential:
    # No bias: the normalisation would remove it, and its gradient would be zero.
    return nn.Sequential(nn.Linear(inputs, _WIDTH, bias=False), nn.BatchNorm1d(_WIDTH), nn.LeakyReLU())
