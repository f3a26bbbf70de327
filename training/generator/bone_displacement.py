"""BG1 and BG2: add a displacement to each bone, then restore its length (AdaptPose, eqs. 5 and 6)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from training.generator.generator_trunk import GeneratorTrunk
from training.geometry.bones import PARENTS, TORSO_BONES

_NOISE = 45
_START_SPREAD = 0.1
"""Makes untrained displacements a few decimetres long, like bones. With metres, nothing would be left of the bones'
directions."""


class BoneDisplacement(nn.Module):
    """BG2: learns one displacement per bone from the middle frame's pose and noise. The torso is not displaced.

    Eq. 6 starts every frame from the bones of the first frame. Here each frame starts from its own bones, so that the
    person's motion is kept, as in BG3.

    Args:
        gradual: If true, frame j of n gets j / n of the displacement (eq. 6). If false, every frame gets all of it, as
            from a network for single frames (PoseAug).
    """

    def __init__(self, *, gradual: bool = True) -> None:
        super().__init__()
        self.gradual = gradual
        self.trunk = _trunk(48, len(PARENTS) * 3)

    def forward(self, bones: Tensor, middle_pose: Tensor, generator: torch.Generator) -> Tensor:
        """Rotate the bones of each window.

        Args:
            bones: (B, T, 15, 3) parent-to-child vectors in metres.
            middle_pose: (B, 16, 3) root-relative, metres.
            generator: Source of the noise.

        Returns:
            (B, T, 15, 3), lengths unchanged.
        """
        displacement = self.trunk(middle_pose.flatten(1), generator).unflatten(-1, (1, len(PARENTS), 3))
        frames = bones.shape[1]
        if self.gradual:
            share = torch.arange(1, frames + 1, device=bones.device, dtype=bones.dtype) / frames
            displacement = share[:, None, None] * displacement
        return displaced(bones, displacement * _movable(bones))


class SequenceDisplacement(nn.Module):
    """BG1 (eq. 5): learns one displacement per bone from the bones of the whole window and noise; 45 numbers.

    In eq. 5 the displacement is (J - 1) x 3, without a frame index: every frame gets all of it. Unlike BG2, BG1 reads
    the whole window and not only one pose. The torso is not displaced.

    Args:
        frames: Frames in a window, T.
    """

    def __init__(self, frames: int) -> None:
        super().__init__()
        self.trunk = _trunk(frames * len(PARENTS) * 3, len(PARENTS) * 3)

    def forward(self, bones: Tensor, middle_pose: Tensor, generator: torch.Generator) -> Tensor:
        """As `BoneDisplacement.forward`. The middle pose is not used: it is part of the bones."""
        displacement = self.trunk(bones.flatten(1), generator).unflatten(-1, (1, len(PARENTS), 3))
        return displaced(bones, displacement * _movable(bones))


def displaced(bones: Tensor, displacement: Tensor) -> Tensor:
    """(..., 3) bones plus a displacement in metres, scaled back to their old lengths."""
    return normalize(bones + displacement, dim=-1) * bones.norm(dim=-1, keepdim=True)


def _trunk(inputs: int, outputs: int) -> GeneratorTrunk:
    trunk = GeneratorTrunk(inputs, _NOISE, outputs)
    with torch.no_grad():
        trunk.head.weight *= _START_SPREAD
    return trunk


def _movable(bones: Tensor) -> Tensor:
    """(15, 1): one for bones that are displaced, zero for the torso."""
    movable = torch.ones(len(PARENTS), 1, device=bones.device, dtype=bones.dtype)
    movable[list(TORSO_BONES)] = 0
    return movable
