"""Lifted target motion, corrected by what is known without labels: its own 2D, and that bones keep their lengths.

Bundle adjustment of one body before one camera: the lifter says how deep each joint lies, and gradient descent moves
the joints until they project onto their keypoints, every bone has the length that is usual in its track, left as right,
and the motion is smooth, while they stay near to what was lifted. On a split of source people it took a sixth off the
error of the lifted poses (57 to 48 mm; after rigid alignment 47 to 37).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from training.geometry.bones import LENGTH_GROUPS, bone_lengths
from training.geometry.camera import project, root_relative
from training.geometry.root_position import root_position

ITERATIONS = 100
_STEP_M = 0.02
_REPROJECTION, _LENGTHS, _LIFTED, _SMOOTHNESS = 100.0, 10.0, 1.0, 10.0
"""Weights of: squared distance in the picture relative to the person's size; squared metres of bone length, of distance
from the lifted pose, and of acceleration per frame squared. A third or three times of each changed little."""
_LIFTED_AXES = (0.25, 0.25, 1.0)
"""Of the distance from the lifted pose: depth is what only the lifter knows."""
_SMALLEST_PERSON = 1e-3


@dataclass(frozen=True)
class FittedMotion:
    """Target motion in the camera.

    Attributes:
        pose_m: (N, 16, 3) root-relative, camera axes.
        position_m: (N, 3) of the pelvis, for the focal length that was assumed.
    """

    pose_m: Tensor
    position_m: Tensor


def fit_to_keypoints(lifted_m: Tensor, keypoints: Tensor, sequence: Tensor, focal: float) -> FittedMotion:
    """Correct lifted poses.

    Args:
        lifted_m: (N, 16, 3) root-relative poses of successive frames, camera axes.
        keypoints: (N, 16, 2) normalised image coordinates of the same frames.
        sequence: (N,) which track each frame belongs to; a track's frames follow one another.
        focal: Assumed of all cameras, in half image widths; only the effect of perspective depends on it.
    """
    lengths = usual_lengths(lifted_m, sequence)
    lens = torch.full((len(lifted_m),), focal, device=lifted_m.device)
    size = (keypoints.amax(1) - keypoints.amin(1)).mean(-1).clamp(min=_SMALLEST_PERSON)[:, None, None]
    axes = torch.tensor(_LIFTED_AXES, device=lifted_m.device)
    one_track = (sequence[2:] == sequence[:-2])[:, None, None]
    pose = lifted_m.clone().requires_grad_()
    position = root_position(lifted_m, keypoints, lens).requires_grad_()
    optimiser = torch.optim.Adam([pose, position], _STEP_M)
    for iteration in range(ITERATIONS):
        optimiser.param_groups[0]["lr"] = _STEP_M * (1 - iteration / ITERATIONS)
        off = (project(pose + position[:, None], lens) - keypoints) / size
        acceleration = (pose[2:] - 2 * pose[1:-1] + pose[:-2]) * one_track
        loss = (
            _REPROJECTION * off.square().sum()
            + _LENGTHS * (bone_lengths(pose) - lengths).square().sum()
            + _LIFTED * ((pose - lifted_m).square() * axes).sum()
            + _SMOOTHNESS * acceleration.square().sum()
        ) / len(pose)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return FittedMotion(root_relative(pose).detach(), position.detach() + pose[:, 0].detach())


def usual_lengths(lifted_m: Tensor, sequence: Tensor) -> Tensor:
    """(N, 15) bone lengths in metres: each track's median, the mean over both sides."""
    lengths = bone_lengths(lifted_m)
    usual = torch.empty_like(lengths)
    for one in sequence.unique():
        of_track = sequence == one
        median = lengths[of_track].median(0).values
        for group in LENGTH_GROUPS:
            median[list(group)] = median[list(group)].mean()
        usual[of_track] = median
    return usual
