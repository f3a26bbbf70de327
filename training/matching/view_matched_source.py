"""View matching: rotate, place and scale source motion in the image as the target's people are.

Position alignment comes from PoseDA (Chai et al., ICCV 2023). It needs no training and replaces the learned
translation.

View matching is our own addition to the paper's learned camera. A lifter with errors on a view still tells roughly from
where the person is seen: it gets the trunk right first. Source motion that is rotated in this way has exact 3D and
teaches the lifter the view. Its next estimate is then better.

No generator is used here: the motion of every limb stays real.
"""

from __future__ import annotations

import math

import roma
import torch
from torch import Tensor, nn

from sdk.skeletons.skeleton import H36M16
from training.cameras.random_cameras import CameraWindows
from training.geometry.camera import axis_rotation, root_relative, turn
from training.geometry.keypoint_normalisation import people_size
from training.matching.gravity import matching_yaw, rotation_between
from training.motion.body_variation import vary_bodies
from training.motion.limb_swap import swap_limbs
from training.settings.method import SourceTurn


def aligned_position(pose_m: Tensor, target_keypoints: Tensor, focal: Tensor) -> Tensor:
    """Position alignment: the pelvis' position that gives a pose the 2D root and the 2D box size of a target pose.

    Args:
        pose_m: (B, 16 or 20, 3) root-relative, camera axes. Feet do not count: not every target shows them.
        target_keypoints: (B, 16 or 20, 2) normalised image coordinates of drawn target poses.
        focal: (B,) in half image widths.

    Returns:
        (B, 3) metres: depth z = f * (dx + dy) / (2 * s), s the mean of the target box's width and height; x and y from
        the target's 2D root.
    """
    pose_m = pose_m[:, : len(H36M16)]
    extent = (pose_m[..., :2].amax(1) - pose_m[..., :2].amin(1)).sum(-1)
    size = people_size(target_keypoints)[:, 0, 0]
    # Nearer than half a metre the box no longer tells the distance: the near limbs alone would fill the image.
    depth = (focal * extent / (2 * size)).clamp(min=0.5)
    return torch.cat([target_keypoints[:, 0] * (depth / focal)[:, None], depth[:, None]], -1)


TRUNK = tuple(
    H36M16.index(joint)
    for joint in ("pelvis", "right_hip", "left_hip", "spine", "thorax", "left_shoulder", "right_shoulder")
)


def matching_rotation(poses_m: Tensor, wanted_m: Tensor) -> Tensor:
    """The rotation that best aligns each pose's trunk with that of another (orthogonal Procrustes, trunk joints).

    Args:
        poses_m: (B, 16, 3) root-relative poses to rotate.
        wanted_m: (B, 16, 3) root-relative poses to align with.

    Returns:
        (B, 3, 3) rotations.
    """
    trunk = list(TRUNK)
    return roma.rigid_vectors_registration(poses_m[:, trunk], wanted_m[:, trunk])


def jittered(rotation: Tensor, deviation_rad: float, generator: torch.Generator) -> Tensor:
    """Add a random rotation to each of (B, 3, 3) rotations: about any axis, with a normally distributed angle.

    Args:
        rotation: Rotations to vary.
        deviation_rad: Standard deviation about each of the three axes.
        generator: Source of randomness, on the CPU.
    """
    turns = torch.randn(len(rotation), 3, generator=generator) * deviation_rad
    return roma.rotvec_to_rotmat(turns.to(rotation)) @ rotation


PITCH_DEG, ROLL_DEG = 30.0, 10.0
"""Standard deviations of random rotations. The yaw is uniform over the whole circle."""


