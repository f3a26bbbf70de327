"""Feet of source motion: where the heel lies, which feet stand, and that feet go with their legs."""

import dataclasses

import numpy as np
import pytest
import torch

from sdk.errors import BadMotion
from sdk.skeletons.skeleton import H36M16, H36M20
from tests.training.motion.clips import STANDING, moving_clip
from training.geometry.bones import bone_lengths, bones_to_joints, joints_to_bones, scale_bones
from training.motion.body_variation import mirrored, vary_bodies
from training.motion.feet import HEEL_BEHIND_M, HEEL_UNDER_M, heel, with_feet
from training.motion.ground_contact import ground_contact
from training.motion.limb_swap import FEET, swap_limbs


def feet_of(clip):
    """Ball and tip of both feet: a sole that lies flat, 12 cm from ankle to ball, toes to y."""
    ankles = clip.joints_world_m[:, [H36M16.index("left_ankle"), H36M16.index("right_ankle")]]
    ball = ankles + np.array([0, np.sqrt(0.12**2 - 0.03**2), -0.03], np.float32)
    return np.concatenate([ball, ball + np.array([0, 0.06, 0], np.float32)], 1).astype(np.float32)


@pytest.fixture
def clips(tmp_path):
    clips = [moving_clip("02_01", 30, 50.0, 0.0), moving_clip("05_01", 30, 50.0, 0.0, velocity=0.0)]
    np.savez(tmp_path / "feet.npz", **{clip.name: feet_of(clip) for clip in clips})
    return clips, tmp_path / "feet.npz"


def test_a_heel_lies_behind_and_under_the_ankle_of_a_standing_foot():
    ankle = np.array([[0.0, 0.0, 0.07]])
    ball = ankle + np.array([0.0, np.sqrt(0.12**2 - 0.03**2), -0.03])
    place = heel(np.array([[0.0, 0.0, 0.5]]), ankle, ball, np.zeros(2))
    np.testing.assert_allclose(place, [[0, -HEEL_BEHIND_M[0], 0.07 - HEEL_UNDER_M[0]]], atol=1e-6)


def test_a_heel_turns_with_its_foot():
    """Pointing the foot down by 0.6 rad turns the heel about the ankle by 0.6 rad, up and back."""
    knee, ankle = np.array([[0.0, 0.0, 0.43]]), np.zeros((1, 3))

    def turned(angle):
        level = np.arcsin(0.03 / 0.12) + angle
        ball = 0.12 * np.array([[0.0, np.cos(level), -np.sin(level)]])
        return heel(knee, ankle, ball, np.zeros(2))[0, 1:]

    flat, pointed = turned(0.0), turned(0.6)
    rotation = np.array([[np.cos(0.6), np.sin(0.6)], [-np.sin(0.6), np.cos(0.6)]])
    np.testing.assert_allclose(pointed, rotation @ flat, atol=1e-6)
    assert pointed[1] > flat[1]


def test_clips_get_their_feet(clips):
    plain, path = clips
    walking, standing = with_feet(plain, path)
    for clip, before in ((walking, plain[0]), (standing, plain[1])):
        np.testing.assert_array_equal(clip.joints_world_m[:, :16], before.joints_world_m)
        toe = clip.joints_world_m[:, H36M20.index("left_toe")]
        np.testing.assert_allclose(toe, feet_of(before)[:, 2], atol=1e-6)
    under = (clip.joints_world_m[0, H36M20.index("right_heel")] for clip in (walking, standing))
    assert not np.allclose(*under), "heels differ from person to person"


def test_a_file_of_feet_that_does_not_fit_is_named(clips, tmp_path):
    plain, _ = clips
    np.savez(tmp_path / "short.npz", **{clip.name: feet_of(clip)[:-1] for clip in plain})
    with pytest.raises(BadMotion, match=r"short\.npz: feet of clip '02_01' have shape \(29, 4, 3\).*30 frames"):
        with_feet(plain, tmp_path / "short.npz")
    np.savez(tmp_path / "few.npz", **{"02_01": feet_of(plain[0])})
    with pytest.raises(BadMotion, match="05_01"):
        with_feet(plain, tmp_path / "few.npz")


