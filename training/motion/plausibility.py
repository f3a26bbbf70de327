"""What source motion contradicts of what is said about it: the axis that points up, and the frame rate."""

from __future__ import annotations

import numpy as np

from sdk.skeletons.skeleton import H36M16
from training.motion.motion_clip import MotionClip

_HEAD, _PELVIS = H36M16.index("head"), H36M16.index("pelvis")
_ANKLES = [H36M16.index("left_ankle"), H36M16.index("right_ankle")]
_UPRIGHT = 0.3
"""Rise from ankles to head over their distance."""
_MOSTLY = 0.9
_FASTEST_M_S = 15.0
"""Of the pelvis, median over time: sprinters reach 12 at their best; in 315 clips of motion capture at most 4.6."""


def motion_doubts(clip: MotionClip) -> list[str]:
    """Sentences that name the likely cause and the option; none for motion that fits.

    Args:
        clip: z up, metres.
    """
    found = []
    body = clip.joints_world_m[:, _HEAD] - clip.joints_world_m[:, _ANKLES].mean(1)
    rise = body[:, 2] / np.maximum(np.linalg.norm(body, axis=-1), 1e-9)
    if (rise < _UPRIGHT).mean() > _MOSTLY:
        how = "are upside down" if (rise < -_UPRIGHT).mean() > _MOSTLY else "lie"
        found.append(
            f"{clip.name}: people {how} in {(rise < _UPRIGHT).mean():.0%} of the frames. Does another axis point up? "
            "Give it with --source-up."
        )
    steps = np.linalg.norm(np.diff(clip.joints_world_m[:, _PELVIS], axis=0), axis=-1)
    speed = float(np.median(steps)) * clip.frame_rate_hz
    if speed > _FASTEST_M_S:
        found.append(
            f"{clip.name}: people move at {speed:.0f} m/s all the time. Is the frame rate right? "
            "Give it with --source-fps where the file does not say it."
        )
    return found
