"""Which heels and toes stand on the ground, from motion capture: near the floor and hardly moving."""

from __future__ import annotations

import numpy as np

from sdk.lifting.answers import FEET_IN_CONTACT
from sdk.skeletons.skeleton import H36M20
from training.motion.motion_clip import MotionClip, on_the_floor

HIGHEST_M = {"heel": 0.05, "toe": 0.085}
"""Highest point over the floor at which they still stand. Standing, capture has toes 4 to 5 cm over it."""
FASTEST_M_S = 0.35
"""Highest speed at which they still stand. A walking foot swings at several metres a second."""


def ground_contact(clip: MotionClip) -> np.ndarray:
    """(T, 4) bool for the joints of `FEET_IN_CONTACT`.

    Args:
        clip: H36M-20; its floor is where its lowest joint mostly is.
    """
    joints = on_the_floor(clip).joints_world_m[:, [H36M20.index(joint) for joint in FEET_IN_CONTACT]]
    speed = np.linalg.norm(np.gradient(joints, 1 / clip.frame_rate_hz, axis=0), axis=-1)
    highest = np.array([HIGHEST_M[joint.split("_")[1]] for joint in FEET_IN_CONTACT])
    return (joints[..., 2] < highest) & (speed < FASTEST_M_S)
