"""Kinematic chain space (Wandt et al., ECCV 2018; AdaptPose, section 4.3): inner products of bones."""

from __future__ import annotations

from torch import Tensor

from training.geometry.bones import joints_to_bones


def kinematic_chain_matrix(bones: Tensor) -> Tensor:
    """(..., K, D) bone vectors to (..., K, K) inner products.

    The diagonal holds squared lengths, the rest the angles between bones times both lengths; for unit bones it is the
    cosines alone. A rotation of all bones changes nothing.
    """
    return bones @ bones.transpose(-1, -2)


def chain_of_keypoints(keypoints: Tensor) -> Tensor:
    """(..., 16, D) joints to the (..., 15, 15) matrix of their bones."""
    return kinematic_chain_matrix(joints_to_bones(keypoints))
