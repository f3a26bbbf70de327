"""Bodies for the motion model: bone lengths from child to tall adult, with the statistics of a data set's people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from sdk.skeletons.skeleton import H36M16
from training.geometry.bones import LENGTH_GROUPS, PARENTS, bone_lengths
from training.motion.motion_clip import MotionClip

SKELETON_SHARE = 0.895
"""Share of a person's height from ankle to head joint. At 1.72 m the ankle lies 9 cm above the floor, and the head
joint 9 cm below the crown."""
_STACKED = [H36M16.index(joint) - 1 for joint in ("right_knee", "right_ankle", "spine", "thorax", "head")]
"""Bones that add up to the length from ankle to head joint."""
_LIMBS = ("knee", "ankle", "elbow", "wrist")
_GROWN_UP_M, _SMALL_M = 1.6, 1.0
_CHILD_LIMBS, _CHILD_HEAD = 0.92, 1.25
"""Length factors for limbs and head of a child of 1 m, relative to an adult. Its sitting height is 0.56 of its height,
against 0.52."""


@dataclass(frozen=True)
class BodyStatistics:
    """Statistics of people's bodies.

    Attributes:
        proportions: (9,) mean lengths of the groups of bones (`LENGTH_GROUPS`). The unit is the length of leg, trunk
            and head together.
        proportion_deviation: (9,) standard deviation of the logarithms of these lengths.
        height_m: Mean height of the people.
        height_deviation_m: Standard deviation of adults' height.
        child_share: Share of children.
        child_heights_m: Lowest and highest height of children.
    """

    proportions: Tensor
    proportion_deviation: Tensor
    height_m: float
    height_deviation_m: float = 0.08
    child_share: float = 0.04
    child_heights_m: tuple[float, float] = (1.05, 1.55)

    def draw(self, count: int, generator: torch.Generator) -> Tensor:
        """Bone lengths (count, 15) in metres, the same left and right."""
        grown = self.height_m + self.height_deviation_m * torch.randn(count, generator=generator).clamp(-2.5, 2.5)
        low, high = self.child_heights_m
        small = low + (high - low) * torch.rand(count, generator=generator)
        child = torch.rand(count, generator=generator) < self.child_share
        height = torch.where(child, small, grown)
        varied = torch.randn(count, len(LENGTH_GROUPS), generator=generator).clamp(-2.5, 2.5)
        groups = self.proportions * torch.exp(self.proportion_deviation * varied)
        lengths = _of_bones(groups)
        young = ((_GROWN_UP_M - height) / (_GROWN_UP_M - _SMALL_M)).clamp(0, 1)[:, None]
        lengths *= 1 + young * (_child_factors() - 1)
        return lengths * (SKELETON_SHARE * height / skeleton_lengths(lengths))[:, None]

    def mean_lengths(self) -> Tensor:
        """Bone lengths (15,) in metres of the mean person."""
        lengths = _of_bones(self.proportions)
        return lengths * (SKELETON_SHARE * self.height_m / skeleton_lengths(lengths))


def body_statistics(clips: Sequence[MotionClip]) -> BodyStatistics:
    """Body statistics of the people in clips that are named PERSON_NUMBER. Each person counts once."""
    by_person: dict[str, list[np.ndarray]] = {}
    for clip in clips:
        lengths = bone_lengths(torch.from_numpy(clip.joints_world_m)).median(0).values.numpy()
        by_person.setdefault(clip.name.partition("_")[0], []).append(lengths)
    people = torch.from_numpy(np.stack([np.median(one, 0) for one in by_person.values()]))
    size = skeleton_lengths(people)
    groups = torch.stack([people[:, list(members)].mean(1) for members in LENGTH_GROUPS], 1) / size[:, None]
    deviation = groups.log().std(0) if len(people) > 1 else torch.zeros(len(LENGTH_GROUPS))
    return BodyStatistics(groups.mean(0), deviation, float(size.mean()) / SKELETON_SHARE)


def skeleton_lengths(lengths_m: Tensor) -> Tensor:
    """Length (...) of leg, trunk and head together, from bone lengths (..., 15)."""
    return lengths_m[..., _STACKED].sum(-1)


def _of_bones(groups: Tensor) -> Tensor:
    """Lengths of all bones (..., 15), from the lengths of `LENGTH_GROUPS` (..., 9)."""
    lengths = torch.empty(*groups.shape[:-1], len(PARENTS))
    for group, members in enumerate(LENGTH_GROUPS):
        lengths[..., list(members)] = groups[..., group, None]
    return lengths


def _child_factors() -> Tensor:
    factors = torch.ones(len(PARENTS))
    for bone in range(len(PARENTS)):
        joint = H36M16.joints[bone + 1]
        factors[bone] = _CHILD_LIMBS if joint.endswith(_LIMBS) else _CHILD_HEAD if joint == "head" else 1.0
    return factors
