"""What trainings of one network on known answers share: Adam, a falling learning rate, and averaged weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import CosineAnnealingLR, LRScheduler, StepLR
from torch.optim.swa_utils import AveragedModel

from training.runs.processes import Processes
from training.runs.resuming import HasState

_GRADIENT_CLIP = 1.0


class AveragedTraining:
    """A network in training.

    Args:
        network: The network, on its device.
        processes: The processes that train it.
        average: Makes the running average of the network's weights.
        learning_rate: Learning rate at the start.
        steps: Optimiser steps; the learning rate falls along half a cosine over them.
        epoch_decay: In place of the half cosine: what the learning rate is multiplied by after each epoch, and steps in
            an epoch.
        fused: Whether the optimiser does all weights in one call. It is faster, and rounds differently.

    Attributes:
        spread: The network to call in training (`Processes.setup`).
        average: The average.
        parts: All that has a state to save, by name.
    """

    def __init__(
        self,
        network: nn.Module,
        processes: Processes,
        average: Callable[[nn.Module], AveragedModel],
        learning_rate: float,
        steps: int,
        *,
        epoch_decay: tuple[float, int] | None = None,
        fused: bool | None = None,
    ) -> None:
        self._network, self._processes = network, processes
        self.spread = processes.setup(network)
        self.average = average(network)
        self._optimiser = torch.optim.Adam(network.parameters(), lr=learning_rate, fused=fused)
        schedule: Callable[[torch.optim.Optimizer], LRScheduler] = partial(CosineAnnealingLR, T_max=steps)
        if epoch_decay is not None:
            schedule = partial(StepLR, step_size=epoch_decay[1], gamma=epoch_decay[0])
        self._schedule = schedule(self._optimiser)
        self.parts: Mapping[str, HasState] = {
            "network": network,
            "average": self.average,
            "optimiser": self._optimiser,
            "schedule": self._schedule,
        }

    def descend(self, loss: Tensor, correct: Callable[[], None] | None = None) -> float:
        """Do one step for this process's mean loss.

        Args:
            loss: A scalar.
            correct: Called when the gradients of the global batch are there, before they are clipped; it may change
                them.

        Returns:
            The loss of the global batch.
        """
        self._optimiser.zero_grad(set_to_none=True)
        self._processes.backward(loss)
        if correct is not None:
            correct()
        torch.nn.utils.clip_grad_norm_(self._network.parameters(), _GRADIENT_CLIP)
        self._optimiser.step()
        self._schedule.step()
        self.average.update_parameters(self._network)
        return self._processes.mean(loss)
