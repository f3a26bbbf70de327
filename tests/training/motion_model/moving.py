"""Somebody who walks in a circle and swings the arms: motion that is known in closed form."""

import numpy as np

from sdk.skeletons.skeleton import H36M16
from tests.training.motion.clips import STANDING
from training.motion.motion_clip import MotionClip

RATE_HZ = 50.0


def walking(name="01_01", seconds=6.0, turn_rate=0.7, speed=1.2, swing=0.5, phase=0.0):
    """Legs and arms turn rigidly about hips and shoulders, so that bones keep their lengths."""
    time = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    joints = np.repeat(STANDING[None].astype(np.float64), len(time), 0)
    forward = facing(STANDING)
    for side, sign in (("left", 1.0), ("right", -1.0)):
        for root, below, way in (("hip", ("knee", "ankle"), 1.0), ("shoulder", ("elbow", "wrist"), -1.0)):
            angle = way * sign * swing * np.sin(2 * np.pi * 0.9 * time + phase)
            pivot = joints[:, H36M16.index(f"{side}_{root}")]
            for joint in below:
                index = H36M16.index(f"{side}_{joint}")
                hanging = joints[:, index] - pivot
                down = hanging[:, 2]
                along = hanging @ forward
                joints[:, index] += np.outer(np.cos(angle) * along - np.sin(angle) * down - along, forward)
                joints[:, index, 2] += np.sin(angle) * along + np.cos(angle) * down - down
    yaw = turn_rate * time
    cos, sin = np.cos(yaw)[:, None], np.sin(yaw)[:, None]
    pelvis = joints[:, :1].copy()
    x, y = (joints - pelvis)[..., 0], (joints - pelvis)[..., 1]
    turned = np.stack([cos * x - sin * y, sin * x + cos * y, (joints - pelvis)[..., 2]], -1)
    way = speed / turn_rate * np.stack([np.sin(yaw), 1 - np.cos(yaw), 0 * yaw], 1)
    start = np.arctan2(forward[1], forward[0])
    path = np.stack([
        np.cos(start) * way[:, 0] - np.sin(start) * way[:, 1], np.sin(start) * way[:, 0] + np.cos(start) * way[:, 1],
        way[:, 2],
    ], 1)  # fmt: skip
    return MotionClip(name, (turned + pelvis + path[:, None]).astype(np.float32), RATE_HZ)


def facing(pose):
    """(3,) where a pose (16, 3) looks: the floor direction to the right of its left."""
    left = pose[H36M16.index("left_hip")] - pose[H36M16.index("right_hip")]
    return np.array([left[1], -left[0], 0.0]) / np.hypot(*left[:2])
