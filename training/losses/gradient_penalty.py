"""Gradient penalty on real samples: what lets generator and discriminator settle (R1; Mescheder et al., ICML 2018)."""

from __future__ import annotations

import torch
from torch import Tensor


def gradient_penalty(answers: Tensor, real: Tensor) -> Tensor:
    """Half the mean squared norm of a discriminator's gradient at real samples.

    Where all real samples get the same answer, as they should in the end, it costs nothing. Without it the
    discriminator stays steep where generated samples already lie right, and throws them out again.

    Args:
        answers: (N, 1) of the discriminator.
        real: (N, ...) what it was asked about; requires a gradient.

    Returns:
        A scalar that has a gradient with respect to the discriminator's weights.
    """
    (slope,) = torch.autograd.grad(answers.sum(), real, create_graph=True)
    return 0.5 * slope.square().flatten(1).sum(-1).mean()
