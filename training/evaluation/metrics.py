"""Errors of 3D poses, in the unit they come in; the protocols' names are those of the literature."""

from __future__ import annotations

import roma
import torch
from torch import Tensor

PCK_THRESHOLD_M = 0.15
AUC_STEP_M = 0.005


def joint_errors(predicted: Tensor, truth: Tensor) -> Tensor:
    """(..., J, 3) and the same to (..., J) distances."""
    return (predicted - truth).norm(dim=-1)


def mpjpe(predicted: Tensor, truth: Tensor) -> Tensor:
    """Mean per-joint position error over (..., J, 3) root-relative poses (protocol 1), a scalar."""
    return joint_errors(predicted, truth).mean()


def scale_aligned(predicted: Tensor, truth: Tensor) -> Tensor:
    """(..., J, 3) predictions times the one number per pose that brings them nearest to the truth (N-MPJPE)."""
    scale = (predicted * truth).sum((-2, -1)) / (predicted * predicted).sum((-2, -1)).clamp(min=1e-12)
    return predicted * scale[..., None, None]


def procrustes_aligned(predicted: Tensor, truth: Tensor) -> Tensor:
    """(N, J, 3) predictions rotated, scaled and moved onto the truth, each pose on its own (PA-MPJPE, protocol 2)."""
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
    """Mean distance between frame-to-frame displacements of one sequence (T, J, 3), per frame (MPJVE), a scalar."""
    return joint_errors(predicted.diff(dim=0), truth.diff(dim=0)).mean()
