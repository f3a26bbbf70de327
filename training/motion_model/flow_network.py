"""The network that turns noise into motion, by flow matching (Lipman et al., ICLR 2023)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

_TIME_NUMBERS = 64


class FlowNetwork(nn.Module):
    """Velocity at which noise flows to a segment of motion, given how the segment begins or not.

    Were segments normally distributed, the flow would be known: that part is computed, and what the network learns is
    how motion differs from it.

    Args:
        numbers: Of a segment, each of unit variance.
        known: Numbers of its beginning.
        width: Of the network.
        blocks: Residual blocks.
        dropout: Within them.
    """

    def __init__(self, numbers: int, known: int, width: int, blocks: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.numbers, self.known, self.width, self.dropout = numbers, known, width, dropout
        self.enter = nn.Linear(numbers + known + 1, width)
        self.time = nn.Linear(_TIME_NUMBERS, width)
        self.blocks = nn.ModuleList([_Block(width, dropout) for _ in range(blocks)])
        self.norm = nn.LayerNorm(width)
        self.leave = nn.Linear(width, numbers)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)

    def forward(self, mixed: Tensor, time: Tensor, beginning: Tensor, has_beginning: Tensor) -> Tensor:
        """Velocity (B, numbers).

        Args:
            mixed: (B, numbers) of noise and motion.
            time: (B,) from 0, all noise, to 1.
            beginning: (B, known).
            has_beginning: (B,) 1 where the beginning is given, 0 where it is not.
        """
        given = has_beginning[:, None]
        angle = time[:, None] * torch.exp(torch.linspace(0, math.log(200.0), _TIME_NUMBERS // 2)).to(time)
        moment = self.time(torch.cat([torch.sin(angle), torch.cos(angle)], -1))
        hidden = self.enter(torch.cat([mixed, beginning * given, given], -1)) + moment
        for block in self.blocks:
            hidden = block(hidden, moment)
        normal = (2 * time - 1) / (time.square() + (1 - time).square())
        return normal[:, None] * mixed + self.leave(self.norm(hidden))


class _Block(nn.Module):
    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.widen = nn.Linear(width, 2 * width)
        self.narrow = nn.Linear(2 * width, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, hidden: Tensor, moment: Tensor) -> Tensor:
        inner = torch.nn.functional.silu(self.widen(self.norm(hidden) + moment))
        return hidden + self.narrow(self.dropout(inner))
