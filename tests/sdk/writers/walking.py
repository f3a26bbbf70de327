"""Results of a rigid person who turns and swings, for writers."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from sdk.results.pose_frame import LiftStatus, PersonPose, PoseFrame, StageTimes
from sdk.skeletons.skeleton import H36M16

REST = {
    "pelvis": (0, 0, 0),
    "right_hip": (-0.13, 0, 0),
    "left_hip": (0.13, 0, 0),
    "right_knee": (-0.13, -0.44, 0),
    "left_knee": (0.13, -0.44, 0),
    "right_ankle": (-0.13, -0.86, 0),
    "left_ankle": (0.13, -0.86, 0),
    "spine": (0, 0.22, 0),
    "thorax": (0, 0.47, 0),
    "head": (0, 0.7, 0),
    "left_shoulder": (0.16, 0.47, 0),
    "left_elbow": (0.44, 0.47, 0),
    "left_wrist": (0.69, 0.47, 0),
    "right_shoulder": (-0.16, 0.47, 0),
    "right_elbow": (-0.44, 0.47, 0),
    "right_wrist": (-0.69, 0.47, 0),
}
"""A T-pose in metres, y up."""
LENGTH_M = {
    "right_hip": 0.13, "left_hip": 0.13, "right_knee": 0.44, "left_knee": 0.44, "right_ankle": 0.42, "left_ankle": 0.42,
    "spine": 0.22, "thorax": 0.25, "head": 0.23, "left_shoulder": 0.16, "left_elbow": 0.28, "left_wrist": 0.25,
    "right_shoulder": 0.16, "right_elbow": 0.28, "right_wrist": 0.25,
}  # fmt: skip


def rigid_pose(seed: int) -> np.ndarray:
    """(16, 3) metres in camera axes (y down): every joint of the T-pose turned at random, the root included."""
    rng = np.random.default_rng(seed)
    rest = np.array([REST[joint] for joint in H36M16.joints])
    turned = [Rotation.identity()] * len(rest)
    placed = np.zeros_like(rest)
    for joint, parent in enumerate(H36M16.parents):
        own = Rotation.from_rotvec(rng.normal(0, 0.6, 3))
        if parent < 0:
            turned[joint] = own
        else:
            placed[joint] = placed[parent] + turned[parent].apply(rest[joint] - rest[parent])
            turned[joint] = turned[parent] * own
    return (placed * [1, -1, -1]).astype(np.float32)


def with_feet(joints_m: np.ndarray, turn_rad: float = 0.4) -> np.ndarray:
    """(16, 3) in camera axes to (20, 3): feet of 7 cm under the ankles, turned about the vertical."""
    forward = np.array([np.sin(turn_rad), 0, -np.cos(turn_rad)])
    down = np.array([0.0, 1.0, 0.0])
    feet = [
        joints_m[H36M16.index(f"{side}_ankle")] + place
        for side in ("right", "left")
        for place in (0.065 * down - 0.045 * forward, 0.03 * down + 0.167 * forward)
    ]
    return np.concatenate([joints_m, feet]).astype(np.float32)


def person(track_id: int, joints_m: np.ndarray | None, status: LiftStatus | None = None) -> PersonPose:
    """A person with 2D of their own."""
    rng = np.random.default_rng(track_id)
    keypoints = rng.uniform(0, 300, (17, 2)).astype(np.float32)
    box = np.array([10, 20, 110, 220], np.float32)
    scores = rng.uniform(0.1, 1, 17).astype(np.float32)
    status = status or (LiftStatus.TOO_SHORT if joints_m is None else LiftStatus.LIFTED)
    return PersonPose(track_id, box, keypoints, scores, status, joints_m, visibility=scores[:16])


def result(index: int, timestamp_s: float, *people: PersonPose) -> PoseFrame:
    """A result with those people."""
    image = np.zeros((48, 64, 3), np.uint8)
    return PoseFrame(index, timestamp_s, image, people, len(people), StageTimes(0, 0, 0, 0), 0.52)
