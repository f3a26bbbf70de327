"""Makes a trained lifter wider, longer or both, with the same poses, so that training does not begin from nothing.

Wider: every channel is copied, and the weights that read it are split among the copies. Longer: residual blocks are
added that change nothing yet. This is Net2Net (Chen, Goodfellow and Shlens, ICLR 2016). Equal copies would learn the
same, so here the weights are split unevenly, at random. The result stays the same, and the copies can become different.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from sdk.skeletons.skeleton import H36M16, H36M20
from training.lifter.lifter import FrameNorm, ResidualBlock, TemporalLifter, TemporalLinear

_NOTHING_YET = 0.1
"""A new block adds this to every channel; the head subtracts it again. With zero, no gradient would pass its ReLU."""

_FIRST_LOG_DEVIATION = -3.0
"""Logarithm of the standard deviations that a lifter begins with: 5 cm, 3 degrees."""


def grown(lifter: TemporalLifter, filter_widths: Sequence[int], channels: int, dropout: float) -> TemporalLifter:
    """A larger lifter that gives the same poses.

    Args:
        lifter: A trained lifter.
        filter_widths: Those of the lifter, and any further ones after them.
        channels: A multiple of the lifter's channels.
        dropout: Dropout of the larger lifter.

    Returns:
        A new lifter in training mode. Random numbers come from torch's generator.

    Raises:
        ValueError: the lifter can't be grown to this size.
    """
    if lifter.feet is not None:
        raise ValueError("a lifter with a head of the feet can't be grown: grow the one of 16 joints.")
    shorter, copies = lifter.filter_widths, channels // lifter.channels
    if tuple(filter_widths[: len(shorter)]) != shorter:
        raise ValueError(f"filter widths must begin with {shorter}, not {tuple(filter_widths)}.")
    if channels < lifter.channels or channels % lifter.channels:
        raise ValueError(f"channels must be a multiple of {lifter.channels}, not {channels}.")
    larger = TemporalLifter(filter_widths, channels, lifter.joints, lifter.input_channels, dropout, lifter.view)
    with torch.no_grad():
        _copy_outputs(lifter.expand, larger.expand, copies)
        _copy_norm(lifter.expand_norm, larger.expand_norm, copies)
        for old, new in zip(lifter.blocks, larger.blocks, strict=False):  # added blocks are set below
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


def with_feet(lifter: TemporalLifter) -> TemporalLifter:
    """A lifter of 20 joints that tells more (`TemporalLifter.outputs`), from one of 16.

    Its 16 joints are the same, whatever it sees of feet. Heels and toes begin at their ankles. The rest begins as
    nothing known: no way up, a deviation of e^-3 m, contact as likely as not.

    Args:
        lifter: A trained lifter of 16 joints that takes missing joints.

    Raises:
        ValueError: it has other joints, or takes no missing joints.
    """
    if lifter.joints != len(H36M16) or lifter.input_channels != 3:
        raise ValueError(
            f"feet are added to a lifter of 16 joints with 3 numbers each, not of {lifter.joints} with "
            f"{lifter.input_channels}."
        )
    larger = TemporalLifter(
        lifter.filter_widths, lifter.channels, len(H36M20), 3, lifter.dropout, lifter.view, tells_more=True
    )
    old, new = len(H36M16), len(H36M20)
    # A frame's features: x, y of all joints, then whether each is seen, then what the view adds.
    columns = [*range(2 * old), *range(2 * new, 2 * new + old), *range(3 * new, larger.features.count)]
    state = {name: value for name, value in lifter.state_dict().items() if not name.startswith(("expand.", "head."))}
    larger.load_state_dict(state, strict=False)
    with torch.no_grad():
        weight = larger.expand.linear.weight.zero_().unflatten(1, (larger.filter_widths[0], -1))
        weight[..., columns] = lifter.expand.linear.weight.unflatten(1, (larger.filter_widths[0], -1))
        parents = [*range(old), *(H36M20.parents[joint] for joint in range(old, new))]
        rows = torch.tensor(parents)[:, None] * 3 + torch.arange(3)
        larger.head.weight.copy_(lifter.head.weight[rows.flatten()])
        larger.head.bias.copy_(lifter.head.bias[rows.flatten()])
        assert larger.more is not None
        larger.more.weight.zero_()
        larger.more.bias.zero_()
        larger.more.bias[3 : 4 + 3 * new] = _FIRST_LOG_DEVIATION
    return larger


def with_feet_head(lifter: TemporalLifter, width: int) -> TemporalLifter:
    """A lifter of 20 joints with a `FeetHead` of random weights; all else is the same.

    Args:
        lifter: A lifter that tells more, without one.
        width: Of the head.
    """
    larger = TemporalLifter(
        lifter.filter_widths, lifter.channels, lifter.joints, lifter.input_channels, lifter.dropout, lifter.view,
        lifter.tells_more, width,
    )  # fmt: skip
    larger.load_state_dict(lifter.state_dict(), strict=False)
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
    """Split weights of inputs (..., C) to (..., copies * C). The weights of the copies add up to the old weight."""
    parts = nn.functional.normalize(torch.rand(*weight.shape[:-1], copies, weight.shape[-1]) + 0.5, p=1, dim=-2)
    return (weight[..., None, :] * parts).flatten(-2)
