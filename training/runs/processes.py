"""One training in several processes, on one machine or more, with Lightning Fabric.

Every process draws the same global batch from the same generator and takes its own rows of it. Gradients are averaged
(DistributedDataParallel). Two kinds of layers look beyond their rows: batch normalisation takes its statistics over the
global batch, and dropout draws the mask of the global batch. So the number of processes changes nothing but the order
of sums.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from sdk.errors import AdaptPoseError
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
    """Whether this is the process that writes and prints; also where there is but one."""
    return not torch.distributed.is_initialized() or torch.distributed.get_rank() == 0


class _AllSum(torch.autograd.Function):
    """The sum over processes. Its gradient is the sum of their gradients."""

    @staticmethod
    def forward(_: Any, values: Tensor) -> Tensor:
        total = values.contiguous().clone()
        torch.distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(_: Any, *slopes: Tensor) -> Tensor:
        total = slopes[0].contiguous().clone()
        torch.distributed.all_reduce(total)
        return total


def all_sum(values: Tensor) -> Tensor:
    """The sum of a tensor over all processes; it can be differentiated."""
    result: Tensor = _AllSum.apply(values)  # type: ignore[no-untyped-call]
    return result


class SharedBatchNorm(nn.BatchNorm1d):
    """Batch normalisation over the rows of all processes. (torch's SyncBatchNorm refuses tensors on the CPU.)

    Args:
        norm: Layer whose weights and statistics it takes over.
        processes: Number of processes; each has as many rows.
    """

    def __init__(self, norm: nn.BatchNorm1d, processes: int) -> None:
        super().__init__(norm.num_features, norm.eps, norm.momentum)
        self._parameters, self._buffers, self.processes = norm._parameters, norm._buffers, processes
        self.training = norm.training

    def forward(self, input: Tensor) -> Tensor:
        """(N, C) to the same."""
        if not self.training:
            return super().forward(input)
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        assert self.momentum is not None
        x = input.float()
        count = len(x) * self.processes
        mean = all_sum(x.sum(0)) / count
        variance = all_sum((x - mean).square().sum(0)) / count
        with torch.no_grad():
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(variance * (count / max(count - 1, 1)), self.momentum)
            self.num_batches_tracked += 1
        return ((x - mean) * torch.rsqrt(variance + self.eps) * self.weight + self.bias).to(input.dtype)


class SharedDropout(nn.Module):
    """Dropout with this process's rows of the global batch's mask.

    On the CPU it is the mask that one process would draw. CUDA's own dropout draws in another way.

    Args:
        probability: Share of numbers that become zero.
        number: This process.
        processes: Number of processes; each has as many rows.
    """

    def __init__(self, probability: float, number: int, processes: int) -> None:
        super().__init__()
        self.p, self.number, self.processes = probability, number, processes

    def forward(self, x: Tensor) -> Tensor:
        """(N, ...) to the same."""
        if not self.training or not self.p:
            return x
        rows = len(x)
        mask = torch.empty(rows * self.processes, *x.shape[1:], dtype=x.dtype, device=x.device).bernoulli_(1 - self.p)
        return x * mask[self.number * rows : (self.number + 1) * rows] / (1 - self.p)


def look_beyond_rows(network: nn.Module, number: int, processes: int) -> None:
    """Replace batch normalisation and dropout within a network by layers that see the global batch."""
    replaced: dict[type[nn.Module], Callable[[Any], nn.Module]] = {
        nn.BatchNorm1d: lambda layer: SharedBatchNorm(layer, processes),
        nn.Dropout: lambda layer: SharedDropout(layer.p, number, processes),
    }
    for module in list(network.modules()):
        for name, layer in list(module.named_children()):
            if type(layer) in replaced:
                setattr(module, name, replaced[type(layer)](layer))
