"""The lifter one frame at a time: each layer keeps its past, so that a frame costs one new column a layer."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from training.lifter.folded_lifter import FoldedBlock, FoldedLifter
from training.lifter.lifter import TemporalLifter


class StreamingLifter(nn.Module):
    """The dilated form of a `TemporalLifter` in evaluation mode, from copies of its weights, its past as arguments.

    Started from zeros, the answer to the frame pushed as number n (from 0) is, from n = receptive_field - 1 on, the
    pose of frame n - receptive_field // 2, as `TemporalLifter.forward_sequence` gives it; what comes before is
    meaningless.

    Attributes:
        state_shapes: Of one person, (frames, channels) of every layer that looks at more than one frame, in the order
            of the arguments; oldest frame first.
    """

    def __init__(self, network: TemporalLifter) -> None:
        super().__init__()
        self.folded = FoldedLifter(network)
        first, *_ = network.filter_widths
        self.first_width = first
        self.dilations = []
        shapes = [(first - 1, network.features.count)]
        dilation = first
        for width in network.filter_widths[1:]:
            self.dilations.append(dilation)
            shapes.append(((width - 1) * dilation, network.channels))
            dilation *= width
        self.state_shapes = tuple(shape for shape in shapes if shape[0])

    def start(self, batch: int) -> tuple[Tensor, ...]:
        """What `forward` gets with the first frame: zeros."""
        return tuple(torch.zeros(batch, *shape) for shape in self.state_shapes)

    def forward(self, keypoints: Tensor, *states: Tensor) -> tuple[Tensor, ...]:
        """Take the next frame.

        Args:
            keypoints: (B, J, input_channels).
            states: As the call before returned them, (B, *shape) for each of `state_shapes`.

        Returns:
            The pose, (B, J, 3) metres, root-relative, camera axes; then the states for the next call.
        """
        left = iter(states)
        kept: list[Tensor] = []

        def remember(column: Tensor, width: int) -> Tensor:
            """(B, frames + 1, C): the layer's past and this column."""
            if width == 1:
                return column[:, None]
            memory = torch.cat([next(left), column[:, None]], 1)
            kept.append(memory[:, 1:])
            return memory

        x = torch.relu(
            self.folded.expand(remember(self.folded.features(keypoints[:, None])[:, 0], self.first_width).flatten(1))
        )
        for block, dilation in zip(self.folded.blocks, self.dilations, strict=True):
            assert isinstance(block, FoldedBlock)
            memory = remember(x, block.width)
            wide = torch.relu(block.wide(memory[:, ::dilation].flatten(1)))
            x = memory[:, block.width // 2 * dilation] + torch.relu(block.narrow(wide))
        return (self.folded.head(x).unflatten(-1, (self.folded.joints, 3)), *kept)
