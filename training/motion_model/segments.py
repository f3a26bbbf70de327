"""Segments of real motion for the model to learn from: drawn, stretched in time, mirrored, with swapped limbs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from sdk.errors import BadMotion
from training.motion.limb_swap import EXCHANGES, THORAX, transplanted
from training.motion.motion_clip import MotionClip, on_the_floor
from training.motion_model.pose_features import (
    from_first_pose,
    mirrored_features,
    pose_features,
    unit_bones,
    with_bones,
)
from training.motion_model.segment_basis import fitted_coefficients, spline_weights
from training.settings.motion_model import FEATURES

POINT_RATE_HZ = 10.0
"""Rate of the poses in a segment. A spline through them has an error of 2 mm in the mean, 3 mm at the ankles."""
_SLOWEST = 0.5
"""Lowest speed at which a clip is played if it is shorter than a segment."""
_ABOVE_THE_LEGS = [one for one in EXCHANGES if one[1] is THORAX or THORAX.left in one[0]]


class MotionSegments:
    """Draws segments from clips.

    Args:
        clips: Real motion, z up; each is put on the floor.
        points: Poses in a segment, `POINT_RATE_HZ` of them in a second.
        stretch: Lowest and highest factor of the time that a segment takes.

    Raises:
        BadMotion: no clip is long enough.
    """

    def __init__(self, clips: Sequence[MotionClip], points: int, stretch: tuple[float, float] = (1.0, 1.0)) -> None:
        self.points, self.stretch = points, stretch
        coefficients = []
        for clip in map(on_the_floor, clips):
            features = pose_features(clip.joints_world_m, clip.frame_rate_hz)
            times = np.arange(len(features)) / clip.frame_rate_hz * POINT_RATE_HZ
            if times[-1] >= (points - 1) * _SLOWEST:
                coefficients.append(fitted_coefficients(features, times, int(np.ceil(times[-1]))))
        if not coefficients:
            shortest_s = (points - 1) * _SLOWEST / POINT_RATE_HZ
            raise BadMotion(f"none of {len(clips)} clips is as long as {shortest_s:g} s, which the model learns from.")
        lengths = torch.tensor([len(one) - 3 for one in coefficients])
        self._first = torch.tensor([0, *(lengths + 3).cumsum(0)[:-1]])
        self._intervals = lengths
        self._coefficients = torch.from_numpy(np.concatenate(coefficients)).float()
        self._chance = lengths.double()

    def draw(self, count: int, generator: torch.Generator, *, mirror: bool = True, exchanged: float = 0.0) -> Tensor:
        """(count, points, `FEATURES`) segments that begin at the origin and head along x.

        Args:
            count: Number of segments.
            generator: Source of randomness.
            mirror: Whether half of them are mirrored.
            exchanged: Limb swap: share of the segments that get arms or the upper body of another segment.
        """
        clip = torch.multinomial(self._chance, count, replacement=True, generator=generator)
        low, high = self.stretch
        step = 1 / (low * (high / low) ** torch.rand(count, generator=generator))
        longest = self._intervals[clip] - 1e-3
        step = torch.minimum(step, longest / (self.points - 1))
        start = torch.rand(count, generator=generator) * (longest - step * (self.points - 1))
        segments = self._at(clip, start[:, None] + step[:, None] * torch.arange(self.points))
        if exchanged:
            segments = _with_others_arms(segments, exchanged, generator)
        if mirror:
            chosen = torch.rand(count, generator=generator) < 0.5
            segments = torch.where(chosen[:, None, None], mirrored_features(segments), segments)
        return from_first_pose(segments)[0]

    def all_segments(self, every: int) -> Tensor:
        """Segments (N, points, `FEATURES`) that begin at every `every`-th point of each clip, at their own speed."""
        parts = []
        for clip, intervals in enumerate(self._intervals.tolist()):
            start = torch.arange(0, max(1, intervals - self.points + 2), every)
            start = start[start + self.points - 1 <= intervals]
            if len(start):
                chosen = torch.full((len(start),), clip)
                parts.append(self._at(chosen, start[:, None] + torch.arange(self.points, dtype=torch.float)))
        return from_first_pose(torch.cat(parts))[0] if parts else torch.empty(0, self.points, FEATURES)

    def _at(self, clip: Tensor, position: Tensor) -> Tensor:
        position = torch.minimum(position, (self._intervals[clip] - 1e-3)[:, None])
        index = self._first[clip, None] + position.floor().long()
        taken = self._coefficients[index[..., None] + torch.arange(4)]
        return (spline_weights(position)[..., None] * taken).sum(-2)


def _with_others_arms(segments: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Swap arms or upper bodies. Legs and path stay, so that the feet stand where they stood."""
    changed = round(share * len(segments))
    bones = torch.nn.functional.normalize(unit_bones(segments), dim=-1)
    mixed = bones[:changed]
    for members, end, probability in _ABOVE_THE_LEGS:
        chosen = torch.nonzero(torch.rand(changed, generator=generator) < probability)[:, 0]
        donor = torch.randint(len(bones), (changed,), generator=generator)[chosen]
        mixed = mixed.index_copy(0, chosen, transplanted(mixed[chosen], bones[donor], members, end))
    return torch.cat([with_bones(segments[:changed], mixed), segments[changed:]])
