"""Errors of 3D poses, in the unit of the poses. Names are those of the literature."""

from __future__ import annotations

import roma
import torch
from torch import Tensor

PCK_THRESHOLD_M = 0.15
AUC_STEP_M = 0.005


def joint_errors(predicted: Tensor, truth: Tensor) -> Tensor:
    """Distances (..., J) between two sets of poses (..., J, 3)."""
    return (predicted - truth).norm(dim=-1)


def mpjpe(predicted: Tensor, truth: Tensor) -> Tensor:
    """Mean per-joint position error (protocol 1) over (..., J, 3) root-relative poses, a scalar."""
    return joint_errors(predicted, truth).mean()


def scale_aligned(predicted: Tensor, truth: Tensor) -> Tensor:
    """(..., J, 3) predictions, each pose scaled by one number to fit the truth best (N-MPJPE)."""
    scale = (predicted * truth).sum((-2, -1)) / (predicted * predicted).sum((-2, -1)).clamp(min=1e-12)
    return predicted * scale[..., None, None]


def procrustes_aligned(predicted: Tensor, truth: Tensor) -> Tensor:
    """(N, J, 3) predictions, each pose rotated, scaled and moved to fit the truth best (PA-MPJPE, protocol 2)."""
    rotation, translation, scale = roma.rigid_points_registration(predicted, truth, compute_scaling=True)
    return scale[:, None, None] * predicted @ rotation.transpose(-1, -2) + translation[:, None]


def pck(predicted: Tensor, truth: Tensor, threshold: float = PCK_THRESHOLD_M) -> Tensor:
    """Share of joints nearer than the threshold, a scalar in [0, 1]."""
    return (joint_errors(predicted, truth) < threshold).to(predicted.dtype).mean()


def auc(predicted: Tensor, truth: Tensor) -> Tensor:
    """Mean PCK over thresholds from 0 to 150 mm in steps of 5 mm, a scalar in [0, 1]."""
    thresholds = torch.arange(0, PCK_THRESHOLD_M + AUC_STEP_M / 2, AUC_STEP_M, dtype=predicted.dtype)
    return torch.stack([pck(predicted, truth, float(t)) for t in thresholds]).mean()


def velocity_error(predicted: Tensor, truth: Tensor) -> Tensor:
    """Mean distance between the frame-to-frame displacements of one sequence (T, J, 3): MPJVE, per frame, a scalar."""
    return joint_errors(predicted.diff(dim=0), truth.diff(dim=0)).mean()
