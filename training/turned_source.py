"""Source motion as it would look among the target: turned, put where a target person stands, as large in the picture.

Nothing here is learned by a generator: the motion of every limb stays real. Beside the generator's fakes these are what
the lifter learns from.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from training.body_variation import vary_bodies
from training.config import SourceTurn
from training.geometry.camera import axis_rotation, root_relative, turn
from training.limb_exchange import exchange_limbs
from training.models.lifter import TemporalLifter
from training.position_alignment import aligned_position
from training.source_cameras import CameraWindows
from training.viewpoint_matching import jittered, matching_rotation

PITCH_DEG, ROLL_DEG = 30.0, 10.0
"""Standard deviations of random turns; the yaw is even over the whole circle."""


def turned_source(
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
        kind: As the source's own camera sees it, at random, or as the lifter finds the target's people turned.
        focal: Range of focal lengths in half image widths, drawn evenly in the logarithm; the source's own without.
        deviation_rad: With `matched`, standard deviation of the random turn that is added about each axis.
        random_share: With `matched`, this share of the windows is turned at random all the same.
        bodies: Standard deviation of people's relative size and of the relative lengths of their limbs.
        exchanged: Share of the windows that get limbs of others.

    Returns:
        Windows in new cameras, where `aligned_position` puts them.
    """
    joints = exchange_limbs(source.joints_m, exchanged, generator)
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
