"""The lifter for one frame at a time. Each layer keeps its past, so a new frame costs one new column per layer."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from training.lifter.folded_lifter import FoldedBlock, FoldedLifter
from training.lifter.lifter import TemporalLifter


class StreamingLifter(nn.Module):
    """A `TemporalLifter` in evaluation mode, dilated, with copies of its weights. Its past is passed as arguments.

    Start from zeros. The answer to frame n (from 0) is the pose of frame n - receptive_field // 2, the same as that of
    `TemporalLifter.forward_sequence`. Answers before n = receptive_field - 1 are meaningless.

    Attributes:
        state_shapes: For one person: (frames, channels) of every layer that sees more than one frame, in the order of
            the arguments; oldest frame first.
    """

    def __init__(self, network: TemporalLifter) -> None:
        super().__init__()
        self.folded = FoldedLifter(network)
        first, *_ = network.filter_widths
        self.first_width = first
        self.dilations = []
        # The head of the feet also sees the frames around the one that is lifted.
        self.back = 0 if network.feet is None else network.receptive_field // 2 + network.near
        self.around = 2 * network.near + 1
        shapes = [(max(first - 1, self.back), network.features.count)]
        dilation = first
        for width in network.filter_widths[1:]:
            self.dilations.append(dilation)
            shapes.append(((width - 1) * dilation, network.channels))
            dilation *= width
        self.state_shapes = tuple(shape for shape in shapes if shape[0])

    def start(self, batch: int) -> tuple[Tensor, ...]:
        """The states for the first call of `forward`: zeros."""
        return tuple(torch.zeros(batch, *shape) for shape in self.state_shapes)

    def forward(self, keypoints: Tensor, *states: Tensor) -> tuple[Tensor, ...]:
        """Take the next frame.

        Args:
            keypoints: (B, J, input_channels).
            states: States from the call before, (B, *shape) for each of `state_shapes`.

        Returns:
            The pose, (B, J, 3) metres, root-relative, camera axes, and what else the lifter tells
            (`TemporalLifter.told`); then the states for the next call.
        """
        left = iter(states)
        kept: list[Tensor] = []

        def remember(column: Tensor, width: int) -> Tensor:
            """(B, frames + 1, C): the layer's past and the new column."""
            if width == 1:
                return column[:, None]
            memory = torch.cat([next(left), column[:, None]], 1)
            kept.append(memory[:, 1:])
            return memory

        seen = remember(self.folded.features(keypoints[:, None])[:, 0], max(self.first_width, self.back + 1))
        x = torch.relu(self.folded.expand(seen[:, -self.first_width :].flatten(1)))
        for block, dilation in zip(self.folded.blocks, self.dilations, strict=True):
            assert isinstance(block, FoldedBlock)
            memory = remember(x, block.width)
            wide = torch.relu(block.wide(memory[:, ::dilation].flatten(1)))
            x = memory[:, block.width // 2 * dilation] + torch.relu(block.narrow(wide))
        oldest = seen.shape[1] - 1 - self.back
        answer = self.folded.answer(x, seen[:, oldest : oldest + self.around].flatten(1))
        return (*(answer if isinstance(answer, tuple) else (answer,)), *kept)
