"""Checks a prepared data set: 3D on 2D, and bones that keep their length and are alike on both sides."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sdk.skeletons.skeleton import Skeleton
from training.datasets.prepared import PreparedDataset
from training.datasets.sequence import PreparedSequence

MOST_OFF_PX = 1.0
"""Median distance of projected 3D from 2D that rounding and lens models explain."""
MOST_SPREAD = 0.1
"""Standard deviation of a bone's length over its mean: markerless capture has some percent."""
MOST_ASYMMETRY = 0.15
"""Difference of a left bone from its right twin over their mean."""


@dataclass(frozen=True)
class SequenceCheck:
    """A sequence's figures, over its valid frames.

    Attributes:
        name: The sequence.
        split: Its split.
        frames: Valid frames looked at.
        median_px: Median distance of projected 3D from 2D; NaN without camera, place or 3D.
        worst_px: The 99th percentile of it.
        lengths_m: (K,) mean length of each bone of the skeleton; NaN without 3D.
        spread: (K,) standard deviation of each bone's length over its mean.
    """

    name: str
    split: str
    frames: int
    median_px: float
    worst_px: float
    lengths_m: np.ndarray
    spread: np.ndarray

    def faults(self, skeleton: Skeleton) -> list[str]:
        """What is suspicious, a line each."""
        lines = []
        if self.median_px > MOST_OFF_PX:
            lines.append(f"its 3D projects {self.median_px:.1f} px beside its 2D (median)")
        for bone in np.flatnonzero(self.spread > MOST_SPREAD):
            lines.append(f"{bone_name(skeleton, bone)} changes its length by {self.spread[bone]:.0%}")
        for left, right in mirrored_bones(skeleton):
            off = abs(self.lengths_m[left] - self.lengths_m[right])
            if off / (self.lengths_m[left] + self.lengths_m[right]) * 2 > MOST_ASYMMETRY:
                lines.append(
                    f"{bone_name(skeleton, left)} is {self.lengths_m[left] * 1000:.0f} mm, on the right "
                    f"{self.lengths_m[right] * 1000:.0f} mm"
                )
        return lines


def check_sequence(sequence: PreparedSequence, skeleton: Skeleton) -> SequenceCheck:
    """The figures of one sequence."""
    rows = np.flatnonzero(sequence.valid)
    bones = np.array(skeleton.bones)
    joints = sequence.joints_camera_m
    median_px = worst_px = float("nan")
    lengths = spread = np.full(len(bones), np.nan)
    if joints is not None and len(rows):
        if sequence.camera is not None and sequence.facts.root_known:
            off = sequence.camera.rows(rows).project(joints[rows]) - sequence.keypoints_px[rows]
            distance = np.linalg.norm(off, axis=-1)
            distance = distance[np.isfinite(distance)]
            if distance.size:
                median_px, worst_px = (float(value) for value in np.percentile(distance, (50, 99)))
        poses = joints[rows].astype(np.float64)
        measured = np.linalg.norm(poses[:, bones[:, 1]] - poses[:, bones[:, 0]], axis=-1)
        lengths = measured.mean(0)
        spread = measured.std(0) / np.maximum(lengths, 1e-3)
    facts = sequence.facts
    return SequenceCheck(facts.name, facts.split, len(rows), median_px, worst_px, lengths, spread)


def check_dataset(data: PreparedDataset) -> list[SequenceCheck]:
    """The figures of every sequence, read one at a time.

    Raises:
        BadDataset: a file is missing or damaged.
    """
    return [check_sequence(sequence, data.skeleton) for sequence in data.sequences()]


def bone_name(skeleton: Skeleton, bone: int) -> str:
    """Both ends of a bone, such as left_hip to left_knee."""
    parent, child = skeleton.bones[bone]
    return f"{skeleton.joints[parent]} to {skeleton.joints[child]}"


def mirrored_bones(skeleton: Skeleton) -> list[tuple[int, int]]:
    """Pairs of a left bone and its right twin, as places in `skeleton.bones`."""
    places = {bone: at for at, bone in enumerate(skeleton.bones)}
    mirror = skeleton.mirror
    return [
        (at, places[mirror[parent], mirror[child]])
        for (parent, child), at in places.items()
        if skeleton.joints[child].startswith("left_") and (mirror[parent], mirror[child]) in places
    ]
