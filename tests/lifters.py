"""Lifters for tests: random weights, and batch normalisation statistics that do something."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from training.lifter.keypoint_features import KeypointView
from training.lifter.lifter import TemporalLifter


def random_lifter(
    filter_widths: Sequence[int] = (3, 3, 3),
    channels: int = 32,
    seed: int = 0,
    input_channels: int = 2,
    view: KeypointView = "picture",
    feet_width: int = 0,
    feet: bool = False,
) -> TemporalLifter:
    """A lifter in evaluation mode whose normalisation layers are far from the identity; answers of a metre or two."""
    generator = torch.Generator().manual_seed(seed)
    network = TemporalLifter(
        filter_widths,
        channels,
        20 if feet else 16,
        input_channels=input_channels,
        view=view,
        tells_more=feet,
        feet_width=feet_width,
    ).eval()
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, torch.nn.Linear):
                bound = module.in_features**-0.5
                module.weight.uniform_(-bound, bound, generator=generator)
                if module.bias is not None:
                    module.bias.uniform_(-0.5, 0.5, generator=generator)
            if isinstance(module, torch.nn.BatchNorm1d):
                assert module.running_mean is not None
                assert module.running_var is not None
                module.running_mean.normal_(0, 0.5, generator=generator)
                module.running_var.uniform_(0.2, 2, generator=generator)
                module.weight.uniform_(0.5, 1.5, generator=generator)
                module.bias.normal_(0, 0.5, generator=generator)
    return network
