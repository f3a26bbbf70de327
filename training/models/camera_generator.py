"""Another camera for each pose: a rotation drawn from a learned distribution, and a translation (AdaptPose, 4.2)."""

from __future__ import annotations

import math

import roma
import torch
from torch import Tensor, nn
from torch.nn.functional import normalize, softplus

from training.models.generator_trunk import GeneratorTrunk

_NOISE = 45
_START_SPREAD = 0.1


class CameraRotation(nn.Module):
    """Probabilistic axis-angle (eq. 11): the axis is drawn from three learned normal distributions.

    The draw is reparameterised, mean + deviation * noise, so that the distribution itself is learned.
    """

    def __init__(self) -> None:
        super().__init__()
        self.trunk = GeneratorTrunk(48, _NOISE, 7)

    def forward(self, pose: Tensor, generator: torch.Generator) -> Tensor:
        """(B, 16, 3) root-relative poses to (B, 3, 3) rotation matrices."""
        mean, deviation, angle = self.trunk(pose.flatten(1), generator).split([3, 3, 1], -1)
        noise = torch.randn(mean.shape, generator=generator).to(mean)
        axis = normalize(mean + softplus(deviation) * noise, dim=-1)
        return roma.rotvec_to_rotmat(axis * angle)


class CameraTranslation(nn.Module):
    """Where the pelvis is in the camera: (tx, ty, tz * tz) of the network's answer, so that depth is positive.

    Args:
        start_depth_m: Mean depth that an untrained network gives: near zero, projections would explode.
    """

    def __init__(self, start_depth_m: float) -> None:
        super().__init__()
        self.trunk = GeneratorTrunk(48, _NOISE, 3)
        with torch.no_grad():
            # Untrained, people stand within half a metre of the optical axis: spread over metres, most would be outside
            # the picture, where no discriminator sees them and none is selected.
            self.trunk.head.weight *= _START_SPREAD
            self.trunk.head.bias[2] = math.sqrt(start_depth_m)

    def forward(self, pose: Tensor, generator: torch.Generator) -> Tensor:
        """(B, 16, 3) root-relative poses to (B, 3) metres in camera axes."""
        tx, ty, tz = self.trunk(pose.flatten(1), generator).unbind(-1)
        return torch.stack([tx, ty, tz * tz], -1)
