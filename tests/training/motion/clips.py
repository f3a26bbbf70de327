"""Motion whose answer is known: positions that are linear in time."""

from __future__ import annotations

import numpy as np

from sdk.skeletons.skeleton import H36M16
from training.motion.motion_clip import MotionClip

# A person 1.7 m high who stands still, facing y: metres, z up.
STANDING = np.array(
    [
        *([0, 0, 0.9], [0.1, 0, 0.9], [0.1, 0, 0.5], [0.1, 0, 0.08], [-0.1, 0, 0.9], [-0.1, 0, 0.5], [-0.1, 0, 0.08]),
        *([0, 0, 1.1], [0, 0, 1.4], [0, 0, 1.62], [-0.18, 0, 1.4], [-0.2, 0, 1.1], [-0.2, 0, 0.85]),
        *([0.18, 0, 1.4], [0.2, 0, 1.1], [0.2, 0, 0.85]),
    ],
    np.float32,
)
assert len(STANDING) == len(H36M16)


def moving_clip(name: str, frames: int, rate_hz: float, start_x: float, velocity: float = 1.0) -> MotionClip:
    """The standing person moved along x: x = start + velocity * t for the pelvis."""
    joints = np.repeat(STANDING[None], frames, 0)
    joints[..., 0] += (start_x + velocity * np.arange(frames) / rate_hz)[:, None]
    return MotionClip(name, joints.astype(np.float32), rate_hz)
