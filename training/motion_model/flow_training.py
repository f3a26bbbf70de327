"""What the network of a motion model learns from."""

from __future__ import annotations

import torch
from torch import Tensor

from training.motion_model.motion_model import MotionModel

_BEGINNING_NOISE = 0.04
"""Standard deviation of the error of given beginnings, in their units: the network goes on from what it made itself."""
_FINE = 0.5
"""Power of a component's deviation that its error is weighted with: at 2 errors would count in millimetres, and what is
small, the fast part of motion, would stay noise."""


def flow_matching_loss(model: MotionModel, numbers: Tensor, beginning: Tensor, generator: torch.Generator) -> Tensor:
    """Squared error of the velocity on the straight way from noise to motion (Lipman et al., eq. 23, without spread).

    Args:
        model: In training mode.
        numbers: (B, components) of real segments.
        beginning: (B, known) of the same.
        generator: Source of randomness, on the CPU.
    """
    batch = len(numbers)
    noise = torch.randn(numbers.shape, generator=generator).to(numbers)
    time = torch.rand(batch, generator=generator).to(numbers)
    inexact = beginning + _BEGINNING_NOISE * torch.randn(beginning.shape, generator=generator).to(beginning)
    mixed = torch.lerp(noise, numbers, time[:, None])
    error = model.network(mixed, time, inexact) - (numbers - noise)
    weight = model.basis.deviation**_FINE
    return (error.square() * weight / weight.mean()).mean()
