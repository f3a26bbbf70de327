"""Segments of motion as few numbers: principal components, each in its own standard deviations."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from training.motion_model.pose_features import DIRECTIONS, FEATURES, PATH, YAW

_REACH_M: dict[str, float] = {
    "left_hip": 0.35, "left_shoulder": 0.3, "spine": 0.6, "thorax": 0.55, "head": 0.15, "right_knee": 0.45,
    "left_knee": 0.45, "right_ankle": 0.3, "left_ankle": 0.3, "right_elbow": 0.3, "left_elbow": 0.3,
    "right_wrist": 0.2, "left_wrist": 0.2,
}  # fmt: skip
"""How far joints move, summed in squares over those that hang on it, where a direction turns by a radian."""
_YAW_M, _PATH_M = 0.6, 0.6
"""Likewise of a radian of heading, and of a leg's length of path, which counts for less: poses are what matters."""


class SegmentBasis(nn.Module):
    """A mean segment and the directions in which segments differ.

    Args:
        points: Poses of a segment.
        components: Directions that are kept.
    """

    def __init__(self, points: int, components: int) -> None:
        super().__init__()
        self.points, self.components = points, components
        self.mean: Tensor
        self.vectors: Tensor
        self.deviation: Tensor
        self.register_buffer("mean", torch.zeros(points * FEATURES))
        self.register_buffer("vectors", torch.zeros(points * FEATURES, components))
        self.register_buffer("deviation", torch.ones(components))

    def fit(self, segments: Tensor) -> None:
        """Take mean and components from segments (N, points, `FEATURES`), N above the number of components."""
        flat = segments.flatten(1).double()
        mean = flat.mean(0)
        weighted = (flat - mean) * self._weights().double()
        values, vectors = torch.linalg.eigh(weighted.T @ weighted / (len(flat) - 1))
        chosen = values.argsort(descending=True)[: self.components]
        self.mean.copy_(mean)
        self.vectors.copy_(vectors[:, chosen])
        self.deviation.copy_(values[chosen].clamp(min=1e-12).sqrt())

    def encode(self, segments: Tensor) -> Tensor:
        """(B, points, `FEATURES`) to (B, components), each of zero mean and unit variance over what was fitted."""
        return (segments.flatten(1) - self.mean) * self._weights() @ self.vectors / self.deviation

    def decode(self, numbers: Tensor) -> Tensor:
        """(B, components) to (B, points, `FEATURES`)."""
        flat = (numbers * self.deviation) @ self.vectors.T / self._weights() + self.mean
        return flat.unflatten(1, (self.points, FEATURES))

    def in_metres(self, flat: Tensor) -> Tensor:
        """Numbers (B, N) of the first poses of segments as how far they move joints from the mean segment."""
        count = flat.shape[1]
        return (flat - self.mean[:count]) * self._weights()[:count]

    def _weights(self) -> Tensor:
        """What a unit of each number moves joints by, in metres."""
        one = torch.empty(FEATURES)
        one[:YAW] = torch.tensor([_REACH_M[name] for _, name in DIRECTIONS]).repeat_interleave(3)
        one[YAW], one[PATH] = _YAW_M, _PATH_M
        return one.repeat(self.points).to(self.mean)
