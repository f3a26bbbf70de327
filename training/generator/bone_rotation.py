"""BG3: rotate every bone about its own axis, further with every frame (AdaptPose, eqs. 7-10)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from training.generator.generator_trunk import GeneratorTrunk
from training.geometry.bones import PARENTS, TORSO_BONES

_NOISE = 45
_SMALLEST_ANGLE_RAD = 1e-8
"""Below this angle there is no axis, and the bone is not rotated."""


class BoneRotation(nn.Module):
    """Learns an axis and an angle per bone from the middle frame's pose and noise. The torso is not rotated."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = GeneratorTrunk(48, _NOISE, len(PARENTS) * 4)

    def forward(self, bones: Tensor, middle_pose: Tensor, generator: torch.Generator) -> Tensor:
        """Rotate the bones of each window.

        Args:
            bones: (B, T, 15, 3) parent-to-child vectors in metres.
            middle_pose: (B, 16, 3) root-relative, metres.
            generator: Source of the noise.

        Returns:
            (B, T, 15, 3), lengths unchanged.
        """
        axis_and_angle = self.trunk(middle_pose.flatten(1), generator).unflatten(-1, (len(PARENTS), 4))
        turns = torch.ones(len(PARENTS), 1, device=bones.device)
        turns[list(TORSO_BONES)] = 0
        rotation_vectors = normalize(axis_and_angle[..., :3], dim=-1) * axis_and_angle[..., 3:] * turns
        return turn_gradually(bones, rotation_vectors)


def turn_gradually(bones: Tensor, rotation_vectors: Tensor) -> Tensor:
    """Rotate each bone by j / n of its rotation at frame j = 1 .. n (eq. 7). The last frame gets the full rotation.

    Args:
        bones: (B, T, K, 3).
        rotation_vectors: (B, K, 3) axis times angle in radians.

    Returns:
        (B, T, K, 3).
    """
    frames = bones.shape[1]
    share = torch.arange(1, frames + 1, device=bones.device, dtype=bones.dtype) / frames
    angles = rotation_vectors.norm(dim=-1).clamp(min=_SMALLEST_ANGLE_RAD)[:, None, :, None]
    axes = rotation_vectors[:, None] / angles
    # Rodrigues' formula, not a quaternion per frame: the axis of a bone is the same in all frames, and quaternions were
    # the most expensive part of a generator step.
    along = axes * (axes * bones).sum(-1, keepdim=True)
    turned = share[:, None, None] * angles
    return along + turned.cos() * (bones - along) + turned.sin() * torch.linalg.cross(axes, bones)
