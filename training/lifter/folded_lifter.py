"""The lifter for export. Batch normalisation is folded into the linear layers; every layer is one matrix product."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from training.lifter.feet_head import FEET, FeetHead
from training.lifter.lifter import ResidualBlock, TemporalLifter, as_told


def fold_norm(linear: nn.Linear, norm: nn.BatchNorm1d) -> nn.Linear:
    """Fold a batch normalisation (in evaluation mode) into the linear layer before it.

    With s = weight / sqrt(variance + eps): s (W x + b - mean) + bias = (s W) x + s (b - mean) + bias.

    Args:
        linear: Layer with or without a bias.
        norm: Normalisation of the linear layer's outputs, with running statistics.

    Returns:
        A new float32 layer on the CPU. It is computed in float64, so that only the result is rounded.
    """
    assert norm.running_mean is not None
    assert norm.running_var is not None
    mean, variance, gain, shift, weight = (
        value.detach().to("cpu", torch.float64)
        for value in (norm.running_mean, norm.running_var, norm.weight, norm.bias, linear.weight)
    )
    bias = torch.zeros_like(mean) if linear.bias is None else linear.bias.detach().to("cpu", torch.float64)
    scale = gain / torch.sqrt(variance + norm.eps)
    folded = nn.Linear(linear.in_features, linear.out_features)
    with torch.no_grad():
        folded.weight.copy_(scale[:, None] * weight)
        folded.bias.copy_(scale * (bias - mean) + shift)
    return folded


class FoldedBlock(nn.Module):
    """A residual block on rows: (N * width, C) to (N, C)."""

    def __init__(self, block: ResidualBlock) -> None:
        super().__init__()
        self.width = block.width
        self.wide = fold_norm(block.wide.linear, block.wide_norm.norm)
        self.narrow = fold_norm(block.narrow.linear, block.narrow_norm.norm)

    def forward(self, x: Tensor) -> Tensor:
        """(N * width, C) to (N, C); `width` consecutive rows are consecutive frames."""
        channels = x.shape[-1]
        x = x.reshape(-1, self.width * channels)
        start = self.width // 2 * channels
        return x[:, start : start + channels] + torch.relu(self.narrow(torch.relu(self.wide(x))))


class FoldedFeet(nn.Module):
    """A `FeetHead` in evaluation mode."""

    def __init__(self, head: FeetHead) -> None:
        super().__init__()
        self.first, self.second = fold_norm(head.first, head.first_norm), fold_norm(head.second, head.second_norm)
        self.out = copy.deepcopy(head.out).cpu()
        self._inputs, self._put_on = head.inputs, head.put_on

    def forward(self, joints: Tensor, around: Tensor) -> Tensor:
        """Joints (B, J, 3) with the feet that are seen in the features (B, frames * F)."""
        inputs = self._inputs(around)
        hidden = torch.relu(self.second(torch.relu(self.first(inputs))))
        offsets = self.out(torch.cat([hidden, inputs], -1))
        return self._put_on(joints, offsets.reshape(-1, len(FEET), 3), around)


class FoldedLifter(nn.Module):
    """Computes the same as a `TemporalLifter` in evaluation mode, with copies of its weights.

    The frames of all windows are rows of one matrix. Runtimes fuse matrix product, bias and ReLU of two-dimensional
    layers. The form (B, T, C) would cost a transpose or a copy at each layer.
    """

    def __init__(self, network: TemporalLifter) -> None:
        super().__init__()
        self.joints = network.joints
        self.features = network.features
        self.expand = fold_norm(network.expand.linear, network.expand_norm.norm)
        self.blocks = nn.ModuleList(FoldedBlock(b) for b in network.blocks if isinstance(b, ResidualBlock))
        heads = [network.head, *([network.more] if network.more is not None else [])]
        self.head = nn.Linear(network.head.in_features, sum(head.out_features for head in heads))
        self.head.load_state_dict(
            {name: torch.cat([head.state_dict()[name].cpu() for head in heads]) for name in ("weight", "bias")}
        )
        self._read = network.read if network.tells_more else None
        self.feet = None if network.feet is None else FoldedFeet(network.feet)
        middle = network.receptive_field // 2
        self._around = slice(middle - network.near, middle + network.near + 1)

    def forward(self, keypoints: Tensor) -> Tensor | tuple[Tensor, ...]:
        """(B, receptive_field, J, C) to (B, J, 3), as `TemporalLifter.forward`; a lifter that tells more: as `told`."""
        features = self.features(keypoints)
        x = torch.relu(self.expand(features.reshape(-1, self.expand.in_features)))
        for block in self.blocks:
            x = block(x)
        return self.answer(x, features[:, self._around].flatten(1))

    def answer(self, x: Tensor, around: Tensor) -> Tensor | tuple[Tensor, ...]:
        """What `forward` returns.

        Args:
            x: (B, channels) from the trunk.
            around: (B, frames * F) features of the frames that the head of the feet sees, if there is one.
        """
        numbers = self.head(x)
        joints = numbers[:, : 3 * self.joints].reshape(-1, self.joints, 3)
        if self.feet is not None:
            joints = self.feet(joints, around)
        return joints if self._read is None else as_told(self._read(joints, numbers[:, 3 * self.joints :]))
