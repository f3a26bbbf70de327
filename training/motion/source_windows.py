"""Windows of source motion, played at varying speed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from sdk.errors import BadMotion
from training.motion.motion_clip import MotionClip


class SourceWindows:
    """Draws windows of motion. Each has its own time between frames, to cover many frame rates and motion speeds.

    The paper takes every r-th frame of 50 Hz motion, r in [2, 5] (AdaptPose, section 6). Here the step is continuous.

    Args:
        clips: Source motion.
        frames: Frames in a window.
        time_step_s: Smallest and largest time between two frames of a window.

    Raises:
        BadMotion: there are no clips, or `time_step_s` is no range of positive numbers.
    """

    def __init__(self, clips: Sequence[MotionClip], frames: int, time_step_s: tuple[float, float]) -> None:
        if not clips:
            raise BadMotion("there is no source motion to draw windows from.")
        if not 0 < time_step_s[0] <= time_step_s[1]:
            raise BadMotion(f"time_step_s must be two increasing positive numbers, not {time_step_s!r}.")
        self.frames = frames
        self.time_step_s = time_step_s
        lengths = torch.tensor([len(clip.joints_world_m) for clip in clips])
        ends = lengths.cumsum(0)
        self._joints = torch.from_numpy(np.concatenate([clip.joints_world_m for clip in clips])).float()
        self._first = (ends - lengths).repeat_interleave(lengths)
        self._last = (ends - 1).repeat_interleave(lengths)
        self._rate_hz = torch.tensor([clip.frame_rate_hz for clip in clips]).repeat_interleave(lengths)

    def __len__(self) -> int:
        """Number of frames of source motion."""
        return len(self._joints)

    def sample(self, count: int, generator: torch.Generator) -> Tensor:
        """Draw windows centred at frames drawn uniformly over all clips.

        Positions between two frames are interpolated; a window that leaves its clip repeats the edge frame.

        Args:
            count: Number of windows, B.
            generator: Source of randomness, on the CPU.

        Returns:
            (B, frames, 16, 3) float32, metres, world axes.
        """
        return self.around(self.draw(count, generator), generator)

    def draw(self, count: int, generator: torch.Generator) -> Tensor:
        """Frames (count,) drawn uniformly over all clips. Frame numbers run on from clip to clip."""
        return torch.randint(len(self._joints), (count,), generator=generator)

    def around(self, centre: Tensor, generator: torch.Generator) -> Tensor:
        """Windows (B, frames, 16, 3) around the given frames (B,), each with a drawn time step; see `sample`."""
        low, high = self.time_step_s
        step_s = low + (high - low) * torch.rand(len(centre), generator=generator)
        offset = torch.arange(self.frames) - (self.frames - 1) / 2
        # float64, because a float32 index into hours of motion has no digits left for a fraction.
        position = centre[:, None] + offset * (step_s.double() * self._rate_hz[centre])[:, None]
        first, last = self._first[centre, None], self._last[centre, None]
        position = position.clamp(first, last)
        before = position.floor().long()
        weight = (position - before).float()[..., None, None]
        after = (before + 1).minimum(last)
        return torch.lerp(self._joints[before], self._joints[after], weight)