def test_feet_that_stand(clips):
    """Standing on the floor: contact. Moved at 1 m/s, or lifted by 20 cm: none."""
    moving, standing = with_feet(*clips)
    assert ground_contact(standing).all()
    assert not ground_contact(moving).any()
    lifted = standing.joints_world_m.copy()
    rise = np.zeros(30, np.float32)
    rise[20:] = 0.2
    lifted[:, [H36M20.index("left_heel"), H36M20.index("left_toe")], 2] += rise[:, None]
    contact = ground_contact(dataclasses.replace(standing, joints_world_m=lifted))
    assert contact[:, :2].all()
    assert contact[:18, 2:].all()
    assert not contact[20:, 2:].any()


@pytest.fixture
def people(clips):
    joints = np.stack([clip.joints_world_m for clip in with_feet(*clips)])[:, :9]
    noise = torch.randn(40, 1, 20, 3, generator=torch.Generator().manual_seed(0)) * 0.1
    return torch.from_numpy(joints).repeat(20, 1, 1, 1) + noise


def test_bones_of_twenty_joints_there_and_back(people):
    torch.testing.assert_close(bones_to_joints(joints_to_bones(people)), people - people[:, :, :1])
    torch.testing.assert_close(joints_to_bones(people)[:, :, :15], joints_to_bones(people[:, :, :16]))


def test_feet_have_length_ratios_of_their_own(people):
    ratios = torch.zeros(40, 11)
    ratios[:, 9] = 0.2
    changed = bone_lengths(bones_to_joints(scale_bones(joints_to_bones(people), ratios))) / bone_lengths(people)
    heels = [H36M20.index(f"{side}_heel") - 1 for side in ("left", "right")]
    torch.testing.assert_close(changed[..., heels], torch.full_like(changed[..., heels], 1.2))
    others = [bone for bone in range(19) if bone not in heels]
    torch.testing.assert_close(changed[..., others], torch.ones_like(changed[..., others]))
    varied = vary_bodies(people, 0.0, 0.06, torch.Generator().manual_seed(1))
    assert ((bone_lengths(varied) / bone_lengths(people) - 1)[:, 0, 15:].abs() > 1e-4).all()


def test_a_swapped_leg_takes_its_foot_along(people):
    """The angle between shin and foot, which a leg keeps, is one of the people's for every leg."""
    swapped = swap_limbs(people, 1.0, torch.Generator().manual_seed(2))
    torch.testing.assert_close(bone_lengths(swapped), bone_lengths(people))

    def ankle_cosines(joints):
        bones = torch.nn.functional.normalize(joints_to_bones(joints), dim=-1)
        legs = [(H36M20.index(f"{side}_ankle") - 1, FEET[side]) for side in ("left", "right")]
        pairs = [(shin, foot) for shin, feet in legs for foot in feet]
        return torch.stack([(bones[..., shin, :] * bones[..., foot, :]).sum(-1) for shin, foot in pairs], -1)

    before, after = ankle_cosines(people)[:, 0], ankle_cosines(swapped)[:, 0]
    assert not torch.allclose(before, after), "no leg was swapped"
    for column in range(4):
        nearest = (after[:, None, column] - before[None, :, column]).abs().amin(1)
        assert nearest.max() < 1e-5


def test_mirrored_feet_change_sides(people):
    once = mirrored(people)
    left, right = H36M20.index("left_toe"), H36M20.index("right_toe")
    torch.testing.assert_close(once[..., left, 1:], people[..., right, 1:])
    torch.testing.assert_close(once[..., left, 0], -people[..., right, 0])
    torch.testing.assert_close(mirrored(once), people)


def test_the_first_joints_are_those_without_feet():
    assert H36M20.joints[:16] == H36M16.joints
    assert H36M20.parents[:16] == H36M16.parents
    assert len(STANDING) == 16
