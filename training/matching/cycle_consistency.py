"""Lift the target, turn it, project it, lift it again: a lifter that is right says the same person, turned.

The turned motion is the lifter's own, so its true 3D is known whatever the target's is. A lifter that errs on a view or
a pose gives two different answers; one that answers the same pose to everything differs most.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool1d, pad

from training.cameras.random_cameras import CameraWindows
from training.evaluation.metrics import mpjpe
from training.geometry.camera import root_position, root_relative
from training.geometry.keypoint_normalisation import bounded, normalised
from training.matching.view_matched_source import aligned_position, jittered
from training.target.target_windows import TargetWindows

TURN_DEG = 30.0
"""Standard deviation of the turn about each axis: out of the view, and not beyond what the target may show."""
FOCAL = 2.0
"""Assumed of the target's cameras, in half image widths: only what perspective does depends on it."""
_WINDOWS = 400
_SEED = 20_220_619
_SMOOTHED_FRAMES = 9


def cycle_consistency_mm(lifter: nn.Module, windows: TargetWindows) -> float:
    """Mean distance between the lifted poses, turned, and what the lifter says of their projection.

    Args:
        lifter: In evaluation mode.
        windows: The target's; some 400 of them are looked at, the same ones each time.

    Returns:
        Millimetres.
    """
    random = torch.Generator().manual_seed(_SEED)
    centres = torch.linspace(0, len(windows) - 1, min(_WINDOWS, len(windows))).long()
    with torch.no_grad():
        turned = turned_motion(lifter, windows, centres, random)
        again = lifter(normalised(bounded(turned.keypoints), windows.normalisation).to(_device(lifter))).cpu()
    return float(mpjpe(again, turned.middle_pose_m)) * 1000


def turned_motion(lifter: nn.Module, windows: TargetWindows, centres: Tensor, random: torch.Generator) -> CameraWindows:
    """The target's motion as the lifter sees it, turned and put back where it was in the picture.

    Args:
        lifter: In evaluation mode.
        windows: The target's.
        centres: (B,) middle frames, as rows of the windows' keypoints.
        random: Source of randomness, on the CPU.
    """
    frames = windows.frames_of(centres)
    shape = frames.shape
    seen = windows.keypoints[frames]
    lifted = lifter(windows.at(frames.flatten()).to(_device(lifter))).cpu()
    focal = torch.full((len(lifted),), FOCAL)
    path = root_position(lifted, seen.flatten(0, 1), focal).unflatten(0, shape)
    motion = lifted.unflatten(0, shape) + smoothed(path)[:, :, None]
    middle = shape[1] // 2
    rotation = jittered(torch.eye(3).repeat(len(centres), 1, 1), math.radians(TURN_DEG), random)
    joints = (motion - motion[:, middle : middle + 1, :1]) @ rotation.mT[:, None]
    focal = focal[: len(centres)]
    return CameraWindows(joints, aligned_position(root_relative(joints[:, middle]), seen[:, middle], focal), focal)


def smoothed(path: Tensor) -> Tensor:
    """(B, T, 3) as a running mean over time: the depth of a single frame is noisy."""
    reach = min(_SMOOTHED_FRAMES // 2, path.shape[1] // 2)
    return avg_pool1d(pad(path.mT, (reach, reach), "replicate"), 2 * reach + 1, 1).mT


def _device(lifter: nn.Module) -> torch.device:
    return next(lifter.parameters()).device
