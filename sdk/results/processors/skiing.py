"""Measures for ski coaching, as far as a skeleton shows them."""

from __future__ import annotations

from functools import partial

import numpy as np

from sdk.results.processors.base import UP, MeasuringProcessor, checked_direction
from sdk.results.processors.joint_angles import angle_between, turn_about
from sdk.skeletons.skeleton import pose_skeleton


def skiing_measures(joints_m: np.ndarray, up: np.ndarray = UP, ground: np.ndarray | None = None) -> dict[str, float]:
    """Estimates of the edge angle and of the turning technique, in radians.

    The skis are not seen. But a stiff boot ties the lower leg to the ski, so the inclination of the lower leg against
    the vertical is closest to the edge angle on level ground. On a slope, give its normal as `ground`: measures of the
    feet are against it.

    - `SIDE_leg_inclination`: lower leg (ankle to knee) against `up`.
    - `leg_inclination`: line from the middle of the ankles to the pelvis against `up`. It shows how far the body leans
      into the turn.
    - `SIDE_knee_flexion`: 0 for a straight leg.
    - `hip_shoulder_separation`: rotation of the shoulder line against the hip line about the trunk; see `joint_angles`.
    - `SIDE_foot_slope`, only with feet: the sole (heel to tip of the toes) against the horizontal; positive if the tip
      is higher.
    - `SIDE_foot_to_ground`, only with feet: the sole against the ground; positive if the tip is farther from it.
    - `SIDE_edge_angle`, only with feet: how far the foot is rolled about its own length, from standing flat; positive
      towards its inner edge (the big toe's). It is the edge angle of the ski as far as the boot shows it.
    - `SIDE_shin_edge_angle`, only with feet: the same of the lower leg, rolled about the length of the foot from
      standing square to the ground. It trembles less: the lower leg is five times as long.
    - `angulation`: angle between the line of the legs (ankles to pelvis) and that of the trunk; 0 for a body in one
      line.

    Args:
        joints_m: (16, 3) metres, H36M-16, or (20, 3) with feet, camera axes x right, y down, z forward.
        up: (3,) direction against gravity in the same axes.
        ground: (3,) normal of the slope, away from the snow; None for level ground, which is `up`.

    Returns:
        Radians by name; NaN where two joints of a segment coincide.
    """
    normal = up if ground is None else np.asarray(ground, np.float64)
    at = dict(zip(pose_skeleton(len(joints_m)).joints, np.asarray(joints_m, np.float64), strict=True))
    trunk = at["thorax"] - at["pelvis"]
    legs = at["pelvis"] - (at["left_ankle"] + at["right_ankle"]) / 2
    measures = {}
    for side in ("left", "right"):
        hip, knee, ankle = (at[f"{side}_{joint}"] for joint in ("hip", "knee", "ankle"))
        measures[f"{side}_leg_inclination"] = angle_between(up, knee - ankle)
        measures[f"{side}_knee_flexion"] = angle_between(knee - hip, ankle - knee)
        if f"{side}_toe" in at:
            sole, up_of_foot = at[f"{side}_toe"] - at[f"{side}_heel"], ankle - at[f"{side}_heel"]
            measures[f"{side}_foot_slope"] = np.pi / 2 - angle_between(up, sole)
            measures[f"{side}_foot_to_ground"] = np.pi / 2 - angle_between(normal, sole)
            inwards = 1.0 if side == "left" else -1.0
            measures[f"{side}_edge_angle"] = inwards * turn_about(sole, normal, up_of_foot)
            measures[f"{side}_shin_edge_angle"] = inwards * turn_about(sole, normal, knee - ankle)
    measures["leg_inclination"] = angle_between(up, legs)
    measures["hip_shoulder_separation"] = turn_about(
        trunk, at["left_hip"] - at["right_hip"], at["left_shoulder"] - at["right_shoulder"]
    )
    measures["angulation"] = angle_between(legs, trunk)
    return measures


class SkiingMeasures(MeasuringProcessor):
    """A processor that adds `skiing_measures` in radians to every lifted person. Names begin with `ski_`.

    Args:
        up: (3,) direction against gravity in camera axes, if the camera is not level.
        ground: (3,) normal of the slope in the same axes; None for level ground.

    Raises:
        BadSetting: one of them is no direction.
    """

    def __init__(self, up: np.ndarray = UP, ground: np.ndarray | None = None) -> None:
        normal = None if ground is None else checked_direction("ground", ground)
        super().__init__(partial(skiing_measures, ground=normal), "ski_", up)
