"""Sequences of a data set as its own cameras filmed them: source motion with the source's intrinsics (eq. 4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from sdk.errors import BadMotion
from sdk.skeletons.skeleton import H36M16
from training.cameras.random_cameras import CameraWindows
from training.motion.motion_clip import MotionClip
from training.motion.source_windows import SourceWindows

_MIRROR = list(H36M16.mirror)


@dataclass(frozen=True)
class FilmedSequence:
    """One person before one camera.

    Attributes:
        name: Unique within its source.
        joints_camera_m: (T, 16, 3) metres at their place in camera axes; at least two frames.
        frame_rate_hz: Frames per second.
        lens: (1, 9) or, where the camera zooms, (T, 9): fx, fy, cx, cy in half image widths (of the longer side, from
            the image's centre), k1, k2, k3, p1, p2.
    """

    name: str
    joints_camera_m: np.ndarray
    frame_rate_hz: float
    lens: np.ndarray

    def __post_init__(self) -> None:
        if self.lens.ndim != 2 or self.lens.shape[1] != 9 or len(self.lens) not in (1, len(self.joints_camera_m)):
            raise BadMotion(f"{self.name}: a lens of shape {self.lens.shape} is none for {len(self.joints_camera_m)}.")
        if not np.isfinite(self.lens).all() or not (self.lens[:, :2] > 0).all():
            raise BadMotion(f"{self.name}: focal lengths must be positive, and all numbers of a lens finite.")


class FilmedSequences:
    """Draws windows of sequences, seen by the cameras that filmed them.

    The camera of a window is that of its middle frame. Half of the windows are mirrored, with their cameras: left and
    right joints are exchanged, and x and the principal point's x change sign.

    Args:
        sequences: One or more.
        frames: Frames in a window.
        time_step_s: Smallest and largest time between two frames of a window.

    Raises:
        BadMotion: there are none, or one is unfit.
    """

    def __init__(self, sequences: Sequence[FilmedSequence], frames: int, time_step_s: tuple[float, float]) -> None:
        # In camera axes; what draws windows does not mind which axes they are.
        clips = [MotionClip(one.name, one.joints_camera_m, one.frame_rate_hz) for one in sequences]
        self._clips, self._frames = clips, frames
        self._windows = SourceWindows(clips, frames, time_step_s)
        lenses = [np.broadcast_to(one.lens, (len(one.joints_camera_m), 9)) for one in sequences]
        self._lens = torch.from_numpy(np.concatenate(lenses).astype(np.float32))

    def __len__(self) -> int:
        """Number of frames."""
        return len(self._windows)

    def sample(self, count: int, generator: torch.Generator) -> CameraWindows:
        """Windows around frames drawn uniformly over all sequences, half of them mirrored.

        Args:
            count: Number of windows, B.
            generator: Source of randomness, on the CPU.
        """
        centre = self._windows.draw(count, generator)
        joints, lens = self._windows.around(centre, generator), self._lens[centre].clone()
        turned = torch.rand(count, generator=generator) < 0.5
        mirrored = joints[turned][:, :, _MIRROR]
        joints[turned] = mirrored * joints.new_tensor([-1.0, 1.0, 1.0])
        # What is even in x stays: fx, fy, cy, the radial terms and p2.
        lens[turned] *= lens.new_tensor([1.0, 1.0, -1.0, 1.0, 1.0, 1.0, 1.0, -1.0, 1.0])
        return _filmed(joints, lens)

    def at_own_speed(self, most: int, frame_rate_hz: float) -> CameraWindows:
        """At most so many windows at a lifter's rate, spread evenly over all sequences; none mirrored."""
        step_s = 1 / frame_rate_hz
        windows = SourceWindows(self._clips, self._frames, (step_s, step_s))
        centre = torch.linspace(0, len(windows) - 1, min(most, len(windows))).round().long()
        return _filmed(windows.around(centre, torch.Generator()), self._lens[centre])


def _filmed(joints_camera_m: Tensor, lens: Tensor) -> CameraWindows:
    position = joints_camera_m[:, joints_camera_m.shape[1] // 2, 0]
    return CameraWindows(joints_camera_m - position[:, None, None], position, lens[:, :2].mean(-1), lens=lens)
