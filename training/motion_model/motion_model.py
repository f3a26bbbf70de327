"""A generative model of human motion: it draws bodies and moves them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from sdk.errors import BadMotion
from training.motion_model.bodies import BodyStatistics
from training.motion_model.flow_network import FlowNetwork
from training.motion_model.pose_features import (
    features_to_joints,
    from_first_pose,
    leg_lengths,
    mirrored_features,
    moved,
    with_joints,
)
from training.motion_model.segment_basis import SegmentBasis, interpolation_matrix
from training.motion_model.segments import POINT_RATE_HZ
from training.motion_model.standing_feet import stand
from training.settings.motion_model import FEATURES

_FEET_POINTS = 2
"""Poses per point at which standing feet are corrected."""
_BEGINNING_M = 0.1
"""Unit, in metres, of the numbers that tell the network the beginning of a segment."""
_START_NOISE = 0.05
"""Standard deviation of the noise on the numbers of a start, in units of their own standard deviations."""
_AT_ONCE = 512


@dataclass(frozen=True)
class SegmentShape:
    """Sizes of a model's segments.

    Attributes:
        points: Poses in a segment, `POINT_RATE_HZ` of them in a second.
        beginning: How many of the first poses may be given: they are the end of the segment before.
        components: Numbers that describe a segment.
        starts: Beginnings of real motion that new motions start from, half a second each.
        start_components: Numbers that describe each of these beginnings.
    """

    points: int = 16
    beginning: int = 5
    components: int = 320
    starts: int = 1536
    start_components: int = 64


class MotionModel(nn.Module):
    """Makes segments of motion from noise. Each segment goes on from the one before.

    Args:
        shape: Sizes of the segments.
        bodies: Statistics of the bodies that move.
        width: Width of the network.
        blocks: Residual blocks of the network.
        dropout: Dropout of the network in training.
        flow_steps: Steps from noise to motion.
    """

    def __init__(
        self,
        shape: SegmentShape,
        bodies: BodyStatistics,
        *,
        width: int,
        blocks: int,
        dropout: float = 0.0,
        flow_steps: int = 6,
    ) -> None:
        super().__init__()
        self.shape, self.bodies, self.flow_steps = shape, bodies, flow_steps
        self.basis = SegmentBasis(shape.points, shape.components)
        self.start_basis = SegmentBasis(shape.beginning, shape.start_components)
        self.starts: Tensor
        self.register_buffer("starts", torch.zeros(shape.starts, shape.start_components))
        self.network = FlowNetwork(shape.components, shape.beginning * FEATURES, width, blocks, dropout)

    def fit(self, segments: Tensor, starts: Tensor) -> None:
        """Take from real motion what the network does not learn: principal components and beginnings.

        Args:
            segments: (N, points, `FEATURES`), for the components of segments and beginnings.
            starts: (`starts`, points, `FEATURES`); their beginnings are kept.
        """
        self.basis.fit(segments)
        self.start_basis.fit(segments[:, : self.shape.beginning])
        self.starts.copy_(self.start_basis.encode(starts[:, : self.shape.beginning]))

    def beginning(self, segments: Tensor) -> Tensor:
        """Numbers (B, known) that tell the network the first poses of segments (B, `beginning` or more, `FEATURES`)."""
        known = segments[:, : self.shape.beginning].flatten(1)
        return self.basis.in_metres(known) / _BEGINNING_M

    def sample(self, count: int, frames: int, frame_rate_hz: float, generator: torch.Generator) -> Tensor:
        """Draw motions.

        Args:
            count: Number of motions. Each has its own body.
            frames: Frames in each motion.
            frame_rate_hz: Frame rate.
            generator: Source of randomness, on the CPU. The same state gives the same motions.

        Returns:
            (count, frames, 16, 3) float32 metres, z up, the floor near zero, in any heading.

        Raises:
            BadMotion: count, frames or frame rate is no positive number.
        """
        for name, value in (("count", count), ("frames", frames), ("frame_rate_hz", frame_rate_hz)):
            if not 0 < value < math.inf:
                raise BadMotion(f"{name} is {value}; to sample motion it must be a positive number.")
        sizes = [min(_AT_ONCE, count - first) for first in range(0, count, _AT_ONCE)]
        return torch.cat([self._sample(size, frames, frame_rate_hz, generator) for size in sizes])

    @torch.no_grad()
    def _sample(self, count: int, frames: int, frame_rate_hz: float, generator: torch.Generator) -> Tensor:
        duration = (frames - 1) / frame_rate_hz * POINT_RATE_HZ
        features = self.draw_features(count, math.ceil(duration) + 1, generator)
        lengths = self.bodies.draw(count, generator)
        dense = interpolation_matrix(
            features.shape[1], torch.arange((features.shape[1] - 1) * _FEET_POINTS + 1).double().numpy() / _FEET_POINTS
        )
        features = dense @ features
        leg = leg_lengths(lengths)
        standing = stand(features_to_joints(features, lengths), leg, POINT_RATE_HZ * _FEET_POINTS)
        features = with_joints(features, standing, leg)
        free = features.shape[1] - 1 - duration * _FEET_POINTS
        at = torch.arange(frames).double() / frame_rate_hz * POINT_RATE_HZ * _FEET_POINTS + free / 2
        features = interpolation_matrix(features.shape[1], at.numpy()) @ features
        yaw = (torch.rand(count, generator=generator) * 2 - 1) * math.pi
        return features_to_joints(moved(features, yaw, torch.zeros(count, 2)), lengths)

    @torch.no_grad()
    def draw_features(self, count: int, points: int, generator: torch.Generator) -> Tensor:
        """Motion without bodies, (count, points or more, `FEATURES`) at `POINT_RATE_HZ`.

        Args:
            count: Number of motions.
            points: Fewest poses in each motion. Whole segments are drawn, so there may be more.
            generator: Source of randomness, on the CPU.
        """
        overlap = self.shape.beginning
        chosen = torch.randint(len(self.starts), (count,), generator=generator)
        inexact = _START_NOISE * torch.randn(count, self.shape.start_components, generator=generator)
        motion = self.start_basis.decode(self.starts[chosen] + inexact)
        fade = torch.linspace(0, 1, overlap + 2)[1:-1, None]
        while motion.shape[1] < points + overlap:
            known, yaw, flat = from_first_pose(motion[:, -overlap:])
            following = self.following(self.beginning(known), generator)
            following = moved(following, yaw, flat)
            met = torch.lerp(motion[:, -overlap:], following[:, :overlap], fade)
            motion = torch.cat([motion[:, :-overlap], met, following[:, overlap:]], 1)
        motion = from_first_pose(motion[:, overlap:])[0]  # drops the start: it is real motion of a real person
        mirror = torch.rand(count, generator=generator) < 0.5
        return torch.where(mirror[:, None, None], mirrored_features(motion), motion)

    def following(self, beginning: Tensor, generator: torch.Generator) -> Tensor:
        """Segments (B, points, `FEATURES`) that go on from beginnings (B, known): noise, integrated by Heun's rule."""
        numbers = torch.randn(len(beginning), self.shape.components, generator=generator).to(beginning)
        step = 1 / self.flow_steps
        for i in range(self.flow_steps):
            now = torch.full((len(numbers),), i * step).to(numbers)
            velocity = self.network(numbers, now, beginning)
            if i + 1 < self.flow_steps:
                ahead = self.network(numbers + step * velocity, now + step, beginning)
                velocity = (velocity + ahead) / 2
            numbers = numbers + step * velocity
        return self.basis.decode(numbers)
