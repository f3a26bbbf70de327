"""Cycle consistency: lift the target, rotate it, project it, lift it again, and compare.

A good lifter gives the same pose both times. The 3D of the rotated motion is known exactly, because the lifter made it.
A lifter with errors on a view or a pose gives two different answers. A lifter that always answers the same pose has the
largest difference.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool1d, pad

from sdk.skeletons.skeleton import H36M16
from training.cameras.random_cameras import CameraWindows
from training.evaluation.metrics import mpjpe
from training.geometry.camera import root_position, root_relative
from training.geometry.keypoint_normalisation import bounded, normalised
from training.matching.view_matched_source import aligned_position, jittered
from training.target.target_windows import TargetWindows

TURN_DEG = 30.0
"""Standard deviation of the rotation about each axis: a clearly different view, but still one that targets show."""
FOCAL = 2.0
"""Focal length assumed for the target's cameras, in half image widths. Only the effect of perspective depends on it."""
_WINDOWS = 400
_SEED = 20_220_619
_SMOOTHED_FRAMES = 9


def cycle_consistency_mm(lifter: nn.Module, windows: TargetWindows) -> float:
    """Mean distance between the rotated lifted poses and what the lifter makes of their projection; feet don't count.

    Args:
        lifter: In evaluation mode.
        windows: Target windows. At most 400 are used, the same ones each time.

    Returns:
        Millimetres.
    """
    random = torch.Generator().manual_seed(_SEED)
    centres = torch.linspace(0, len(windows) - 1, min(_WINDOWS, len(windows))).long()
    with torch.no_grad():
        turned = turned_motion(lifter, windows, centres, random)
        again = lifter(normalised(bounded(turned.keypoints), windows.normalisation).to(_device(lifter))).cpu()
    body = len(H36M16)
    return float(mpjpe(again[:, :body], turned.middle_pose_m[:, :body])) * 1000


def turned_motion(lifter: nn.Module, windows: TargetWindows, centres: Tensor, random: torch.Generator) -> CameraWindows:
    """The target's motion as the lifter sees it, rotated and put back where it was in the image.

    Args:
        lifter: In evaluation mode.
        windows: Target windows.
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
    """Running mean of (B, T, 3) over time, because the depth of a single frame is noisy."""
    reach = min(_SMOOTHED_FRAMES // 2, path.shape[1] // 2)
    return avg_pool1d(pad(path.mT, (reach, reach), "replicate"), 2 * reach + 1, 1).mT


def _device(lifter: nn.Module) -> torch.device:
    return next(lifter.parameters()).device
