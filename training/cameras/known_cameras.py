"""Known cameras: source motion filmed by given cameras that do not move, for example Human3.6M's four."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from training.cameras.random_cameras import CameraWindows
from training.geometry.camera import turn
from training.motion.body_variation import mirror_half
from training.motion.motion_clip import MotionClip, on_the_floor
from training.motion.source_windows import SourceWindows


@dataclass(frozen=True)
class KnownCamera:
    """A pinhole camera in the world (z up).

    Attributes:
        rotation_world_to_camera: (3, 3).
        centre_world_m: (3,) position of the camera.
        focal: Focal length in half image widths.
    """

    rotation_world_to_camera: np.ndarray
    centre_world_m: np.ndarray
    focal: float


def look_at(centre_world_m: Sequence[float], point_world_m: Sequence[float], focal: float) -> KnownCamera:
    """A camera without roll that looks at a point.

    Args:
        centre_world_m: Position of the camera; not straight above or below the point.
        point_world_m: Point in the centre of the image.
        focal: Focal length in half image widths.
    """
    centre = np.asarray(centre_world_m, float)
    forward = np.asarray(point_world_m, float) - centre
    forward /= np.linalg.norm(forward)
    right = np.cross(forward, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right)
    return KnownCamera(np.stack([right, np.cross(forward, right), forward]), centre, focal)


def ring(azimuths_deg: Sequence[float], radius_m: float, height_m: float, focal: float) -> list[KnownCamera]:
    """Cameras round the z axis that look at it, 0.9 m above the floor."""
    angles = [math.radians(azimuth) for azimuth in azimuths_deg]
    return [look_at((radius_m * math.cos(a), radius_m * math.sin(a), height_m), (0.0, 0.0, 0.9), focal) for a in angles]


STUDIO = ring((50, 130, 230, 310), 5.2, 1.55, 2.29)
"""Four cameras like Human3.6M's: the source cameras of the cross-domain benchmark."""


HeldOut = Literal["clips", "sequences"]


class FilmedClips:
    """Every clip filmed by every camera. A tenth is held out for validation.

    Args:
        clips: Source motion, world axes; each is put `on_the_floor`.
        cameras: Each of them films every clip.
        frames: Frames in a window.
        time_step_s: Smallest and largest time between two frames of a training window.
        frame_rate_hz: Frame rate of the validation windows.
        hold_out: `clips`: whole clips, training sees them through no camera. `sequences`: a clip as one camera films
            it; training sees the same clip through the other cameras. The cross-domain benchmark is defined so.
        validation_every: Of each group of so many (sequences: in the order of clips, then cameras), the last one is
            held out; at least one in all.

    Raises:
        BadMotion: there are no clips, or only one, or of sequences only one clip and one camera.
    """

    def __init__(
        self,
        clips: Sequence[MotionClip],
        cameras: Sequence[KnownCamera],
        frames: int,
        time_step_s: tuple[float, float],
        frame_rate_hz: float,
        *,
        hold_out: HeldOut = "clips",
        validation_every: int = 10,
    ) -> None:
        clips = [on_the_floor(clip) for clip in clips]
        pairs = [(i, camera) for i in range(len(clips)) for camera in range(len(cameras))]
        total = len(clips) if hold_out == "clips" else len(pairs)
        chosen = set(range(validation_every - 1, total, validation_every) or [total - 1])

        def is_held_out(number: int) -> bool:
            return (pairs[number][0] if hold_out == "clips" else number) in chosen

        numbers = range(len(pairs))
        held_out = [(clips[pairs[i][0]], pairs[i][1]) for i in numbers if is_held_out(i)]
        training = [(clips[pairs[i][0]], pairs[i][1]) for i in numbers if not is_held_out(i)]
        self._rotation = torch.from_numpy(np.stack([one.rotation_world_to_camera for one in cameras])).float()
        self._centre = torch.from_numpy(np.stack([one.centre_world_m for one in cameras])).float()
        self._focal = torch.tensor([one.focal for one in cameras])
        self._windows, self._camera = _windows_of(training, frames, time_step_s)
        step_s = 1 / frame_rate_hz
        self._held_out, self._held_out_camera = _windows_of(held_out, frames, (step_s, step_s))

    def sample(self, count: int, generator: torch.Generator) -> CameraWindows:
        """Training windows around frames drawn uniformly over all sequences, half of them mirrored.

        Args:
            count: Number of windows, B.
            generator: Source of randomness, on the CPU.
        """
        centre = self._windows.draw(count, generator)
        joints = mirror_half(self._windows.around(centre, generator), generator)
        return self._filmed(joints, self._camera[centre])

    def validation(self, every: int = 10) -> CameraWindows:
        """Windows around every so many frames of the held-out sequences, at the lifter's frame rate."""
        centre = torch.arange(0, len(self._held_out), every)
        return self._filmed(self._held_out.around(centre, torch.Generator()), self._held_out_camera[centre])

    def _filmed(self, joints_world_m: Tensor, camera: Tensor) -> CameraWindows:
        rotation = self._rotation[camera]
        root = joints_world_m[:, joints_world_m.shape[1] // 2, :1]
        position = turn((root - self._centre[camera, None])[:, None], rotation)[:, 0, 0]
        joints, focal = turn(joints_world_m - root[:, None], rotation), self._focal[camera]
        return CameraWindows(joints, position, focal, rotation[..., 2])


def _windows_of(
    pairs: Sequence[tuple[MotionClip, int]], frames: int, time_step_s: tuple[float, float]
) -> tuple[SourceWindows, Tensor]:
    """Windows of clips, and the camera that films each of their frames."""
    windows = SourceWindows([clip for clip, _ in pairs], frames, time_step_s)
    lengths = torch.tensor([len(clip.joints_world_m) for clip, _ in pairs])
    return windows, torch.tensor([camera for _, camera in pairs]).repeat_interleave(lengths)
