"""Shows past fakes to the discriminators, so that they do not forget what the generator did before."""

from __future__ import annotations

import torch
from torch import Tensor, nn

CAPACITY = 4096


class ReplayPool(nn.Module):
    """Keeps old samples. Each new sample is replaced by an old one with probability one half.

    Args:
        shape: Shape of one sample.
        capacity: Number of samples to keep.
    """

    def __init__(self, shape: tuple[int, ...], capacity: int = CAPACITY) -> None:
        super().__init__()
        self.samples: Tensor
        self.filled: Tensor
        self.register_buffer("samples", torch.zeros(capacity, *shape))
        self.register_buffer("filled", torch.zeros((), dtype=torch.long))

    def mix(self, fresh: Tensor, generator: torch.Generator) -> Tensor:
        """Replace some of (N, ...) new samples by old ones. The replaced samples are kept for later."""
        fresh = fresh.detach()
        filled, capacity = int(self.filled), len(self.samples)
        room = min(capacity - filled, len(fresh))
        if room > 0:
            self.samples[filled : filled + room] = fresh[:room]
            self.filled += room
        swap = torch.rand(len(fresh), generator=generator) < 0.5
        swap[:room] = False
        # Distinct places: if two samples had the same place, chance would decide which of them is kept.
        replaced = swap.nonzero()[:, 0][:capacity].to(fresh.device)
        places = torch.randperm(capacity, generator=generator)[: len(replaced)].to(fresh.device)
        mixed = fresh.clone()
        mixed[replaced] = self.samples[places]
        self.samples[places] = fresh[replaced]
        return mixed
