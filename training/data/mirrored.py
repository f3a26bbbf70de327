"""Left/right mirroring, of motion and of keypoints: the only flip augmentation (section 6)."""

from __future__ import annotations

import torch
from torch import Tensor

from sdk.skeletons.skeleton import H36M16


def mirrored(joints: Tensor) -> Tensor:
    """Swap left and right of (..., 16, D) and turn the sign of x, whatever the frame."""
    swapped = joints[..., list(H36M16.mirror), :].clone()
    swapped[..., 0] = -swapped[..., 0]
    return swapped


def mirror_half(joints: Tensor, generator: torch.Generator) -> Tensor:
    """Mirror each window of (B, ..., 16, D) with probability one half."""
    chosen = torch.rand(len(joints), generator=generator) < 0.5
    return torch.where(chosen.reshape(-1, *[1] * (joints.ndim - 1)), mirrored(joints), joints)
