"""Least-squares GAN losses (AdaptPose, eqs. 15-17)."""

from __future__ import annotations

from torch import Tensor


def discriminator_loss(real: Tensor, fake: Tensor) -> Tensor:
    """Eqs. 15 and 16: real answers towards one, fake ones towards zero; a scalar."""
    return 0.5 * (real - 1).square().mean() + 0.5 * fake.square().mean()


def generator_loss(fake: Tensor) -> Tensor:
    """Eq. 17: fake answers towards one; a scalar."""
    return 0.5 * (fake - 1).square().mean()
