"""Feet from the keypoints of the middle frames alone, beside the trunk of the lifter."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sdk.skeletons.skeleton import H36M16, H36M20
from training.lifter.keypoint_features import KeypointFeatures

BODY = len(H36M16)
FEET = list(range(BODY, len(H36M20)))
ANKLES = [H36M20.parents[joint] for joint in FEET]
NEAR = 1
"""Frames to each side of the middle one that are seen."""
_FOOT_SIZES = 3.0
"""Offsets from the ankle times this are about as large as the other numbers."""


class FeetHead(nn.Module):
    """Heels and toes relative to their ankles, from 2D keypoints of a frame and its neighbours.

    How a foot points shows in the keypoints of this moment. The trunk brings 27 frames together in a few hundred
    numbers and loses it: of people whom it did not know, it placed toes that were seen 52 mm off across the line of
    sight. It learns instead to guess feet from how legs move, which other people do otherwise.

    Args:
        features: What the lifter sees of a frame.
        width: Of its two hidden layers.
        frames: Frames seen, an odd number.
        dropout: Dropout probability.
    """

    def __init__(self, features: KeypointFeatures, width: int, frames: int, dropout: float) -> None:
        super().__init__()
        self._joints, self._frames = features.joints, frames
        inputs = (features.count + 2 * len(FEET)) * frames
        self.first, self.second = nn.Linear(inputs, width, bias=False), nn.Linear(width, width, bias=False)
        self.first_norm, self.second_norm = nn.BatchNorm1d(width), nn.BatchNorm1d(width)
        self.dropout = nn.Dropout(dropout)
        self.out = nn.Linear(width + inputs, 3 * len(FEET))

    def forward(self, around: Tensor) -> Tensor:
        """(N, frames * F) features of frames side by side to (N, 4, 3) metres."""
        inputs = self.inputs(around)
        hidden = self.dropout(torch.relu(self.first_norm(self.first(inputs))))
        hidden = self.dropout(torch.relu(self.second_norm(self.second(hidden))))
        return self.out(torch.cat([hidden, inputs], -1)).unflatten(-1, (len(FEET), 3))

    def inputs(self, around: Tensor) -> Tensor:
        """(N, frames * F) features, and behind them where feet lie relative to their ankles."""
        places, seen = self._seen(around)
        known = (seen[..., FEET] * seen[..., ANKLES])[..., None]
        offsets = (places[..., FEET, :] - places[..., ANKLES, :]) * known * _FOOT_SIZES
        return torch.cat([around, offsets.flatten(1)], -1)

    def put_on(self, joints: Tensor, offsets: Tensor, around: Tensor) -> Tensor:
        """Poses with these feet, where they are seen in the middle frame.

        Args:
            joints: (N, 20, 3) metres, with the feet that the trunk tells.
            offsets: (N, 4, 3) relative to the ankles.
            around: (N, frames * F) features.
        """
        seen = self._seen(around)[1][:, self._frames // 2]
        known = (seen[:, FEET] * seen[:, ANKLES])[..., None]
        feet = joints[:, ANKLES] + offsets
        return torch.cat([joints[:, :BODY], known * feet + (1 - known) * joints[:, FEET]], 1)

    def _seen(self, around: Tensor) -> tuple[Tensor, Tensor]:
        """Places (N, frames, J, 2) and whether they are seen (N, frames, J)."""
        by_frame = around.unflatten(-1, (self._frames, -1))
        places = by_frame[..., : 2 * self._joints].unflatten(-1, (self._joints, 2))
        return places, by_frame[..., 2 * self._joints : 3 * self._joints]
