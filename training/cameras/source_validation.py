"""Error on held-out source motion through varied cameras. It shows what a lifter forgets."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from sdk.skeletons.keypoint_normalisation import Normalisation
from sdk.skeletons.skeleton import H36M16
from training.cameras.random_cameras import CameraRanges, CameraWindows, film
from training.evaluation.metrics import mpjpe, procrustes_aligned
from training.geometry.keypoint_normalisation import normalised
from training.motion.motion_clip import MotionClip
from training.motion.source_windows import SourceWindows

_WINDOWS = 4096
_SEED = 20_220_619
"""One set for all runs, whatever their seed, so that their numbers can be compared."""


def validation_windows(clips: Sequence[MotionClip], frames: int, frame_rate_hz: float) -> CameraWindows:
    """Windows of held-out clips at their own speed. The same clips always give the same windows."""
    generator = torch.Generator().manual_seed(_SEED)
    windows = SourceWindows(clips, frames, (1 / frame_rate_hz, 1 / frame_rate_hz))
    return film(windows.sample(_WINDOWS, generator), CameraRanges(), generator)


def source_errors_mm(
    network: nn.Module, windows: CameraWindows, normalisation: Normalisation = "screen"
) -> dict[str, float]:
    """MPJPE and PA-MPJPE of a network in millimetres, without feet. The network is left in evaluation mode."""
    device = next(network.parameters()).device
    network.eval()
    with torch.no_grad():
        predicted = network(normalised(windows.keypoints, normalisation).to(device)).cpu()[:, : len(H36M16)]
    truth = windows.middle_pose_m[:, : len(H36M16)]
    return {
        "validation/mpjpe_mm": float(mpjpe(predicted, truth)) * 1000,
        "validation/pa_mpjpe_mm": float(mpjpe(procrustes_aligned(predicted, truth), truth)) * 1000,
    }
