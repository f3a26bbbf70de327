"""What shares out the rows of one batch over processes: sums, answers put together, layers that look beyond their rows.

Three kinds of layers look beyond a process's own rows: batch normalisation takes its statistics over the global batch;
dropout and noise draw for the global batch and take their rows of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

from training.generator.generator_trunk import Noise


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
    result: Tensor = _AllSum.apply(values)  # type: ignore[no-untyped-call]  # by torch
    return result


class _Gather(torch.autograd.Function):
    """The rows of all processes. The gradient of a process's rows is its own one, so it can be differentiated twice."""

    @staticmethod
    def forward(context: Any, rows: Tensor, number: int, processes: int) -> Tensor:
        context.number, context.rows = number, len(rows)
        parts = [torch.empty_like(rows, memory_format=torch.contiguous_format) for _ in range(processes)]
        torch.distributed.all_gather(parts, rows.contiguous())
        return torch.cat(parts)

    @staticmethod
    def backward(context: Any, *slopes: Tensor) -> tuple[Tensor, None, None]:
        first = context.number * context.rows
        return slopes[0][first : first + context.rows], None, None


def gather(rows: Tensor, number: int, processes: int) -> Tensor:
    """The global batch from the rows of all processes, in their order.

    Every process computes the same loss from it. Its gradient reaches the process's own rows only: the sum over the
    processes is the gradient of the loss.
    """
    batch: Tensor = _Gather.apply(rows, number, processes)  # type: ignore[no-untyped-call]  # by torch
    return batch


def sum_gradients(parameters: Iterable[nn.Parameter]) -> None:
    """Replace the gradients of all processes by their sum, in one message."""
    slopes = [one.grad for one in parameters if one.grad is not None]
    total = torch.cat([one.flatten() for one in slopes])
    torch.distributed.all_reduce(total)
    for slope, summed in zip(slopes, total.split([one.numel() for one in slopes]), strict=True):
        slope.copy_(summed.view_as(slope))


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


class SharedNoise(Noise):
    """Noise with this process's rows of what one process would draw.

    Args:
        noise: Layer that it stands for.
        number: This process.
        processes: Number of processes; each has as many rows.
    """

    def __init__(self, noise: Noise, number: int, processes: int) -> None:
        super().__init__(*noise.shape, uniform=noise.uniform)
        self.number, self.processes = number, processes

    def drawn(self, rows: int, generator: torch.Generator) -> Tensor:
        """(rows, *shape), on the CPU."""
        return super().drawn(rows * self.processes, generator)[self.number * rows : (self.number + 1) * rows]


def look_beyond_rows(network: nn.Module, number: int, processes: int) -> list[tuple[nn.Module, str, nn.Module]]:
    """Replace batch normalisation, dropout and noise within a network by layers that see the global batch.

    Returns:
        The layers that were replaced: the module that holds each, its name there, and the layer. Weights and
        statistics are still theirs.
    """
    replacements: dict[type[nn.Module], Callable[[Any], nn.Module]] = {
        nn.BatchNorm1d: lambda layer: SharedBatchNorm(layer, processes),
        nn.Dropout: lambda layer: SharedDropout(layer.p, number, processes),
        Noise: lambda layer: SharedNoise(layer, number, processes),
    }
    replaced = []
    for module in list(network.modules()):
        for name, layer in list(module.named_children()):
            if type(layer) in replacements:
                replaced.append((module, name, layer))
                setattr(module, name, replacements[type(layer)](layer))
    return replaced
