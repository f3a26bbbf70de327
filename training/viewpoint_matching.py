"""Turn source motion as the target's people are turned, by the lifter's own estimate.

Ours, beside the paper's learned camera. A lifter that errs on a view still tells roughly from where it is seen: the
trunk is the part that it gets right first. Source motion turned that way has exact 3D, and teaches the lifter the
view; its next estimate is better.
"""

from __future__ import annotations

import roma
import torch
from torch import Tensor

from sdk.skeletons.skeleton import H36M16

TRUNK = tuple(
    H36M16.index(joint)
    for joint in ("pelvis", "right_hip", "left_hip", "spine", "thorax", "left_shoulder", "right_shoulder")
)


def matching_rotation(poses_m: Tensor, wanted_m: Tensor) -> Tensor:
    """The rotation that lays each pose's trunk over another's best (orthogonal Procrustes over the trunk's joints).

    Args:
        poses_m: (B, 16, 3) root-relative poses to turn.
        wanted_m: (B, 16, 3) root-relative poses that they should be turned like.

    Returns:
        (B, 3, 3).
    """
    trunk = list(TRUNK)
    return roma.rigid_vectors_registration(poses_m[:, trunk], wanted_m[:, trunk])


def jittered(rotation: Tensor, deviation_rad: float, generator: torch.Generator) -> Tensor:
    """(B, 3, 3) rotations, each followed by a random one: about any axis, normal in angle.

    Args:
        rotation: To vary.
        deviation_rad: Standard deviation about each of the three axes.
        generator: Source of randomness, on the CPU.
    """
    turns = torch.randn(len(rotation), 3, generator=generator) * deviation_rad
    return roma.rotvec_to_rotmat(turns.to(rotation)) @ rotation
