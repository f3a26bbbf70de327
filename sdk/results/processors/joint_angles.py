"""Joint angles from the 3D joints."""

from __future__ import annotations

import numpy as np

from sdk.results.processors.base import UP, MeasuringProcessor
from sdk.skeletons.skeleton import pose_skeleton


def joint_angles(joints_m: np.ndarray, up: np.ndarray = UP) -> dict[str, float]:
    """Angles of one pose in radians.

    - `SIDE_knee_flexion`, `SIDE_elbow_flexion`: how far the joint is bent; 0 for a straight limb.
    - `SIDE_hip_flexion`: angle between the thigh and the extended line of the trunk (thorax to pelvis); 0 when standing
      upright.
    - `SIDE_shoulder_elevation`: angle between the upper arm and the line of the trunk downwards; 0 for a hanging arm,
      pi/2 for an arm stretched out to any side.
    - `SIDE_ankle_flexion`, only with feet: how far the tip of the foot is drawn up towards the shin; 0 if shin and sole
      are square to each other, negative for a pointed foot.
    - `trunk_lean`: angle between the line from pelvis to thorax and `up`.
    - `trunk_bend`: angle between the lower trunk (pelvis to spine) and the upper trunk (spine to thorax).
    - `hip_shoulder_separation`: rotation of the shoulder line against the hip line about the trunk, right-handed about
      the direction from pelvis to thorax; 0 if both face the same way, in (-pi, pi].

    Args:
        joints_m: (16, 3) metres, H36M-16, or (20, 3) with feet, camera axes x right, y down, z forward.
        up: (3,) direction against gravity in the same axes.

    Returns:
        Radians by name; NaN where two joints of a segment coincide.
    """
    at = dict(zip(pose_skeleton(len(joints_m)).joints, np.asarray(joints_m, np.float64), strict=True))
    trunk = at["thorax"] - at["pelvis"]
    angles = {}
    for side in ("left", "right"):
        hip, knee, ankle = (at[f"{side}_{joint}"] for joint in ("hip", "knee", "ankle"))
        shoulder, elbow, wrist = (at[f"{side}_{joint}"] for joint in ("shoulder", "elbow", "wrist"))
        angles[f"{side}_knee_flexion"] = angle_between(knee - hip, ankle - knee)
        angles[f"{side}_hip_flexion"] = angle_between(-trunk, knee - hip)
        angles[f"{side}_elbow_flexion"] = angle_between(elbow - shoulder, wrist - elbow)
        angles[f"{side}_shoulder_elevation"] = angle_between(-trunk, elbow - shoulder)
        if f"{side}_toe" in at:
            sole = at[f"{side}_toe"] - at[f"{side}_heel"]
            angles[f"{side}_ankle_flexion"] = np.pi / 2 - angle_between(knee - ankle, sole)
    angles["trunk_lean"] = angle_between(up, trunk)
    angles["trunk_bend"] = angle_between(at["spine"] - at["pelvis"], at["thorax"] - at["spine"])
    angles["hip_shoulder_separation"] = turn_about(
        trunk, at["left_hip"] - at["right_hip"], at["left_shoulder"] - at["right_shoulder"]
    )
    return angles


def angle_between(a: np.ndarray, b: np.ndarray) -> float:
    """Angle between two vectors (3,) in [0, pi] radians; NaN if one has no length."""
    lengths = float(np.linalg.norm(a) * np.linalg.norm(b))
    if lengths < 1e-12:
        return float("nan")
    # Not arccos: it is inexact near 0 and pi.
    return float(np.arctan2(np.linalg.norm(np.cross(a, b)), a @ b))


def turn_about(axis: np.ndarray, start: np.ndarray, end: np.ndarray) -> float:
    """Right-handed angle about an axis (3,) from one vector (3,) to another, across it; NaN if one has no length."""
    length = float(np.linalg.norm(axis))
    if length < 1e-12:
        return float("nan")
    axis = axis / length
    start, end = start - (start @ axis) * axis, end - (end @ axis) * axis
    if min(np.linalg.norm(start), np.linalg.norm(end)) < 1e-9:
        return float("nan")
    return float(np.arctan2(np.cross(start, end) @ axis, start @ end))


class JointAngles(MeasuringProcessor):
    """A processor that adds `joint_angles` in radians to every lifted person.

    Args:
        up: (3,) direction against gravity in camera axes, if the camera is not level.

    Raises:
        BadSetting: it is no direction.
    """

    def __init__(self, up: np.ndarray = UP) -> None:
        super().__init__(joint_angles, up=up)
