"""One training in several processes, on one machine or more, with Lightning Fabric.

Every process draws the same global batch from the same generator and takes its own rows of it. Layers that look beyond
their rows see the global batch (`shared_layers`). So the number of processes changes nothing but the order of sums.

Pretraining and the motion model have one network and one loss: `setup`, `share` and `backward`
(DistributedDataParallel, gradients averaged). An adaptation has several networks that answer one another, and losses
that look at the whole batch: `spread`, where every process gets all answers and computes the same losses, and
`sum_gradients`.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from sdk.errors import AdaptPoseError
from training.runs.shared_layers import all_sum, gather, look_beyond_rows, sum_gradients
from training.settings.pretrain import TrainingPrecision


class Processes:
    """The processes of a training.

    Args:
        fabric: From `open_device`. None: one process, whose networks are on their device already.
        precision: `bf16-mixed` does matrix products in bfloat16; weights, sums and losses stay float32.

    Attributes:
        count: Processes on all machines.
        number: This one's number, from 0.
    """

    def __init__(self, fabric: Fabric | None = None, precision: TrainingPrecision = "32-true") -> None:
        self._fabric, self._precision = fabric, precision
        self.count = 1 if fabric is None else fabric.world_size
        self.number = 0 if fabric is None else fabric.global_rank

    @property
    def first(self) -> bool:
        """Whether this process writes files and shows progress."""
        return self.number == 0

    def first_does(self, action: Callable[[], None]) -> None:
        """Let the first process do something. All wait for it, and what it raises is raised in all of them."""
        failed: AdaptPoseError | None = None
        if self.first:
            try:
                action()
            except AdaptPoseError as error:
                failed = error
        if self._fabric is not None and self.count > 1:
            failed = self._fabric.broadcast(failed)
        if failed is not None:
            raise failed

    def setup(self, network: nn.Module) -> nn.Module:
        """A network in training. Call it before optimiser and average are made, and call the result in its place.

        With several processes, layers of the given network are replaced (`look_beyond_rows`); its weights stay the
        same objects.
        """
        if self._fabric is None or self.count == 1:
            return network
        look_beyond_rows(network, self.number, self.count)
        return self._fabric.setup_module(network)

    def share(self, batch: Tensor) -> Tensor:
        """This process's rows of a global batch. The number of rows must be a multiple of the number of processes."""
        rows = len(batch) // self.count
        return batch[self.number * rows : (self.number + 1) * rows]

    @contextmanager
    def spread(self, networks: Iterable[nn.Module]) -> Iterator[None]:
        """Within the block, each process computes its rows only of what these networks are given.

        All processes call the networks alike, with the global batch, and get the answers for the global batch. The
        number of rows must be a multiple of the number of processes. With one process, nothing is changed.
        """
        hooks: list[Any] = []
        replaced: list[tuple[nn.Module, str, nn.Module]] = []
        try:
            for network in networks if self.count > 1 else ():
                for values in network.state_dict().values():
                    torch.distributed.broadcast(values, 0)  # one seed, but perhaps two kinds of processors
                hooks.append(network.register_forward_pre_hook(self._take_rows))
                hooks.append(network.register_forward_hook(self._all_rows))
                replaced += look_beyond_rows(network, self.number, self.count)
            yield
        finally:
            for hook in hooks:
                hook.remove()
            for holder, name, layer in replaced:
                layer.train(getattr(holder, name).training)
                setattr(holder, name, layer)

    def _take_rows(self, _: nn.Module, given: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(self.share(one) if isinstance(one, Tensor) else one for one in given)

    def _all_rows(self, _: nn.Module, __: tuple[Any, ...], answer: Any) -> Any:
        """The answer of all processes: a tensor, or a dataclass of tensors, of which some may be None."""
        if isinstance(answer, Tensor):
            return gather(answer, self.number, self.count)
        parts = {field.name: getattr(answer, field.name) for field in dataclasses.fields(answer)}
        whole = {name: gather(part, self.number, self.count) for name, part in parts.items() if part is not None}
        return dataclasses.replace(answer, **whole)

    def sum_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Gradients of the global batch, from those that a loss of spread networks gave each process."""
        if self.count > 1:
            sum_gradients(parameters)

    def autocast(self, device: torch.device) -> AbstractContextManager[Any]:
        """The context of forward passes."""
        # Not Fabric's own: that would round the keypoints to bfloat16 too, which is 4 pixels of 1000.
        return torch.autocast(device.type, torch.bfloat16) if self._precision == "bf16-mixed" else nullcontext()

    def backward(self, loss: Tensor) -> None:
        """Gradients of the global batch, from the mean loss of each process's rows."""
        if self._fabric is None or self.count == 1:
            loss.backward()
        else:
            self._fabric.backward(loss)

    def mean(self, loss: Tensor) -> float:
        """The loss of the global batch, to be logged."""
        if self.count == 1:
            return loss.item()
        return all_sum(loss.detach()).item() / self.count


def is_first_process() -> bool:
    """Whether this is the process that writes and prints; also where there is but one, and before `Fabric.launch`."""
    if torch.distributed.is_initialized():
        return torch.distributed.get_rank() == 0
    return os.environ.get("LOCAL_RANK", "0") == "0"  # set in those that `Fabric.launch` starts
