"""The default clips: forward kinematics against a slow loop in SciPy, and facts that a viewer would see."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation, Slerp

from sdk.errors import BadMotion
from sdk.skeletons.skeleton import H36M16
from training.motion.motion_clip import MotionClip
from training.motion.readers.pybullet.humanoid_clips import humanoid_files, load_humanoid_clips, read_humanoid_clip
from training.motion.readers.pybullet.humanoid_model import (
    ROTATED_JOINTS,
    HumanoidModel,
    forward_kinematics,
    read_humanoid,
    rotations_to_quaternions,
)

# DeepMimic's humanoid in metres (its paper's data, data/characters/humanoid3d.txt), typed by hand.
CHEST, NECK, HIP, KNEE, ANKLE = 0.236151, 0.223894, 0.084887, 0.421546, 0.409870
SHOULDER, ELBOW, WRIST = (-0.024050, 0.243500, 0.183110), 0.274788, 0.258947


@pytest.fixture(scope="module")
def model() -> HumanoidModel:
    return read_humanoid(humanoid_files()[0])


@pytest.fixture(scope="module")
def clips() -> dict[str, MotionClip]:
    return {clip.name: clip for clip in load_humanoid_clips()}


def at_rest() -> np.ndarray:
    """A frame's 40 rotation numbers, all zero turns."""
    return np.concatenate([[1.0, 0, 0, 0] if "knee" not in j and "elbow" not in j else [0.0] for j in ROTATED_JOINTS])


def place(name: str) -> int:
    widths = [1 if "knee" in joint or "elbow" in joint else 4 for joint in ROTATED_JOINTS]
    return sum(widths[: ROTATED_JOINTS.index(name)])


def joint(pose: torch.Tensor, name: str) -> np.ndarray:
    return pose[0, H36M16.index(name)].numpy()


def test_a_person_at_rest_has_the_published_lengths(model: HumanoidModel) -> None:
    pose = forward_kinematics(model, torch.zeros(1, 3), rotations_to_quaternions(model, at_rest()[None]))
    np.testing.assert_allclose(joint(pose, "pelvis"), 0, atol=1e-6)
    np.testing.assert_allclose(joint(pose, "right_ankle"), [0, -KNEE - ANKLE, HIP], atol=1e-5)
    wrist = [SHOULDER[0], CHEST + SHOULDER[1] - ELBOW - WRIST, -SHOULDER[2]]
    np.testing.assert_allclose(joint(pose, "left_wrist"), wrist, atol=1e-5)
    np.testing.assert_allclose(joint(pose, "head"), [0, CHEST + NECK + 0.175, 0], atol=1e-5)


def test_a_knee_bent_by_hand(model: HumanoidModel) -> None:
    numbers = at_rest()
    numbers[place("right_knee")] = -0.6
    pose = forward_kinematics(model, torch.zeros(1, 3), rotations_to_quaternions(model, numbers[None]))
    # The shin swings back (x is forward) and up.
    expected = [-ANKLE * np.sin(0.6), -KNEE - ANKLE * np.cos(0.6), HIP]
    np.testing.assert_allclose(joint(pose, "right_ankle"), expected, atol=1e-5)


