"""What a protocol scores: one person before one camera, with true 3D."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from sdk.errors import BadTarget
from sdk.skeletons.skeleton import H36M16


@dataclass(frozen=True)
class LabelledSequence:
    """Consecutive frames of one person before one camera. A cut in the video ends a sequence.

    Attributes:
        name: Unique within its data set.
        keypoints_px: (T, 16, 2) pixels.
        joints_m: (T, 16, 3) truth in metres, camera axes; any root.
        valid: (T,) bool: frames that the data set counts as good.
        frame_rate_hz: Frames per second, or None where nobody tells: then only single frames can be lifted.
        image_size: Width and height in pixels.
        action: What the person does, where the data set says it.

    Raises:
        BadTarget: a shape or a value is not as above.
    """

    name: str
    keypoints_px: np.ndarray
    joints_m: np.ndarray
    valid: np.ndarray
    frame_rate_hz: float | None
    image_size: tuple[int, int]
    action: str = ""

    def __post_init__(self) -> None:
        frames = len(self.keypoints_px)
        shapes = {"keypoints_px": (frames, len(H36M16), 2), "joints_m": (frames, len(H36M16), 3), "valid": (frames,)}
        for name, wanted in shapes.items():
            array = getattr(self, name)
            if frames == 0 or array.shape != wanted:
                raise BadTarget(f"{self.name}: {name} of {frames} frames have shape {array.shape}, not {wanted}.")
            if not np.isfinite(array).all():
                raise BadTarget(f"{self.name}: {name} hold values that are not finite.")
        if self.frame_rate_hz is not None and not self.frame_rate_hz > 0:
            raise BadTarget(f"{self.name}: a frame rate is positive, not {self.frame_rate_hz}.")

    def __len__(self) -> int:
        return len(self.keypoints_px)

    def without_first(self, frames: int) -> LabelledSequence:
        """The sequence without its first frames.

        Raises:
            BadTarget: nothing is left.
        """
        if frames == 0:
            return self
        return dataclasses.replace(
            self, keypoints_px=self.keypoints_px[frames:], joints_m=self.joints_m[frames:], valid=self.valid[frames:]
        )
