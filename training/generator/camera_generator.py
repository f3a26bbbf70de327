"""A new camera for each pose: a rotation, deterministic or drawn, and a translation (AdaptPose, section 4.2)."""

from __future__ import annotations

import math

import roma
import torch
from torch import Tensor, nn
from torch.nn.functional import normalize, softplus

from training.generator.generator_trunk import GeneratorTrunk, Noise
from training.geometry.camera import axis_rotation
from training.settings.method import RotationNumbers

_NOISE = 45
_START_SPREAD = 0.1
_COUNTS: dict[RotationNumbers, int] = {"axis-angle": 3, "euler": 3, "quaternion": 4}


class CameraRotation(nn.Module):
    """Learns a rotation for each pose.

    Probabilistic: it learns the mean and standard deviation of a normal distribution for each number of the rotation.
    The numbers are drawn, reparameterised (mean + deviation * noise), so that the distribution itself is learned. The
    angle of an axis-angle is not drawn (eq. 11). Deterministic: it learns the numbers directly.

    Args:
        numbers: Axis-angle (eq. 11), Euler angles (eq. 12) or a quaternion (eq. 13).
        probabilistic: Whether the numbers are drawn.
    """

    def __init__(self, numbers: RotationNumbers = "axis-angle", *, probabilistic: bool = True) -> None:
        super().__init__()
        self.numbers, self.probabilistic = numbers, probabilistic
        count = _COUNTS[numbers]
        self.parts = [count, count, int(numbers == "axis-angle")] if probabilistic else [count]
        self.trunk = GeneratorTrunk(48, _NOISE, sum(self.parts))
        self.noise = Noise(count)

    def forward(self, pose: Tensor, generator: torch.Generator) -> Tensor:
        """(B, 16, 3) root-relative poses to (B, 3, 3) rotation matrices."""
        answer = self.trunk(pose.flatten(1), generator)
        if not self.probabilistic:
            return rotation_of(answer, self.numbers)
        mean, deviation, angle = answer.split(self.parts, -1)
        drawn = mean + softplus(deviation) * self.noise(mean, generator)
        return rotation_of(normalize(drawn, dim=-1) * angle if self.numbers == "axis-angle" else drawn, self.numbers)


def rotation_of(values: Tensor, numbers: RotationNumbers) -> Tensor:
    """The matrices (B, 3, 3) of rotations that are given in numbers.

    Args:
        values: (B, 3) axis times angle, (B, 3) Euler angles alpha, beta, gamma of Rz(alpha) Ry(beta) Rx(gamma)
            (eq. 12), both in radians, or (B, 4) quaternion (w, x, y, z) of any length but zero.
        numbers: Which of these forms `values` has.
    """
    if numbers == "euler":
        alpha, beta, gamma = values.unbind(-1)
        return axis_rotation("z", alpha) @ axis_rotation("y", beta) @ axis_rotation("x", gamma)
    if numbers == "quaternion":
        w, x, y, z = normalize(values, dim=-1).unbind(-1)
        return roma.unitquat_to_rotmat(torch.stack([x, y, z, w], -1))  # roma has the real part last
    return roma.rotvec_to_rotmat(values)


class CameraTranslation(nn.Module):
    """Learns the position of the pelvis in the camera: (tx, ty, tz * tz), so that depth is positive.

    Args:
        start_depth_m: Mean depth of an untrained network. Near zero, projections would become huge.
    """

    def __init__(self, start_depth_m: float) -> None:
        super().__init__()
        self.trunk = GeneratorTrunk(48, _NOISE, 3)
        with torch.no_grad():
            # Before training, people stand within half a metre of the optical axis. Spread over metres, most would be
            # outside the image, where no discriminator sees them and none is selected.
            self.trunk.head.weight *= _START_SPREAD
            self.trunk.head.bias[2] = math.sqrt(start_depth_m)

    def forward(self, pose: Tensor, generator: torch.Generator) -> Tensor:
        """(B, 16, 3) root-relative poses to (B, 3) metres in camera axes."""
        tx, ty, tz = self.trunk(pose.flatten(1), generator).unbind(-1)
        return torch.stack([tx, ty, tz * tz], -1)
