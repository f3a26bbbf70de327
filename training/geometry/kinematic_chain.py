"""Kinematic chain space (Wandt et al., ECCV 2018; AdaptPose, section 4.3): inner products of bones."""

from __future__ import annotations

import torch
from torch import Tensor

from training.geometry.bones import joints_to_bones

USUAL_BONE = 0.1
"""Length of bones of ordinary people in pictures, in half image widths."""
_SMALLEST_BONE = 0.01
"""A person whose bones are shorter is a dot: what is left is the detector's noise."""


def kinematic_chain_matrix(bones: Tensor) -> Tensor:
    """(..., K, D) bone vectors to (..., K, K) inner products.

    The diagonal holds squared lengths, the rest the angles between bones times both lengths; for unit bones it is the
    cosines alone. A rotation of all bones changes nothing.
    """
    return bones @ bones.transpose(-1, -2)


def chain_of_keypoints(keypoints: Tensor) -> Tensor:
    """(..., 16, D) joints to the (..., 15, 15) matrix of their bones."""
    return kinematic_chain_matrix(joints_to_bones(keypoints))


def chain_and_size(keypoints: Tensor) -> Tensor:
    """The chain matrix of a 2D pose with the person's size taken out of it and put on the diagonal.

    The paper wants the diagonal to tell position and scale and the rest the viewpoint (section 4.3). In plain inner
    products all numbers shrink with the person, to a hundredth or less for ordinary people in pictures, too little for
    a network to see; and people generated from a wrong viewpoint hid it by being small.

    Args:
        keypoints: (..., 16, 2) image coordinates.

    Returns:
        (..., 15, 15) inner products over their mean diagonal s, plus log(s / USUAL_BONE squared) on the diagonal.
    """
    chain = chain_of_keypoints(keypoints)
    size = chain.diagonal(dim1=-2, dim2=-1).mean(-1)[..., None, None] + _SMALLEST_BONE**2
    return chain / size + (size / USUAL_BONE**2).log() * torch.eye(chain.shape[-1]).to(chain)