def view_matched_source(
    source: CameraWindows,
    target: Tensor,
    lifter: nn.Module,
    generator: torch.Generator,
    *,
    kind: SourceTurn,
    focal: tuple[float, float] | None,
    bodies: float,
    deviation_rad: float = 0.0,
    tilt_rad: float = 0.0,
    target_up: Tensor | None = None,
    random_share: float = 0.0,
    exchanged: float = 0.0,
) -> CameraWindows:
    """Rotate and place source windows, one for each target window.

    Args:
        source: (B, ...) windows.
        target: (B, T, 16, 2) target windows, normalised image coordinates.
        lifter: In evaluation mode; estimates from where the target's people are seen.
        generator: Source of randomness, on the CPU.
        kind: How to rotate. `none`: keep the view of the source's own camera; `random`; `matched`: view matching;
            `upright`: view matching about the target's vertical.
        focal: Range of focal lengths in half image widths, uniform in the logarithm. None keeps the source's own.
        deviation_rad: With `matched`, standard deviation of the random rotation that is added about each axis; with
            `upright`, about the vertical.
        tilt_rad: With `upright`, standard deviation of the random rotation about each axis.
        target_up: With `upright`, (B, 3) up in each target window, camera axes; the source has to know its own.
        random_share: With `matched` and `upright`, share of the windows that are rotated at random instead.
        bodies: Standard deviation of people's relative size and of the relative lengths of their limbs.
        exchanged: Limb swap: share of the windows that get limbs of other people.

    Returns:
        Windows in new cameras, at the positions of `aligned_position`.
    """
    joints, up = swap_limbs(source.joints_m, exchanged, generator), source.up
    if bodies:
        joints = vary_bodies(joints, bodies, bodies, generator)
    middle = joints.shape[1] // 2
    rotation = None
    if kind == "random":
        rotation = random_rotation(len(joints), generator).to(joints)
    elif kind == "matched":
        with torch.no_grad():
            lifted = lifter(target)
        rotation = matching_rotation(root_relative(joints[:, middle]), lifted)
        rotation = jittered(rotation, deviation_rad, generator)
        anywhere = round(random_share * len(joints))
        rotation[len(joints) - anywhere :] = random_rotation(anywhere, generator).to(rotation)
    elif kind == "upright":
        assert source.up is not None
        assert target_up is not None
        with torch.no_grad():
            lifted = lifter(target)
        rotation = _upright_rotation(
            root_relative(joints[:, middle]), source.up, lifted, target_up.to(joints), deviation_rad, tilt_rad,
            random_share, generator,
        )  # fmt: skip
    if rotation is not None:
        joints = turn(joints, rotation)
        up = None if up is None else (rotation @ up[..., None])[..., 0]
    lens = source.focal if focal is None else _even_in_logarithm(len(joints), focal, generator).to(source.focal)
    position = aligned_position(root_relative(joints[:, middle]), target[:, target.shape[1] // 2], lens)
    return CameraWindows(joints, position, lens, up)


def _upright_rotation(
    poses_m: Tensor,
    up: Tensor,
    wanted_m: Tensor,
    wanted_up: Tensor,
    deviation_rad: float,
    tilt_rad: float,
    random_share: float,
    generator: torch.Generator,
) -> Tensor:
    """(B, 3, 3) rotations that align the verticals, and then the trunks about them.

    Of the random share, half get a random yaw and half a random rotation.
    """
    batch, trunk = len(poses_m), list(TRUNK)
    stood = rotation_between(up, wanted_up)
    yaw = matching_yaw(poses_m[:, trunk] @ stood.mT, wanted_m[:, trunk], wanted_up)
    yaw = yaw + (torch.randn(batch, generator=generator) * deviation_rad).to(yaw)
    anyhow = round(random_share * batch)
    yaw[batch - anyhow :] = ((torch.rand(anyhow, generator=generator) * 2 - 1) * math.pi).to(yaw)
    rotation = jittered(roma.rotvec_to_rotmat(wanted_up * yaw[:, None]) @ stood, tilt_rad, generator)
    lying = anyhow // 2
    level = rotation_between(up[batch - lying :], up.new_tensor([[0.0, -1.0, 0.0]]).expand(lying, 3))
    rotation[batch - lying :] = random_rotation(lying, generator).to(rotation) @ level
    return rotation


def random_rotation(count: int, generator: torch.Generator) -> Tensor:
    """(count, 3, 3) random rotations of a person in front of a level camera: yaw first, then pitch, then roll."""
    yaw = (torch.rand(count, generator=generator) * 2 - 1) * math.pi
    pitch, roll = torch.deg2rad(
        torch.randn(2, count, generator=generator) * torch.tensor([[PITCH_DEG], [ROLL_DEG]])
    ).unbind()
    return axis_rotation("z", roll) @ axis_rotation("x", pitch) @ axis_rotation("y", yaw)


def _even_in_logarithm(count: int, limits: tuple[float, float], generator: torch.Generator) -> Tensor:
    low, high = map(math.log, limits)
    return torch.exp(torch.rand(count, generator=generator) * (high - low) + low)
