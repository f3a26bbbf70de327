"""The lifter: VideoPose3D's temporal convolution network, written from the paper's description.

It has a first convolution over 3 frames, then one residual block per further filter width. A block has a wide
convolution and one over a single frame. After each convolution follow batch normalisation, ReLU and dropout. A linear
layer gives the pose of the middle frame (Pavllo et al., CVPR 2019, section 3; AdaptPose, section 6). Feet have a head
of their own (`FeetHead`), which is ours.

With stride = filter width, a convolution over a whole window is a reshape and one matrix product. On a CPU that is ten
times faster than `conv1d`. Over longer sequences the same weights run dilated, with one pose per frame.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from sdk.lifting.answers import FEET_IN_CONTACT
from training.lifter.feet_head import NEAR, FeetHead
from training.lifter.keypoint_features import KeypointFeatures, KeypointView


class TemporalLinear(nn.Module):
    """A convolution over time without padding, as one matrix product over `width` frames."""

    def __init__(self, in_channels: int, out_channels: int, width: int, bias: bool) -> None:
        super().__init__()
        self.width = width
        self.linear = nn.Linear(in_channels * width, out_channels, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """Strided: (B, T, C) to (B, T / width, out_channels), T a multiple of the width."""
        batch, _, channels = x.shape
        return self.linear(x.reshape(batch, -1, self.width * channels))

    def dilated(self, x: Tensor, dilation: int) -> Tensor:
        """Dilated: (B, T, C) to (B, T - (width - 1) * dilation, out_channels)."""
        frames = x.shape[1] - (self.width - 1) * dilation
        return self.linear(torch.cat([x[:, k * dilation : k * dilation + frames] for k in range(self.width)], -1))


class FrameNorm(nn.Module):
    """Batch normalisation of (B, T, C) over batch and time, ReLU and dropout."""

    def __init__(self, channels: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(channels)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, C) to the same."""
        batch, _, channels = x.shape
        return self.dropout(torch.relu(self.norm(x.reshape(-1, channels)))).reshape(batch, -1, channels)


