"""Penalties for generators that leave the range of plausible change."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import cosine_similarity

TURN_CENTRE, TURN_REACH = 0.205, 0.165
"""Of the mean of 1 - cos of the bones' turns."""
LARGEST_LENGTH_CHANGE = 0.1


def turn_range_loss(source_bones: Tensor, turned_bones: Tensor) -> Tensor:
    """How far each pose's mean 1 - cos between (B, K, 3) bones and their turned form lies outside its range; a scalar.

    Outside to either side: too large a turn is not human, too small a one generates nothing.
    """
    change = (1 - cosine_similarity(source_bones, turned_bones, dim=-1)).mean(-1)
    return ((change - TURN_CENTRE).abs() - TURN_REACH).clamp(min=0).mean()


def length_range_loss(ratios: Tensor) -> Tensor:
    """How far (B, G) relative changes of length lie outside ±0.1; a scalar."""
    return (ratios.abs() - LARGEST_LENGTH_CHANGE).clamp(min=0).mean()
