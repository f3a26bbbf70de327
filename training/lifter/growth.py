"""A trained lifter made wider, longer or both, that lifts as it did: a larger one need not begin from nothing.

Wider: every channel is copied and what reads it is split among the copies. Longer: further residual blocks that add
nothing yet (Net2Net: Chen, Goodfellow and Shlens, ICLR 2016). Its copies are equal and would learn the same; here each
copy is read by an uneven part, drawn at random, so that the answer stays and the copies part.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from training.lifter.lifter import FrameNorm, ResidualBlock, TemporalLifter, TemporalLinear

_NOTHING_YET = 0.1
"""What a new block adds to every channel, taken off again behind it: at zero, no gradient passes its ReLU."""


def grown(lifter: TemporalLifter, filter_widths: Sequence[int], channels: int, dropout: float) -> TemporalLifter:
    """A larger lifter that gives the same poses.

    Args:
        lifter: Trained.
        filter_widths: Those of the lifter, and perhaps more behind them.
        channels: A multiple of the lifter's.
        dropout: Of the larger one.

    Returns:
        Of its own, in training mode; random numbers come from torch's generator.

    Raises:
        ValueError: it can't be made of this one.
    """
    shorter, copies = lifter.filter_widths, channels // lifter.channels
    if tuple(filter_widths[: len(shorter)]) != shorter:
        raise ValueError(f"filter widths must begin with {shorter}, not {tuple(filter_widths)}.")
    if channels < lifter.channels or channels % lifter.channels:
        raise ValueError(f"channels must be a multiple of {lifter.channels}, not {channels}.")
    larger = TemporalLifter(filter_widths, channels, lifter.joints, lifter.input_channels, dropout, lifter.view)
    with torch.no_grad():
        _copy_outputs(lifter.expand, larger.expand, copies)
        _copy_norm(lifter.expand_norm, larger.expand_norm, copies)
        for old, new in zip(lifter.blocks, larger.blocks, strict=False):  # what is longer stays as it was made
            assert isinstance(old, ResidualBlock)
            assert isinstance(new, ResidualBlock)
            for layer in ("wide", "narrow"):
                _copy_both(getattr(old, layer), getattr(new, layer), copies)
                _copy_norm(getattr(old, f"{layer}_norm"), getattr(new, f"{layer}_norm"), copies)
        larger.head.weight.copy_(_split(lifter.head.weight, copies))
        larger.head.bias.copy_(lifter.head.bias)
        for block in larger.blocks[len(lifter.blocks) :]:
            assert isinstance(block, ResidualBlock)
            block.narrow_norm.norm.weight.zero_()
            block.narrow_norm.norm.bias.fill_(_NOTHING_YET)
            larger.head.bias.sub_(_NOTHING_YET * larger.head.weight.sum(1))
    return larger


def _copy_outputs(old: TemporalLinear, new: TemporalLinear, copies: int) -> None:
    new.linear.weight.copy_(old.linear.weight.repeat(copies, 1))


def _copy_both(old: TemporalLinear, new: TemporalLinear, copies: int) -> None:
    by_frame = old.linear.weight.repeat(copies, 1).unflatten(1, (old.width, -1))
    new.linear.weight.copy_(_split(by_frame, copies).flatten(1))


def _copy_norm(old: FrameNorm, new: FrameNorm, copies: int) -> None:
    state = old.norm.state_dict()
    new.norm.load_state_dict({name: value.repeat(copies) if value.ndim else value for name, value in state.items()})


def _split(weight: Tensor, copies: int) -> Tensor:
    """(..., C) weights of inputs to (..., copies * C): the copies' weights of an input sum up to its own."""
    parts = nn.functional.normalize(torch.rand(*weight.shape[:-1], copies, weight.shape[-1]) + 0.5, p=1, dim=-2)
    return (weight[..., None, :] * parts).flatten(-2)
