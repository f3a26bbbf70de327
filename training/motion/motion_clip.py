"""A clip of 3D motion, and its resampling to another frame rate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sdk.errors import BadMotion
from sdk.skeletons.skeleton import H36M16, H36M20
from training.geometry.resampling import resample_linear, uniform_times

SOURCE_FRAME_RATE_HZ = 50.0
"""Frame rate of all source motion after reading: Human3.6M's, to which the paper's steps (2nd to 5th frame) refer."""

FRAME_RATES_HZ = (1.0, 10_000.0)
"""Lowest and highest accepted frame rate. A clip that states a millionth of a real rate would be resampled to
gigabytes."""

FARTHEST_M = 100_000.0
"""Largest accepted coordinate."""


@dataclass(frozen=True)
class MotionClip:
    """Joint positions of one person over time.

    Attributes:
        name: Unique within its source.
        joints_world_m: (T, 16, 3) float32 metres, H36M-16, z up; at least two frames. With feet (T, 20, 3), H36M-20.
        frame_rate_hz: Frames per second.
    """

    name: str
    joints_world_m: np.ndarray
    frame_rate_hz: float

    def __post_init__(self) -> None:
        shape = self.joints_world_m.shape
        if len(shape) != 3 or shape[1:] not in [(len(H36M16), 3), (len(H36M20), 3)]:
            raise BadMotion(f"motion {self.name!r} has shape {shape}; positions of H36M-16 are (T, 16, 3).")
        if shape[0] < 2:
            raise BadMotion(f"motion {self.name!r} has {shape[0]} frames; at least 2 are needed.")
        if not FRAME_RATES_HZ[0] <= self.frame_rate_hz <= FRAME_RATES_HZ[1]:
            raise BadMotion(
                f"motion {self.name!r} has frame_rate_hz {self.frame_rate_hz}; it must be between "
                f"{FRAME_RATES_HZ[0]:g} and {FRAME_RATES_HZ[1]:g}."
            )
        bad = np.argwhere(~np.isfinite(self.joints_world_m).all(-1))
        if len(bad):
            frame, joint = bad[0]
            raise BadMotion(
                f"motion {self.name!r}: frame {frame}, joint {joint} ({H36M20.joints[joint]}) is not a finite position "
                f"({len(bad)} such joints in all)."
            )
        if (far := float(np.abs(self.joints_world_m).max())) > FARTHEST_M:
            raise BadMotion(
                f"motion {self.name!r} has a coordinate of {far:.3g} m, farther from the origin than {FARTHEST_M:g} m, "
                "where float32 has centimetres only. Move the motion to the origin, or leave the frame out."
            )

    @property
    def duration_s(self) -> float:
        """Time from the first frame to the last."""
        return (len(self.joints_world_m) - 1) / self.frame_rate_hz


def resample_clip(clip: MotionClip, frame_rate_hz: float = SOURCE_FRAME_RATE_HZ) -> MotionClip:
    """The clip at another frame rate. Positions are interpolated linearly; time after the last whole frame is cut."""
    if clip.frame_rate_hz == frame_rate_hz:
        return clip
    times = np.arange(len(clip.joints_world_m)) / clip.frame_rate_hz
    joints = resample_linear(clip.joints_world_m, times, uniform_times(times, frame_rate_hz))
    return MotionClip(clip.name, joints, frame_rate_hz)


def on_the_floor(clip: MotionClip) -> MotionClip:
    """The clip, moved so that the mean of its pelvis is at x = y = 0 and its lowest joint mostly at z = 0."""
    joints = clip.joints_world_m
    lowest = np.percentile(joints[..., 2].min(1), 5)
    offset = np.array([*joints[:, 0, :2].mean(0), lowest], np.float32)
    return MotionClip(clip.name, joints - offset, clip.frame_rate_hz)
