"""The target's own motion as further source motion: lifted by the lifter that is learning, and fitted to its 2D.

What the lifter says of the target may be wrong, but turned and projected anew it is an exact pair of 2D and 3D, of
poses like those that the source lacks.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from training.data.mirrored import mirror_half
from training.data.motion_clip import MotionClip
from training.data.source_windows import SourceWindows
from training.data.target_windows import TargetWindows
from training.source_cameras import CameraWindows
from training.target_fit import fit_to_keypoints
from training.turned_again import FOCAL, smoothed

MOST_FRAMES = 30_000
"""Of a long target, whole tracks up to so many frames are lifted, drawn anew each time: 20 minutes of motion."""
_LIFT_AT_ONCE = 2048


class TargetMotion:
    """Motion of the target's people; empty until `lift`.

    Args:
        windows: The target's.
        speeds: Lowest and highest multiple of its own speed at which its motion is played.
    """

    def __init__(self, windows: TargetWindows, speeds: tuple[float, float]) -> None:
        self._windows, self._speeds = windows, speeds
        self._joints, self._sequence = torch.empty(0, 16, 3), torch.empty(0, dtype=torch.long)
        self._motion: SourceWindows | None = None

    def lift(self, lifter: nn.Module, random: torch.Generator) -> None:
        """Take the motion as a lifter in evaluation mode sees it, in place of what there was."""
        rows = self._drawn_tracks(random)
        device = next(lifter.parameters()).device
        with torch.no_grad():
            parts = [lifter(self._windows.at(part).to(device)).cpu() for part in rows.split(_LIFT_AT_ONCE)]
        self._sequence = self._windows.sequence[rows]
        fitted = fit_to_keypoints(torch.cat(parts), self._windows.keypoints[rows], self._sequence, FOCAL)
        self._joints = fitted.pose_m + fitted.position_m[:, None]
        self._cut()

    @property
    def clips(self) -> list[MotionClip]:
        """Whole tracks, camera axes, one frame of the target a second; empty until `lift`.

        A track of one frame is no motion, and one that can't be fitted is none either.
        """
        clips = []
        for one in self._sequence.unique():
            joints = self._joints[self._sequence == one]
            if len(joints) < 2 or not joints.isfinite().all():
                continue
            steady = joints - joints[:, :1] + smoothed(joints[None, :, 0])[0][:, None]
            # Time is counted in frames of the target: at one frame a second, a speed is a time step.
            clips.append(MotionClip(str(int(one)), steady.numpy(), 1.0))
        return clips

    def mixed_in(self, source: CameraWindows, share: float, random: torch.Generator) -> CameraWindows:
        """Source windows, the last of them, in this share, the target's own; as they are while there are none.

        Args:
            source: (B, ...) windows.
            share: Of them.
            random: Source of randomness, on the CPU.
        """
        count = round(share * len(source.joints_m))
        if self._motion is None or not count:
            return source
        joints = mirror_half(self._motion.sample(count, random), random).to(source.joints_m)
        middle = joints.shape[1] // 2
        joints = joints - joints[:, middle : middle + 1, :1]
        return CameraWindows(torch.cat([source.joints_m[:-count], joints]), source.position_m, source.focal)

    def state_dict(self) -> dict[str, Any]:
        """Tensors."""
        return {"joints": self._joints, "sequence": self._sequence}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take them back."""
        self._joints, self._sequence = state["joints"], state["sequence"]
        self._cut()

    def _cut(self) -> None:
        clips = self.clips
        self._motion = SourceWindows(clips, self._windows.frames, self._speeds) if clips else None

    def _drawn_tracks(self, random: torch.Generator) -> Tensor:
        lengths = torch.bincount(self._windows.sequence)
        order = torch.randperm(len(lengths), generator=random)
        within = lengths[order].cumsum(0) <= MOST_FRAMES
        within[0] = True
        chosen = torch.zeros(len(lengths), dtype=torch.bool)
        chosen[order[within]] = True
        return torch.nonzero(chosen[self._windows.sequence])[:, 0]
