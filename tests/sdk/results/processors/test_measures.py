"""Angles worked out by hand, that do not change as the body turns; and how they reach the results."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from sdk.errors import UnknownMeasurement
from sdk.results.processors.base import Processor
from sdk.results.processors.joint_angles import JointAngles, joint_angles
from sdk.results.processors.skiing import SkiingMeasures, skiing_measures
from sdk.skeletons.skeleton import H36M16, H36M20
from tests.sdk.writers.walking import REST, person, result

STANDING = np.array([REST[joint] for joint in H36M16.joints]) * [1, -1, -1]
"""A T-pose before the camera, y down; the person's left is at +x as the camera sees them from the front."""


def moved(pose: np.ndarray, **joints: tuple[float, float, float]) -> np.ndarray:
    pose = pose.copy()
    for joint, place in joints.items():
        pose[H36M16.index(joint)] = np.array(place) * [1, -1, -1]
    return pose


def test_standing_with_arms_out() -> None:
    angles = joint_angles(STANDING)
    for name in ("left_knee_flexion", "right_hip_flexion", "left_elbow_flexion", "trunk_lean", "trunk_bend"):
        assert angles[name] == pytest.approx(0, abs=1e-9)
    assert angles["left_shoulder_elevation"] == pytest.approx(np.pi / 2)
    assert angles["hip_shoulder_separation"] == pytest.approx(0, abs=1e-9)


def test_bent_limbs() -> None:
    # The left lower leg 0.6 rad backwards, the right forearm at 1.1 rad, the trunk 0.3 rad to the side.
    back, arm = 0.6, 1.1
    pose = moved(
        STANDING,
        left_ankle=(0.13, -0.44 - 0.42 * np.cos(back), -0.42 * np.sin(back)),
        right_wrist=(-0.44 - 0.25 * np.cos(arm), 0.47 + 0.25 * np.sin(arm), 0),
    )
    angles = joint_angles(pose)
    assert angles["left_knee_flexion"] == pytest.approx(back)
    assert angles["right_knee_flexion"] == pytest.approx(0, abs=1e-9)
    assert angles["right_elbow_flexion"] == pytest.approx(arm)
    leaning = STANDING @ Rotation.from_rotvec([0, 0, 0.3]).as_matrix().T
    assert joint_angles(leaning)["trunk_lean"] == pytest.approx(0.3)
    assert joint_angles(leaning, up=Rotation.from_rotvec([0, 0, 0.3]).apply([0, -1, 0]))["trunk_lean"] < 1e-6


def test_shoulders_turned_against_the_hips() -> None:
    """By 0.5 rad about the upward trunk: in camera axes, up is -y."""
    pose = STANDING.copy()
    upper = [H36M16.index(f"{side}_{joint}") for side in ("left", "right") for joint in ("shoulder", "elbow", "wrist")]
    pose[upper] = Rotation.from_rotvec([0, -0.5, 0]).apply(pose[upper])
    assert joint_angles(pose)["hip_shoulder_separation"] == pytest.approx(0.5)
    assert skiing_measures(pose)["hip_shoulder_separation"] == pytest.approx(0.5)


def test_angles_between_bones_do_not_change_as_the_body_turns() -> None:
    rng = np.random.default_rng(0)
    pose = STANDING + rng.normal(0, 0.1, STANDING.shape)
    turned = Rotation.random(random_state=1).apply(pose)
    before, after = joint_angles(pose), joint_angles(turned)
    for name in before.keys() - {"trunk_lean"}:
        assert after[name] == pytest.approx(before[name], abs=1e-9), name


def test_skier_in_a_turn() -> None:
    """Legs inclined by 0.7 rad, the trunk by 0.2: 0.5 rad of angulation."""
    legs = ("left_hip", "left_knee", "left_ankle", "right_hip", "right_knee", "right_ankle")
    upper, lower = (Rotation.from_rotvec([0, 0, angle]) for angle in (0.2, 0.7))
    pose = upper.apply(STANDING)
    for joint in legs:
        pose[H36M16.index(joint)] = lower.apply(STANDING[H36M16.index(joint)])
    measures = skiing_measures(pose)
    assert measures["left_leg_inclination"] == pytest.approx(0.7)
    assert measures["leg_inclination"] == pytest.approx(0.7)
    assert measures["angulation"] == pytest.approx(0.5)
    assert measures["right_knee_flexion"] == pytest.approx(0, abs=1e-6)


def standing_with_feet() -> np.ndarray:
    """In camera axes (y down), facing the camera: feet point to -z, soles level."""
    feet = []
    for side in ("right", "left"):
        ankle = STANDING[H36M16.index(f"{side}_ankle")]
        feet += [ankle + np.array([0, 0.07, 0.045]), ankle + np.array([0, 0.07, -0.165])]
    return np.concatenate([STANDING, feet])


def of_foot(side: str) -> list[int]:
    return [H36M20.index(f"{side}_{joint}") for joint in ("ankle", "heel", "toe")]


def turned_foot(pose: np.ndarray, side: str, rotvec: list[float]) -> np.ndarray:
    """The foot turned about its ankle."""
    pose, foot = pose.copy(), of_foot(side)
    ankle = pose[foot[0]]
    pose[foot] = ankle + Rotation.from_rotvec(rotvec).apply(pose[foot] - ankle)
    return pose