def test_forward_kinematics_equals_a_chain_of_scipy_rotations(model: HumanoidModel) -> None:
    random = np.random.default_rng(0)
    numbers = at_rest()
    turn = {name: Rotation.random(random_state=random) for name in ROTATED_JOINTS}
    for name in ROTATED_JOINTS:
        if "knee" in name or "elbow" in name:
            angle = random.uniform(-2, 2)
            turn[name] = Rotation.from_rotvec([0, 0, angle])
            numbers[place(name)] = angle
        else:
            x, y, z, w = turn[name].as_quat()
            numbers[place(name) : place(name) + 4] = w, x, y, z
    root = np.array([0.3, 0.9, -0.2])
    pose = forward_kinematics(model, torch.from_numpy(root)[None], rotations_to_quaternions(model, numbers[None]))

    chest = turn["root"] * turn["chest"]
    arm = chest * turn["left_shoulder"]
    shoulder = root + turn["root"].apply([0, CHEST, 0]) + chest.apply([SHOULDER[0], SHOULDER[1], -SHOULDER[2]])
    elbow = shoulder + arm.apply([0, -ELBOW, 0])
    wrist = elbow + (arm * turn["left_elbow"]).apply([0, -WRIST, 0])
    thigh = turn["root"] * turn["right_hip"]
    ankle = root + turn["root"].apply([0, 0, HIP]) + thigh.apply([0, -KNEE, 0])
    ankle = ankle + (thigh * turn["right_knee"]).apply([0, -ANKLE, 0])
    neck = root + turn["root"].apply([0, CHEST, 0]) + chest.apply([0, NECK, 0])
    for name, expected in {
        "left_shoulder": shoulder,
        "left_elbow": elbow,
        "left_wrist": wrist,
        "right_ankle": ankle,
        "head": neck + (chest * turn["neck"]).apply([0, 0.175, 0]),
    }.items():
        np.testing.assert_allclose(joint(pose, name), expected, atol=1e-5)


def test_frames_between_are_turned_on_the_sphere(model: HumanoidModel, tmp_path: Path) -> None:
    start, end = Rotation.from_rotvec([0.2, 0.5, -0.4]), Rotation.from_rotvec([1.1, -0.3, 0.9])
    frames = []
    for rotation, sign in ((start, 1), (end, -1)):  # the other sign is the same rotation
        numbers = at_rest()
        x, y, z, w = sign * rotation.as_quat()
        numbers[place("right_hip") : place("right_hip") + 4] = w, x, y, z
        frames.append([0.1, 0, 0, 0, *numbers])
    (tmp_path / "humanoid3d_turn.txt").write_text(json.dumps({"Loop": "none", "Frames": frames}))
    clip = read_humanoid_clip(tmp_path / "humanoid3d_turn.txt", model)
    assert (clip.name, clip.joints_world_m.shape, clip.frame_rate_hz) == ("turn", (6, 16, 3), 50)
    slerp = Slerp([0, 0.1], Rotation.concatenate([start, end]))
    knee = slerp(np.arange(6) / 50).apply([0, -KNEE, 0]) + np.array([0, 0, HIP])
    in_z_up = np.stack([knee[:, 0], -knee[:, 2], knee[:, 1]], -1)
    np.testing.assert_allclose(clip.joints_world_m[:, H36M16.index("right_knee")], in_z_up, atol=1e-5)


def test_bones_keep_their_lengths(clips: dict[str, MotionClip]) -> None:
    rigid = [b for b in H36M16.bones if H36M16.joints[b[1]] not in ("spine", "thorax", "head")]
    for clip in clips.values():
        bones = np.stack([clip.joints_world_m[:, child] - clip.joints_world_m[:, parent] for parent, child in rigid], 1)
        length = np.linalg.norm(bones, axis=-1)
        np.testing.assert_allclose(length, np.broadcast_to(length[:1], length.shape), atol=2e-6)


def test_the_person_is_an_adult_of_ordinary_height(clips: dict[str, MotionClip]) -> None:
    """The published lengths times 1.70 / 1.62: from the soles, 5 cm under the ankles, to the crown, 27.75 cm above the
    neck, the published humanoid measures 1.62 m."""
    assert pytest.approx(1.62, abs=0.005) == 0.05 + ANKLE + KNEE + CHEST + NECK + 0.2775
    for clip in clips.values():
        shin = clip.joints_world_m[:, H36M16.index("left_ankle")] - clip.joints_world_m[:, H36M16.index("left_knee")]
        np.testing.assert_allclose(np.linalg.norm(shin, axis=-1), ANKLE * 1.70 / 1.62, atol=2e-5)


