"""A network that only judges: other networks learn through it, it does not."""

from __future__ import annotations

from torch import nn


class frozen:
    """Within the block, a network is in evaluation mode and its weights get no gradients; its inputs still do."""

    def __init__(self, network: nn.Module) -> None:
        self._network = network

    def __enter__(self) -> None:
        self._was_training = self._network.training
        self._network.eval().requires_grad_(False)

    def __exit__(self, *_: object) -> None:
        self._network.train(self._was_training).requires_grad_(True)
