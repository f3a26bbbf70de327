"""Averages the weights of a network over a run, and freezes weights while other networks learn through them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

_WARM_UP = 9


def averaged(network: nn.Module, decay: float) -> AveragedModel:
    """An exponential running average of a network's weights and statistics.

    After n updates the decay is n / (n + 9) at most. With the full decay from the first step on, a run of a hundred
    steps at 0.998 would end with an average that is four fifths the lifter at the start.

    Args:
        network: Network to average; it is copied. `update_parameters` takes the new weights.
        decay: Decay after many updates.
    """

    def update(averages: Sequence[Tensor], values: Sequence[Tensor], count: Tensor | int) -> None:
        weight = 1 - min(decay, float(count) / (float(count) + _WARM_UP))
        for average, value in zip(averages, values, strict=True):
            if average.is_floating_point():
                average.lerp_(value, weight)
            else:  # the batch counter of a normalisation layer
                average.copy_(value)

    return AveragedModel(network, multi_avg_fn=torch.no_grad()(update), use_buffers=True)


class frozen:
    """Within the block, a network is in evaluation mode. Its weights get no gradients; its inputs still do."""

    def __init__(self, network: nn.Module) -> None:
        self._network = network

    def __enter__(self) -> None:
        self._was_training = self._network.training
        self._network.eval().requires_grad_(False)

    def __exit__(self, *_: object) -> None:
        self._network.train(self._was_training).requires_grad_(True)
