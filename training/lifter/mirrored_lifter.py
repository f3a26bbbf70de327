"""A lifter averaged with its mirrored answer to the mirrored keypoints."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sdk.skeletons.skeleton import pose_skeleton


class MirroredLifter(nn.Module):
    """Answers a mirrored person with the mirrored pose, whatever the lifter in it does, at twice the cost.

    Args:
        lifter: In evaluation mode.
    """

    def __init__(self, lifter: nn.Module) -> None:
        super().__init__()
        self.lifter = lifter

    def forward(self, windows: Tensor) -> Tensor:
        """(B, T, J, C) keypoints, in which x = 0 is the middle of the image, to (B, J, 3)."""
        order = list(pose_skeleton(windows.shape[2]).mirror)
        mirrored = windows[:, :, order].clone()
        mirrored[..., 0] = -mirrored[..., 0]
        answer, other = self.lifter(torch.cat([windows, mirrored])).chunk(2)
        other = other[:, order].clone()
        other[..., 0] = -other[..., 0]
        return (answer + other) / 2
