"""View matching: source motion turned, placed and scaled in the image as the target's people are (placing: PoseDA).

From PoseDA (Chai et al., ICCV 2023); needs no training and takes the place of the learned translation.

Ours, beside the paper's learned camera. A lifter that errs on a view still tells roughly from where it is seen: the
trunk is the part that it gets right first. Source motion turned that way has exact 3D, and teaches the lifter the
view; its next estimate is better.

Nothing here is learned by a generator: the motion of every limb stays real. Beside the generator's fakes these are what
the lifter learns from.
"""

from __future__ import annotations

import math

import roma
import torch
from torch import Tensor

from sdk.skeletons.skeleton import H36M16
from training.cameras.random_cameras import CameraWindows
from training.geometry.camera import axis_rotation, root_relative, turn
from training.lifter.lifter import TemporalLifter
from training.motion.body_variation import vary_bodies
from training.motion.limb_swap import swap_limbs
from training.settings.method import SourceTurn


def aligned_position(pose_m: Tensor, target_keypoints: Tensor, focal: Tensor) -> Tensor:
    """The pelvis' position that gives a pose the 2D root and the 2D box size of a target pose.

    Args:
        pose_m: (B, 16, 3) root-relative, camera axes.
        target_keypoints: (B, 16, 2) normalised image coordinates of drawn target poses.
        focal: (B,) in half image widths.

    Returns:
        (B, 3) metres: depth z = f * (dx + dy) / (2 * s), s the mean of the target box's width and height; x and y from
        the target's 2D root.
    """
    extent = (pose_m[..., :2].amax(1) - pose_m[..., :2].amin(1)).sum(-1)
    size = (target_keypoints.amax(1) - target_keypoints.amin(1)).mean(-1).clamp(min=1e-3)
    # Nearer than half a metre the box no longer says the distance: the near limbs alone would fill the picture.
    depth = (focal * extent / (2 * size)).clamp(min=0.5)
    return torch.cat([target_keypoints[:, 0] * (depth / focal)[:, None], depth[:, None]], -1)


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


PITCH_DEG, ROLL_DEG = 30.0, 10.0
"""Standard deviations of random turns; the yaw is even over the whole circle."""


def view_matched_source(
    source: CameraWindows,
    target: Tensor,
    lifter: TemporalLifter,
    generator: torch.Generator,
    *,
    kind: SourceTurn,
    focal: tuple[float, float] | None,
    bodies: float,
    deviation_rad: float = 0.0,
    random_share: float = 0.0,
    exchanged: float = 0.0,
) -> CameraWindows:
    """Source windows, one for each target window.

    Args:
        source: (B, ...) windows.
        target: (B, T, 16, 2) target windows, normalised image coordinates.
        lifter: In evaluation mode; estimates how the target's people are turned.
        generator: Source of randomness, on the CPU.
        kind: `none`: as the source's own camera sees it; `random`: at random; `matched`: by view matching.
        focal: Range of focal lengths in half image widths, drawn evenly in the logarithm; the source's own without.
        deviation_rad: With `matched`, standard deviation of the random turn that is added about each axis.
        random_share: With `matched`, this share of the windows is turned at random all the same.
        bodies: Standard deviation of people's relative size and of the relative lengths of their limbs.
        exchanged: Share of the windows that get limbs of others.

    Returns:
        Windows in new cameras, where `aligned_position` puts them.
    """
    joints = swap_limbs(source.joints_m, exchanged, generator)
    if bodies:
        joints = vary_bodies(joints, bodies, bodies, generator)
    middle = joints.shape[1] // 2
    if kind == "random":
        joints = turn(joints, random_rotation(len(joints), generator).to(joints))
    elif kind == "matched":
        with torch.no_grad():
            lifted = lifter(target)
        rotation = matching_rotation(root_relative(joints[:, middle]), lifted)
        rotation = jittered(rotation, deviation_rad, generator)
        anywhere = round(random_share * len(joints))
        rotation[len(joints) - anywhere :] = random_rotation(anywhere, generator).to(rotation)
        joints = turn(joints, rotation)
    lens = source.focal if focal is None else _even_in_logarithm(len(joints), focal, generator).to(source.focal)
    position = aligned_position(root_relative(joints[:, middle]), target[:, target.shape[1] // 2], lens)
    return CameraWindows(joints, position, lens)


def random_rotation(count: int, generator: torch.Generator) -> Tensor:
    """(count, 3, 3) turns of the person before a level camera: about the vertical first, then pitch, then roll."""
    yaw = (torch.rand(count, generator=generator) * 2 - 1) * math.pi
    pitch, roll = torch.deg2rad(
        torch.randn(2, count, generator=generator) * torch.tensor([[PITCH_DEG], [ROLL_DEG]])
    ).unbind()
    return axis_rotation("z", roll) @ axis_rotation("x", pitch) @ axis_rotation("y", yaw)


def _even_in_logarithm(count: int, limits: tuple[float, float], generator: torch.Generator) -> Tensor:
    low, high = map(math.log, limits)
    return torch.exp(torch.rand(count, generator=generator) * (high - low) + low)
