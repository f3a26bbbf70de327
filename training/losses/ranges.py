"""Penalties on generators for changes outside the plausible range."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import cosine_similarity

TURN_CENTRE, TURN_REACH = 0.205, 0.165
"""Range of the mean of 1 - cos of the bones' rotation angles: centre and reach."""
LARGEST_LENGTH_CHANGE = 0.1


def turn_range_loss(source_bones: Tensor, turned_bones: Tensor) -> Tensor:
    """How far the mean 1 - cos between (B, K, 3) bones and their rotated form is outside its range; a scalar.

    Both sides count: a rotation that is too large is not human, and one that is too small generates nothing new.
    """
    change = (1 - cosine_similarity(source_bones, turned_bones, dim=-1)).mean(-1)
    return ((change - TURN_CENTRE).abs() - TURN_REACH).clamp(min=0).mean()


def length_range_loss(ratios: Tensor) -> Tensor:
    """How far (B, G) relative length changes are outside ±0.1; a scalar."""
    return (ratios.abs() - LARGEST_LENGTH_CHANGE).clamp(min=0).mean()
