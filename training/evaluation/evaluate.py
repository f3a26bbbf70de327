"""Measures the errors of a lifter on labelled sequences, by the protocols of the literature."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from sdk.errors import BadTarget
from sdk.lifting.lifter import Lifter
from sdk.lifting.windows import sample_windows, without_feet
from sdk.skeletons.keypoint_normalisation import normalise_root_centred
from sdk.skeletons.skeleton import H36M16
from training.evaluation.benchmark_data import LabelledSequences
from training.evaluation.metrics import auc, mpjpe, pck, procrustes_aligned, scale_aligned, velocity_error

EVERY = 5
"""Every 5th frame of each sequence counts (protocol of the benchmark)."""


@dataclass(frozen=True)
class PoseErrors:
    """Errors over all evaluated poses: root-relative, at the predicted scale, without averaging over mirrored input.

    Attributes:
        poses: Number of poses.
        mpjpe_mm: Protocol 1.
        pa_mpjpe_mm: Protocol 2, after rigid alignment with scale of each pose.
        n_mpjpe_mm: After scaling each pose.
        pck_percent: Share of joints within 150 mm.
        auc_percent: Mean PCK over 0 to 150 mm in steps of 5 mm.
        velocity_mm: Mean error of frame-to-frame displacement, over all frames of each sequence.
    """

    poses: int
    mpjpe_mm: float
    pa_mpjpe_mm: float
    n_mpjpe_mm: float
    pck_percent: float
    auc_percent: float
    velocity_mm: float


def evaluate(lifter: Lifter, sequences: LabelledSequences) -> PoseErrors:
    """Lift every frame of every sequence in edge-padded windows, and compare with the truth.

    Raises:
        BadTarget: if lifter and file have different frame rates.
    """
    metadata = lifter.metadata
    if metadata.frame_rate_hz != sequences.frame_rate_hz:
        raise BadTarget(f"the file is of {sequences.frame_rate_hz} Hz; the lifter takes {metadata.frame_rate_hz} Hz.")
    root_centred = metadata.normalisation == "root-centred"
    keypoints = normalise_root_centred(sequences.keypoints) if root_centred else sequences.keypoints
    seen = without_feet(keypoints, metadata)
    predicted, truth, velocity, displacements = [], [], 0.0, 0
    joints = sequences.root_relative_m
    for start, length in zip(sequences.start, sequences.length, strict=True):
        frames = slice(start, start + length)
        times = np.arange(length) / metadata.frame_rate_hz
        lifted = lifter.lift_windows(sample_windows(seen[frames], times, times, metadata))[:, : len(H36M16)]
        if length > 1:
            velocity += float(velocity_error(torch.from_numpy(lifted), torch.from_numpy(joints[frames]))) * (length - 1)
            displacements += length - 1
        predicted.append(lifted[::EVERY])
        truth.append(joints[frames][::EVERY])
    poses, answers = torch.from_numpy(np.concatenate(predicted)), torch.from_numpy(np.concatenate(truth))
    return PoseErrors(
        len(poses),
        float(mpjpe(poses, answers)) * 1000,
        float(mpjpe(procrustes_aligned(poses, answers), answers)) * 1000,
        float(mpjpe(scale_aligned(poses, answers), answers)) * 1000,
        float(pck(poses, answers)) * 100,
        float(auc(poses, answers)) * 100,
        velocity / max(displacements, 1) * 1000,
    )
