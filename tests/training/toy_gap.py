"""A made-up domain gap: source people seen by level cameras, target people from far above and off the centre."""

from __future__ import annotations

import copy
import dataclasses
import math
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from torch import Tensor

from tests.training.motion.clips import STANDING
from training.adaptation.adaptation import new_adaptation
from training.adaptation.default_step import DefaultStep
from training.adaptation.lifter_teacher import LifterTeacher
from training.adaptation.paper_step import PaperStep
from training.cameras.random_cameras import CameraWindows
from training.evaluation.metrics import mpjpe
from training.geometry.bones import PARENTS, bones_to_joints
from training.geometry.camera import camera_rotation, turn
from training.lifter.lifter import TemporalLifter
from training.settings.method import Method
from training.target.target_windows import TargetSequence, TargetWindows

FRAMES = 9
FRAME_EXTENT = (1.0, 0.75)


@dataclass(frozen=True)
class View:
    """Cameras: elevation in degrees, place of the pelvis and size of 1.7 m in half image widths, focal length."""

    elevation_deg: tuple[float, float]
    x: tuple[float, float]
    y: tuple[float, float]
    size: tuple[float, float]
    focal: float


LEVEL = View((-3, 8), (-0.2, 0.2), (-0.1, 0.1), (0.6, 0.9), 2.3)
ABOVE = View((50, 70), (-0.7, 0.3), (0.0, 0.45), (0.3, 0.6), 1.6)


def swinging_people(count: int, swing_rad: float, random: torch.Generator) -> Tensor:
    """(B, 9, 16, 3) metres, z up: each bone swings about an axis of its own, the torso less than the limbs."""
    standing = torch.from_numpy(STANDING)
    rest = standing[1:] - standing[list(PARENTS)]
    amount = torch.full((15, 1), swing_rad)
    amount[[6, 7, 8]] *= 0.3
    amount[[0, 3, 9, 12]] *= 0.1  # hips and shoulders are bones of the trunk
    axis = torch.nn.functional.normalize(torch.randn(count, 1, 15, 3, generator=random), dim=-1)
    phase = torch.rand(count, 1, 15, 1, generator=random) * 2 * math.pi
    angle = amount * torch.sin(phase + torch.arange(FRAMES)[None, :, None, None] * 0.2)
    # Rodrigues' formula.
    along = (rest * axis).sum(-1, keepdim=True) * axis * (1 - angle.cos())
    bones = rest * angle.cos() + torch.linalg.cross(axis, rest.expand_as(axis)) * angle.sin() + along
    return bones_to_joints(bones)


def seen(joints_world_m: Tensor, view: View, random: torch.Generator) -> CameraWindows:
    """People filmed from all sides by cameras of one kind."""
    count = len(joints_world_m)

    def uniform(low: float, high: float) -> Tensor:
        return torch.rand(count, generator=random) * (high - low) + low

    rotation = camera_rotation(
        uniform(-math.pi, math.pi), torch.deg2rad(uniform(*view.elevation_deg)), torch.zeros(count)
    )
    focal = torch.full((count,), view.focal)
    depth = 1.7 * focal / uniform(*view.size)
    place = torch.stack([uniform(*view.x), uniform(*view.y)], -1)
    position = torch.cat([place * (depth / focal)[:, None], depth[:, None]], -1)
    middle = joints_world_m[:, FRAMES // 2, :1]
    return CameraWindows(turn(joints_world_m - middle[:, None], rotation), position, focal, rotation[..., 2])


def film_source(count: int, random: torch.Generator) -> CameraWindows:
    """Source windows: moderate motion, level cameras."""
    return seen(swinging_people(count, 0.8, random), LEVEL, random)


def film_target(count: int, seed: int) -> CameraWindows:
    """Target windows: wilder motion, from above. Adaptation gets their 2D only."""
    random = torch.Generator().manual_seed(seed)
    return seen(swinging_people(count, 1.2, random), ABOVE, random)


def target_keypoints(windows: CameraWindows) -> TargetWindows:
    """The 2D of target windows as adaptation reads it; each is a sequence."""
    ones = np.ones((FRAMES, 16), np.float32)
    return TargetWindows(
        [TargetSequence(str(i), one.numpy(), ones, FRAME_EXTENT[1]) for i, one in enumerate(windows.keypoints)], FRAMES
    )


def trained_lifter(seed: int) -> TemporalLifter:
    """A small lifter that knows the source and nothing else. Each process trains one for a seed; this is a copy."""
    return copy.deepcopy(_trained_lifter(seed))


@cache
def _trained_lifter(seed: int, steps: int = 300) -> TemporalLifter:
    torch.manual_seed(seed)
    random = torch.Generator().manual_seed(seed)
    network = TemporalLifter((3, 3), channels=64, dropout=0.0)
    optimiser = torch.optim.Adam(network.parameters(), 3e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    for _ in range(steps):
        windows = film_source(128, random)
        loss = mpjpe(network(windows.keypoints), windows.middle_pose_m)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return network.eval()


def error_mm(network: torch.nn.Module, windows: CameraWindows) -> float:
    """MPJPE in millimetres, with the labels that adaptation never sees."""
    network.eval()
    with torch.no_grad():
        return float(mpjpe(network(windows.keypoints), windows.middle_pose_m)) * 1000


def adaptation_of(
    network: TemporalLifter, target: TargetWindows, method: Method, seed: int, *, steps: int = 6, batch: int = 16
) -> tuple[DefaultStep | PaperStep, torch.Generator]:
    """A fresh adaptation and its randomness; learning rates and average for few steps."""
    quick = dataclasses.replace(
        method, learning_rate=1e-3, discriminator_learning_rate=1e-3, lifter_learning_rate=1e-3, average=0.9
    )
    torch.manual_seed(seed)
    teacher = LifterTeacher(network, FRAME_EXTENT, quick, steps=steps, batch=batch, device=torch.device("cpu"))
    return new_adaptation(teacher, film_source, target), torch.Generator().manual_seed(seed)
