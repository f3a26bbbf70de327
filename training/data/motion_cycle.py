"""A clip of one cycle (two steps of walking) played several times, where its end leads on to its beginning."""

from __future__ import annotations

import numpy as np

REPEATED_TO_S = 4.0
"""Two windows at half speed: in a shorter clip most windows would repeat their edge frame."""


def cycles_to_play(joints: np.ndarray, times_s: np.ndarray, seam_s: float) -> int:
    """How often to play a clip: once, if the jump from its end to its beginning is faster than anything within it.

    Args:
        joints: (T, J, 3) positions.
        times_s: (T,) increasing.
        seam_s: Time from the last frame to the first of the next cycle.
    """
    pose = joints - joints[:, :1]
    step_s = np.diff(times_s)
    speed = np.linalg.norm(np.diff(pose, axis=0), axis=-1) / step_s[:, None]
    seam_speed = np.linalg.norm(pose[0] - pose[-1], axis=-1).max() / seam_s
    if seam_speed > speed.max():
        return 1
    return max(1, int(np.ceil(REPEATED_TO_S / (times_s[-1] + seam_s))))


def travel_per_cycle(root: np.ndarray, times_s: np.ndarray, seam_s: float) -> np.ndarray:
    """How far a cycle carries the root (T, 3); over the seam it goes on at the mean velocity of both sides."""
    first, last = (root[1] - root[0]) / (times_s[1] - times_s[0]), (root[-1] - root[-2]) / (times_s[-1] - times_s[-2])
    return root[-1] - root[0] + (first + last) / 2 * seam_s
