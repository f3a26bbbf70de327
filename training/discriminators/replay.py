"""Past fakes for the discriminators, so that they do not forget what the generator did before."""

from __future__ import annotations

import torch
from torch import Tensor, nn

CAPACITY = 4096


class ReplayPool(nn.Module):
    """Keeps samples and gives back, for each new one with probability one half, an old one in its place.

    Args:
        shape: Of one sample.
        capacity: Samples kept.
    """

    def __init__(self, shape: tuple[int, ...], capacity: int = CAPACITY) -> None:
        super().__init__()
        self.samples: Tensor
        self.filled: Tensor
        self.register_buffer("samples", torch.zeros(capacity, *shape))
        self.register_buffer("filled", torch.zeros((), dtype=torch.long))

    def mix(self, fresh: Tensor, generator: torch.Generator) -> Tensor:
        """(N, ...) new samples to as many, some of them old; the new ones they stand for are kept for later."""
        fresh = fresh.detach()
        filled, capacity = int(self.filled), len(self.samples)
        room = min(capacity - filled, len(fresh))
        if room > 0:
            self.samples[filled : filled + room] = fresh[:room]
            self.filled += room
        swap = torch.rand(len(fresh), generator=generator) < 0.5
        swap[:room] = False
        # Distinct places: two samples that took the same one would leave it to chance which of them is kept.
        replaced = swap.nonzero()[:, 0][:capacity].to(fresh.device)
        places = torch.randperm(capacity, generator=generator)[: len(replaced)].to(fresh.device)
        mixed = fresh.clone()
        mixed[replaced] = self.samples[places]
        self.samples[places] = fresh[replaced]
        return mixed
