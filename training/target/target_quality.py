"""Measures lifted target poses without labels: do they fit the 2D, do bones keep their lengths, are they symmetric."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from sdk.skeletons.skeleton import H36M16
from training.geometry.bones import bone_lengths
from training.geometry.camera import root_relative


@dataclass(frozen=True)
class TargetQuality:
    """Numbers without labels over all target frames, in percent. Lower is better; none of them is the error.

    Attributes:
        reprojection: Mean distance between a pose's x, y and its 2D, both root-centred and scaled to fit, relative to
            the root-mean-square extent of the 2D pose. Perspective alone causes a few percent.
        length_variation: Standard deviation of a bone's length over a track, relative to its mean.
        asymmetry: Difference between left and right bones of a pose, relative to their mean.
    """

    reprojection: float
    length_variation: float
    asymmetry: float


def target_quality(lifted_m: Tensor, keypoints: Tensor, sequence: Tensor) -> TargetQuality:
    """Measure lifted poses against their keypoints.

    Args:
        lifted_m: (N, 16 or 20, 3) root-relative, camera axes. Feet do not count.
        keypoints: (N, 16 or 20, 2) of the same frames.
        sequence: (N,) track of each frame.
    """
    lifted_m, keypoints = lifted_m[:, : len(H36M16)], keypoints[:, : len(H36M16)]
    flat, seen = root_relative(lifted_m)[..., :2], root_relative(keypoints)
    scale = (flat * seen).sum((-2, -1)) / flat.square().sum((-2, -1)).clamp(min=1e-12)
    extent = seen.square().sum(-1).mean(-1).sqrt().clamp(min=1e-9)
    reprojection = ((scale[:, None, None] * flat - seen).norm(dim=-1).mean(-1) / extent).mean()

    lengths = bone_lengths(lifted_m)
    variation = []
    for one in sequence.unique():
        of_track = lengths[sequence == one]
        if len(of_track) > 1:
            variation.append(of_track.std(0) / of_track.mean(0))
    twin = torch.tensor(H36M16.mirror)[1:] - 1
    asymmetry = (lengths - lengths[:, twin]).abs() / ((lengths + lengths[:, twin]) / 2)
    paired = twin != torch.arange(len(twin))
    return TargetQuality(
        float(reprojection) * 100,
        float(torch.stack(variation).mean()) * 100 if variation else 0.0,
        float(asymmetry[:, paired].mean()) * 100,
    )
