"""Least-squares GAN losses (AdaptPose, eqs. 15-17) and the R1 gradient penalty (Mescheder et al., ICML 2018)."""

from __future__ import annotations

import torch
from torch import Tensor


def discriminator_loss(real: Tensor, fake: Tensor) -> Tensor:
    """Eqs. 15 and 16: real answers towards one, fake ones towards zero; a scalar."""
    return 0.5 * (real - 1).square().mean() + 0.5 * fake.square().mean()


def generator_loss(fake: Tensor) -> Tensor:
    """Eq. 17: fake answers towards one; a scalar."""
    return 0.5 * (fake - 1).square().mean()


def gradient_penalty(answers: Tensor, real: Tensor) -> Tensor:
    """Half the mean squared norm of a discriminator's gradient at real samples (R1).

    It is zero if all real samples get the same answer, as they should in the end. Without it the gradient stays large
    where generated samples are right already, and pushes them away again.

    Args:
        answers: (N, 1) answers of the discriminator.
        real: (N, ...) real samples that it judged; they require a gradient.

    Returns:
        A scalar with a gradient with respect to the discriminator's weights.
    """
    (slope,) = torch.autograd.grad(answers.sum(), real, create_graph=True)
    return 0.5 * slope.square().flatten(1).sum(-1).mean()
