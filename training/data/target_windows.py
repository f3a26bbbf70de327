"""Windows of the target's 2D keypoints."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from sdk.errors import BadTarget
from sdk.skeletons.keypoint_normalisation import Normalisation
from training.data.target_sequence import TargetSequence, load_benchmark_sequences, target_sequences

__all__ = ["TargetSequence", "TargetWindows", "load_benchmark_sequences", "target_sequences"]


class TargetWindows:
    """Windows around the frames of all sequences; one that leaves its sequence repeats the edge frame.

    The published code fills with zeros there, which no person ever looks like.

    Args:
        sequences: Of one frame rate.
        receptive_field: Frames in a window, T, odd.
        normalisation: Of the sequences' keypoints.

    Raises:
        BadTarget: without sequences.
    """

    def __init__(
        self, sequences: Sequence[TargetSequence], receptive_field: int, normalisation: Normalisation = "screen"
    ) -> None:
        if not sequences:
            raise BadTarget("the target has no keypoint sequences to draw windows from.")
        self.normalisation = normalisation
        self.frames = receptive_field
        lengths = torch.tensor([len(sequence.keypoints) for sequence in sequences])
        ends = lengths.cumsum(0)
        self.keypoints = torch.from_numpy(np.concatenate([sequence.keypoints for sequence in sequences])).float()
        self.sequence = torch.arange(len(sequences)).repeat_interleave(lengths)
        self._first = (ends - lengths).repeat_interleave(lengths)
        self._last = (ends - 1).repeat_interleave(lengths)
        self._reach = torch.arange(receptive_field) - receptive_field // 2

    def __len__(self) -> int:
        """Frames, each the centre of a window."""
        return len(self.keypoints)

    def sample(self, count: int, generator: torch.Generator) -> Tensor:
        """Windows around frames drawn uniformly over all sequences: (count, T, 16, 2) float32.

        Args:
            count: Number of windows.
            generator: Source of randomness, on the CPU.
        """
        return self.at(torch.randint(len(self), (count,), generator=generator))

    def all_windows(self, step: int) -> Tensor:
        """Windows around every `step`-th frame of each sequence, in order: (N, T, 16, 2) float32."""
        return self.at(self.centres(step))

    def centres(self, step: int) -> Tensor:
        """The frames (N,) that `all_windows` is centred at, as rows of `keypoints`; `sequence` says whose they are."""
        frames = torch.arange(len(self))
        return frames[(frames - self._first) % step == 0]

    def at(self, centres: Tensor) -> Tensor:
        """Windows (N, T, 16, 2) around the given rows (N,) of `keypoints`."""
        return self.keypoints[self.frames_of(centres)]

    def frames_of(self, centres: Tensor) -> Tensor:
        """Rows (N, T) of `keypoints` in the windows around the given rows (N,)."""
        return (centres[:, None] + self._reach).clamp(self._first[centres, None], self._last[centres, None])
