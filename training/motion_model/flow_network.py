"""The network that turns noise into motion, by flow matching (Lipman et al., ICLR 2023)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

_TIME_NUMBERS = 64
_LAST = 0.05
"""Smallest remaining time in the division, so that the velocity stays finite."""


class FlowNetwork(nn.Module):
    """Velocity at which noise flows to a segment of motion, given the beginning of the segment.

    For normally distributed segments the flow is known in closed form. This part is computed. The network learns only
    how real motion differs from it.

    Args:
        numbers: Numbers per segment, each of unit variance.
        known: Numbers per beginning.
        width: Width of the network.
        blocks: Residual blocks.
        dropout: Dropout in the residual blocks.
    """

    def __init__(self, numbers: int, known: int, width: int, blocks: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.numbers, self.known, self.width, self.dropout = numbers, known, width, dropout
        self.enter = nn.Linear(numbers + known, width)
        self.time = nn.Linear(_TIME_NUMBERS, width)
        self.blocks = nn.ModuleList([_Block(width, dropout) for _ in range(blocks)])
        self.norm = nn.LayerNorm(width)
        self.leave = nn.Linear(width, 2 * numbers)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)

    def forward(self, mixed: Tensor, time: Tensor, beginning: Tensor) -> Tensor:
        """Velocity (B, numbers).

        Args:
            mixed: (B, numbers) mixture of noise and motion.
            time: (B,) from 0 (all noise) to 1 (all motion).
            beginning: (B, known) beginning of the segment.
        """
        angle = time[:, None] * torch.exp(torch.linspace(0, math.log(200.0), _TIME_NUMBERS // 2)).to(time)
        moment = self.time(torch.cat([torch.sin(angle), torch.cos(angle)], -1))
        hidden = self.enter(torch.cat([mixed, beginning], -1)) + moment
        for block in self.blocks:
            hidden = block(hidden, moment)
        # The motion that the noise will become: a share of each mixed number, plus what the network adds. Where the
        # beginning decides the motion, the share is zero, and the network need not carry the noise along.
        share, added = self.leave(self.norm(hidden)).chunk(2, -1)
        normal = time / (time.square() + (1 - time).square())
        motion = (normal[:, None] + share) * mixed + added
        return (motion - mixed) / (1 - time).clamp(min=_LAST)[:, None]


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