def test_who_walks_is_upright_on_the_ground_and_bends_the_knees_backwards(clips: dict[str, MotionClip]) -> None:
    walk = {name: clips["walk"].joints_world_m[:, i] for i, name in enumerate(H36M16.joints)}
    assert len(walk["pelvis"]) / 50 > 4  # a cycle of 1.27 s, played until windows fit in
    ankles = np.stack([walk["left_ankle"], walk["right_ankle"]])[..., 2]
    assert 0 < ankles.min() < 0.1
    assert ankles.min(0).max() < 0.15
    assert (np.abs(walk["head"][:, 2] - 1.56) < 0.05).all()  # the head's centre; the crown is 10 cm higher
    forward = walk["pelvis"][-1] - walk["pelvis"][0]
    assert forward[0] / (len(walk["pelvis"]) / 50) == pytest.approx(1.0, abs=0.2)  # metres a second, along x
    assert abs(forward[1]) < 0.3
    assert (walk["left_hip"][:, 1] > walk["right_hip"][:, 1]).all()  # y is to the left of x
    for side in ("left", "right"):
        thigh, shin = walk[f"{side}_knee"] - walk[f"{side}_hip"], walk[f"{side}_ankle"] - walk[f"{side}_knee"]
        # Seen from the right (x right, z up): a shin that turns clockwise from the thigh has its foot behind.
        bend = np.arctan2(thigh[:, 2] * shin[:, 0] - thigh[:, 0] * shin[:, 2], (thigh * shin).sum(-1))
        assert bend.max() > 0.9
        assert bend.min() > -0.1
        upper, fore = walk[f"{side}_elbow"] - walk[f"{side}_shoulder"], walk[f"{side}_wrist"] - walk[f"{side}_elbow"]
        bend = np.arctan2(upper[:, 2] * fore[:, 0] - upper[:, 0] * fore[:, 2], (upper * fore).sum(-1))
        assert bend.max() < 0.1


def test_cycles_join_without_a_jump_and_go_on(clips: dict[str, MotionClip]) -> None:
    for name in ("walk", "run"):
        pelvis = clips[name].joints_world_m[:, 0]
        speed = np.linalg.norm(np.diff(pelvis, axis=0), axis=-1) * 50
        assert speed.min() > 0.6 * np.median(speed)
        assert speed.max() < 1.5 * np.median(speed)


def test_known_moves(clips: dict[str, MotionClip]) -> None:
    assert {"walk", "run", "cartwheel", "backflip", "kick", "crawl"} <= set(clips)
    head, pelvis = H36M16.index("head"), H36M16.index("pelvis")
    for name in ("cartwheel", "backflip", "roll"):
        up = clips[name].joints_world_m[:, head, 2] - clips[name].joints_world_m[:, pelvis, 2]
        assert up.min() < -0.2, name
        assert up[0] > 0.5, name
    kick = clips["kick"].joints_world_m
    assert kick[:, H36M16.index("right_ankle"), 2].max() > 0.8
    assert kick[:, H36M16.index("left_ankle"), 2].max() < 0.4
    assert clips["crawl"].joints_world_m[..., 2].max() < 0.7


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("no json", "not a humanoid motion clip"),
        ('{"Loop": "none", "Frames": [[0.1, 1], [0.1, 2]]}', "44"),
        (json.dumps({"Loop": "none", "Frames": [[0.0] * 44] * 3}), "no duration"),
    ],
)
def test_other_files_are_refused(model: HumanoidModel, tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "clip.txt").write_text(content)
    with pytest.raises(BadMotion, match=message):
        read_humanoid_clip(tmp_path / "clip.txt", model)


def test_a_model_of_another_scale_is_refused(tmp_path: Path) -> None:
    urdf = (humanoid_files()[0]).read_bytes().replace(b"-1.6", b"-0.4")
    (tmp_path / "humanoid.urdf").write_bytes(urdf)
    with pytest.raises(BadMotion, match="leg"):
        read_humanoid(tmp_path / "humanoid.urdf")
    with pytest.raises(BadMotion, match="can't be read"):
        read_humanoid(tmp_path / "missing.urdf")