class ResidualBlock(nn.Module):
    """A convolution over `width` frames and one over a single frame, added to the middle of those frames."""

    def __init__(self, channels: int, width: int, dropout: float) -> None:
        super().__init__()
        self.width = width
        self.wide = TemporalLinear(channels, channels, width, bias=False)
        self.wide_norm = FrameNorm(channels, dropout)
        self.narrow = TemporalLinear(channels, channels, 1, bias=False)
        self.narrow_norm = FrameNorm(channels, dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Strided: (B, T, C) to (B, T / width, C)."""
        middle = x[:, self.width // 2 :: self.width]
        return middle + self.narrow_norm(self.narrow(self.wide_norm(self.wide(x))))

    def dilated(self, x: Tensor, dilation: int) -> Tensor:
        """Dilated: (B, T, C) to (B, T - (width - 1) * dilation, C)."""
        side = (self.width // 2) * dilation
        middle = x[:, side : x.shape[1] - side]
        return middle + self.narrow_norm(self.narrow(self.wide_norm(self.wide.dilated(x, dilation))))


_BODY_JOINTS = 16
"""Joints that place and size of the person are computed from: those without feet."""


class LifterOutputs(NamedTuple):
    """What a lifter that `tells_more` says of the middle frame.

    Attributes:
        joints_m: (B, J, 3) metres, root-relative, camera axes.
        deviations_m: (B, J, 3) standard deviation of each coordinate, metres.
        up: (B, 3) points up, camera axes; of any length.
        up_deviation: (B, 1) standard deviation of the angle of `up`, radians, about one axis.
        contact: (B, 4) logits: whether the joints of `FEET_IN_CONTACT` stand on the ground.
    """

    joints_m: Tensor
    deviations_m: Tensor
    up: Tensor
    up_deviation: Tensor
    contact: Tensor


def as_told(outputs: LifterOutputs) -> tuple[Tensor, ...]:
    """Outputs as the graph answers them: up of length 1, contact as probabilities, no deviation of the origin."""
    joints, deviations, up, up_deviation, contact = outputs
    deviations = torch.cat([torch.zeros_like(deviations[:, :1]), deviations[:, 1:]], 1)
    return joints, deviations, nn.functional.normalize(up, dim=-1), up_deviation, contact.sigmoid()


class TemporalLifter(nn.Module):
    """2D keypoints over a window of frames to the 3D pose of the middle frame.

    Args:
        filter_widths: Frames per convolution, odd numbers. Their product is the receptive field (3, 3, 3 gives 27).
        channels: Width of the network, 1024 in the paper.
        joints: Number of joints, in and out.
        input_channels: Numbers per joint and frame: 2 (x, y), or 3 (x, y, and whether it is seen).
        dropout: Dropout probability.
        view: What it sees of a frame's keypoints; `picture` as in the paper.
        tells_more: Whether it also says which way is up, how sure it is, and which feet stand; see `outputs`.
        feet_width: Width of its `FeetHead`; 0: it has none.
    """

    def __init__(
        self,
        filter_widths: Sequence[int] = (3, 3, 3),
        channels: int = 256,
        joints: int = 16,
        input_channels: int = 2,
        dropout: float = 0.25,
        view: KeypointView = "picture",
        tells_more: bool = False,
        feet_width: int = 0,
    ) -> None:
        super().__init__()
        if not filter_widths or any(width < 1 or width % 2 == 0 for width in filter_widths):
            raise ValueError(f"filter widths are odd numbers of frames, not {tuple(filter_widths)}.")
        self.filter_widths = tuple(filter_widths)
        self.channels, self.joints, self.input_channels, self.dropout = channels, joints, input_channels, dropout
        self.view, self.tells_more, self.feet_width = view, tells_more, feet_width
        self._only_feet = False
        self.features = KeypointFeatures(view, joints, input_channels, min(joints, _BODY_JOINTS))
        first, *others = filter_widths
        self.expand = TemporalLinear(self.features.count, channels, first, bias=False)
        self.expand_norm = FrameNorm(channels, dropout)
        self.blocks = nn.ModuleList(ResidualBlock(channels, width, dropout) for width in others)
        self.head = nn.Linear(channels, joints * 3)
        self._more = (3, joints * 3, 1, len(FEET_IN_CONTACT))
        self.more = nn.Linear(channels, sum(self._more)) if tells_more else None
        frames = 2 * self.near + 1
        self.feet = FeetHead(self.features, feet_width, frames, dropout) if feet_width else None

    @property
    def receptive_field(self) -> int:
        """Frames in a window."""
        return math.prod(self.filter_widths)

    @property
    def near(self) -> int:
        """Frames to each side of the middle one that the head of the feet sees."""
        return min(NEAR, self.receptive_field // 2)

    def forward(self, windows: Tensor) -> Tensor:
        """Lift windows, strided.

        Args:
            windows: (B, receptive_field, J, input_channels), or without the last channel: then all joints are seen.

        Returns:
            (B, J, 3) metres, root-relative, camera axes.
        """
        features = self.features(windows)
        return self._joints(self._trunk(features), features)[:, 0]

    def outputs(self, windows: Tensor) -> LifterOutputs:
        """As `forward`, with all that a lifter that `tells_more` says."""
        assert self.more is not None
        features = self.features(windows)
        x = self._trunk(features)
        return self.read(self._joints(x, features)[:, 0], self.more(x[:, 0]))

    def read(self, joints: Tensor, numbers: Tensor) -> LifterOutputs:
        """The outputs in the joints (B, J, 3) and in the numbers (B, ...) of the further head."""
        up, spread, up_spread, contact = numbers.split(self._more, -1)
        deviations = spread.unflatten(-1, (self.joints, 3)).exp()
        return LifterOutputs(joints, deviations, up, up_spread.exp(), contact)

    def scale_spread(self, factors: Tensor) -> None:
        """Multiply all deviations that it tells from now on by (J, 3) positive factors."""
        assert self.more is not None
        first = self._more[0]
        with torch.no_grad():
            self.more.bias[first : first + self._more[1]] += factors.log().flatten().to(self.more.bias)

    def told(self, windows: Tensor) -> tuple[Tensor, ...]:
        """All that it tells, as its graph answers (`sdk.lifting.answers`).

        Joints; if it `tells_more`, also deviations, up of length 1, deviation of up, and probabilities of contact.
        """
        return as_told(self.outputs(windows)) if self.tells_more else (self(windows),)

    def _trunk(self, features: Tensor) -> Tensor:
        """(B, 1, channels): what the heads read."""
        x = self.expand_norm(self.expand(features))
        for block in self.blocks:
            x = block(x)
        return x

    def _joints(self, trunk: Tensor, features: Tensor) -> Tensor:
        """(B, T, J, 3) of the frames that the trunk speaks of, from the features of all frames around them."""
        joints: Tensor = self.head(trunk).unflatten(-1, (self.joints, 3))
        if self.feet is None:
            return joints
        first, frames = self.receptive_field // 2 - self.near, trunk.shape[1]
        around = torch.cat([features[:, k : k + frames] for k in range(first, first + 2 * self.near + 1)], -1)
        rows = around.flatten(0, 1)
        return self.feet.put_on(joints.flatten(0, 1), self.feet(rows), rows).unflatten(0, joints.shape[:2])

    def forward_sequence(self, keypoints: Tensor) -> Tensor:
        """Lift every frame that has a full window around it, dilated. The result is that of `forward` on each window.

        Args:
            keypoints: (B, T, J, input_channels), T at least the receptive field.

        Returns:
            (B, T - receptive_field + 1, J, 3).
        """
        features = self.features(keypoints)
        x = self.expand_norm(self.expand.dilated(features, 1))
        dilation = self.filter_widths[0]
        for block in self.blocks:
            assert isinstance(block, ResidualBlock)
            x = block.dilated(x, dilation)
            dilation *= block.width
        return self._joints(x, features)

    def learn_only_feet(self) -> None:
        """Let only the head of the feet and what is told learn: the body's joints stay as they are.

        Raises:
            ValueError: it has no `FeetHead`.
        """
        if self.feet is None:
            raise ValueError("the lifter has no head of the feet.")
        self._only_feet = True
        for module in self._of_the_body():
            module.requires_grad_(False)

    def train(self, mode: bool = True) -> TemporalLifter:
        """As for any module; layers that don't learn stay in evaluation mode."""
        super().train(mode)
        if self._only_feet:
            for module in self._of_the_body():
                module.eval()
        return self

    def _of_the_body(self) -> tuple[nn.Module, ...]:
        return self.expand, self.expand_norm, self.blocks, self.head
