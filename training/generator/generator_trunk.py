"""The network of every part of the motion generator: a pose and noise in, parameters out."""

from __future__ import annotations

import torch
from torch import Tensor, nn

_WIDTH = 256


class Noise(nn.Module):
    """Random numbers for each row of a batch, drawn on the CPU.

    It is a layer so that several processes can each take their rows of what one would draw (`SharedNoise`).

    Args:
        shape: Shape of the numbers of one row.
        uniform: Whether they are uniform from 0 to 1, not standard normal.
    """

    def __init__(self, *shape: int, uniform: bool = False) -> None:
        super().__init__()
        self.shape, self.uniform = shape, uniform

    def drawn(self, rows: int, generator: torch.Generator) -> Tensor:
        """(rows, *shape), on the CPU."""
        draw = torch.rand if self.uniform else torch.randn
        return draw(rows, *self.shape, generator=generator)

    def forward(self, batch: Tensor, generator: torch.Generator) -> Tensor:
        """(B, *shape), with the device and type of the (B, ...) batch that it is for."""
        return self.drawn(len(batch), generator).to(batch)


class GeneratorTrunk(nn.Module):
    """Linear to 256 and two residual blocks, with batch normalisation and leaky ReLU, then a linear head.

    Args:
        inputs: Numbers per sample that describe the pose.
        noise: Numbers of standard normal noise that are added to the input.
        outputs: Number of parameters.
    """

    def __init__(self, inputs: int, noise: int, outputs: int) -> None:
        super().__init__()
        self.noise = Noise(noise)
        self.entry = _layer(inputs + noise)
        self.blocks = nn.ModuleList(nn.Sequential(_layer(_WIDTH), _layer(_WIDTH)) for _ in range(2))
        self.head = nn.Linear(_WIDTH, outputs)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.kaiming_normal_(module.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, pose: Tensor, generator: torch.Generator) -> Tensor:
        """(B, inputs) to (B, outputs); `generator` draws the noise, on the CPU."""
        x = self.entry(torch.cat([pose, self.noise(pose, generator)], -1))
        for block in self.blocks:
            x = x + block(x)
        return self.head(x)


def _layer(inputs: int) -> nn.Sequential:
    # No bias: the normalisation would remove it, and its gradient would be zero.
    return nn.Sequential(nn.Linear(inputs, _WIDTH, bias=False), nn.BatchNorm1d(_WIDTH), nn.LeakyReLU())