def test_feet_that_stand_flat() -> None:
    angles, measures = joint_angles(standing_with_feet()), skiing_measures(standing_with_feet())
    for side in ("left", "right"):
        assert angles[f"{side}_ankle_flexion"] == pytest.approx(0, abs=1e-9)
        for name in ("foot_slope", "foot_to_ground", "edge_angle", "shin_edge_angle"):
            assert measures[f"{side}_{name}"] == pytest.approx(0, abs=1e-9), name


def test_toes_up_by_0_3_and_down_by_0_6_rad() -> None:
    """In camera axes, a turn about +x takes the toes, at -z, down (+y)."""
    pose = turned_foot(turned_foot(standing_with_feet(), "left", [-0.3, 0, 0]), "right", [0.6, 0, 0])
    tips = pose[[H36M20.index("left_toe"), H36M20.index("right_toe")], 1]
    assert tips[0] < pose[H36M20.index("left_heel"), 1]  # y down: the left tip is higher than its heel
    assert tips[1] > pose[H36M20.index("right_heel"), 1]
    angles, measures = joint_angles(pose), skiing_measures(pose)
    assert angles["left_ankle_flexion"] == pytest.approx(0.3)
    assert angles["right_ankle_flexion"] == pytest.approx(-0.6)
    assert measures["left_foot_slope"] == pytest.approx(0.3)
    assert measures["right_foot_slope"] == pytest.approx(-0.6)
    assert measures["left_edge_angle"] == pytest.approx(0, abs=1e-9)
    assert measures["left_shin_edge_angle"] == pytest.approx(0, abs=1e-9)


def test_a_knee_before_the_toes_bends_the_ankle() -> None:
    """The shin leans forward by 0.4 rad over a level sole."""
    pose, shin = standing_with_feet(), 0.42
    pose[H36M20.index("left_knee")] = pose[H36M20.index("left_ankle")] + shin * np.array(
        [0, -np.cos(0.4), -np.sin(0.4)]
    )
    assert joint_angles(pose)["left_ankle_flexion"] == pytest.approx(0.4)
    assert skiing_measures(pose)["left_foot_slope"] == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(("side", "inwards"), [("left", -1.0), ("right", 1.0)])
def test_on_the_inner_edge_by_0_5_rad(side: str, inwards: float) -> None:
    """Facing the camera, the person's left foot is at +x; rolled inwards its top leans towards -x."""
    pose = turned_foot(standing_with_feet(), side, [0, 0, inwards * 0.5])
    heel, ankle = pose[H36M20.index(f"{side}_heel")], pose[H36M20.index(f"{side}_ankle")]
    assert np.sign(ankle[0] - heel[0]) == inwards
    measures = skiing_measures(pose)
    assert measures[f"{side}_edge_angle"] == pytest.approx(0.5)
    assert measures[f"{side}_foot_slope"] == pytest.approx(0, abs=1e-9)
    assert measures[f"{side}_shin_edge_angle"] == pytest.approx(0, abs=1e-9)
    leg = pose.copy()
    knee, ankle_at = H36M20.index(f"{side}_knee"), H36M20.index(f"{side}_ankle")
    leg[knee] = leg[ankle_at] + Rotation.from_rotvec([0, 0, inwards * 0.7]).apply(pose[knee] - pose[ankle_at])
    assert skiing_measures(leg)[f"{side}_shin_edge_angle"] == pytest.approx(0.7)


def test_against_a_slope_across_and_along() -> None:
    """On a slope of 0.2 rad that falls to +x, flat feet stand on their uphill edges; of the left foot the inner one."""
    pose = standing_with_feet()
    normal = Rotation.from_rotvec([0, 0, 0.2]).apply([0, -1, 0])
    assert normal[0] > 0  # it leans to where the slope falls
    measures = skiing_measures(pose, ground=normal)
    assert measures["left_edge_angle"] == pytest.approx(0.2)
    assert measures["right_edge_angle"] == pytest.approx(-0.2)
    assert measures["left_shin_edge_angle"] == pytest.approx(0.2)
    downhill = Rotation.from_rotvec([0.25, 0, 0]).apply([0, -1, 0])
    assert downhill[2] < 0  # falls to where the toes point
    measures = skiing_measures(pose, ground=downhill)
    assert measures["left_foot_to_ground"] == pytest.approx(0.25)
    assert measures["left_foot_slope"] == pytest.approx(0, abs=1e-9)
    frame = SkiingMeasures(ground=downhill).process(result(0, 0.0, person(1, pose.astype(np.float32))))
    assert frame.people[0].measurement("ski_right_foot_to_ground") == pytest.approx(0.25, abs=1e-5)


def test_joints_that_coincide_have_no_angle() -> None:
    assert np.isnan(joint_angles(np.zeros((16, 3)))["left_knee_flexion"])
    assert np.isnan(joint_angles(np.zeros((16, 3)))["hip_shoulder_separation"])


def test_processors_add_to_lifted_people_only() -> None:
    angles, skiing = JointAngles(), SkiingMeasures()
    assert isinstance(angles, Processor)
    lifted = person(1, STANDING.astype(np.float32))
    out = skiing.process(angles.process(result(0, 0.0, lifted, person(2, None))))
    assert out.people[0].measurement("left_shoulder_elevation") == pytest.approx(np.pi / 2, abs=1e-6)
    assert out.people[0].measurement("ski_left_leg_inclination") == pytest.approx(0, abs=1e-6)
    assert out.people[1].measurements == ()
    with pytest.raises(UnknownMeasurement, match=r"'knee' is not a known measurement\. Known: left_knee"):
        out.people[0].measurement("knee")
