"""Kinematic chain space (Wandt et al., ECCV 2018; AdaptPose, section 4.3): inner products of bones."""

from __future__ import annotations

import torch
from torch import Tensor

from training.geometry.bones import joints_to_bones

USUAL_BONE = 0.1
"""Usual length of bones in images, in half image widths."""
_SMALLEST_BONE = 0.01
"""With shorter bones a person is only a dot, and its bones are the detector's noise."""


def kinematic_chain_matrix(bones: Tensor) -> Tensor:
    """(..., K, D) bone vectors to (..., K, K) inner products.

    The diagonal has squared lengths. The rest has cosines of angles between bones, times both lengths; for unit bones,
    only the cosines. A rotation of all bones changes nothing.
    """
    return bones @ bones.transpose(-1, -2)


def chain_of_keypoints(keypoints: Tensor) -> Tensor:
    """(..., 16, D) joints to the (..., 15, 15) matrix of their bones."""
    return kinematic_chain_matrix(joints_to_bones(keypoints))


def chain_and_size(keypoints: Tensor) -> Tensor:
    """The chain matrix of a 2D pose, with the person's size removed from it and put only on the diagonal.

    In the paper the diagonal shows position and scale, and the rest the viewpoint (section 4.3). In plain inner
    products all numbers shrink with the person, to a hundredth or less for ordinary people in images. That is too small
    for a network to see. And people generated from a wrong viewpoint could hide it by being small.

    Args:
        keypoints: (..., 16, 2) image coordinates.

    Returns:
        (..., 15, 15) inner products over their mean diagonal s, plus log(s / USUAL_BONE squared) on the diagonal.
    """
    chain = chain_of_keypoints(keypoints)
    size = chain.diagonal(dim1=-2, dim2=-1).mean(-1)[..., None, None] + _SMALLEST_BONE**2
    return chain / size + (size / USUAL_BONE**2).log() * torch.eye(chain.shape[-1]).to(chain)
