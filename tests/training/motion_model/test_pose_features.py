"""Poses as numbers and back: laws of the round trip, turns, mirrors and bodies."""

import numpy as np
import pytest
import torch

from sdk.skeletons.skeleton import H36M16
from tests.training.motion_model.moving import RATE_HZ, facing, walking
from training.geometry.bones import bone_lengths, joints_to_bones
from training.motion_model.pose_features import (
    PATH,
    YAW,
    features_to_joints,
    from_first_pose,
    leg_lengths,
    mirrored_features,
    moved,
    pose_features,
    unit_bones,
    with_bones,
)
from training.settings.motion_model import FEATURES


@pytest.fixture(scope="module")
def clip():
    return walking()


@pytest.fixture(scope="module")
def features(clip):
    return torch.from_numpy(pose_features(clip.joints_world_m, RATE_HZ))[None]


@pytest.fixture(scope="module")
def lengths(clip):
    return bone_lengths(torch.from_numpy(clip.joints_world_m)).double().median(0).values[None]


def test_round_trip(clip, features, lengths):
    back = features_to_joints(features, lengths)[0].numpy()
    assert features.shape == (1, len(clip.joints_world_m), FEATURES)
    np.testing.assert_allclose(back, clip.joints_world_m, atol=2e-3)  # the pelvis is the middle of the hips, to a hair


def test_heading_is_where_the_person_faces(clip, features):
    """Turned by 0.7 rad a second from the pose's own facing on; a transpose or a wrong sign would show."""
    forward = facing(clip.joints_world_m[0])
    start = np.arctan2(forward[1], forward[0])
    time = np.arange(len(clip.joints_world_m)) / RATE_HZ
    inner = slice(50, -50)  # edge frames are smoothed with repeated ones
    difference = features[0, :, YAW].numpy() - (start + 0.7 * time)
    np.testing.assert_allclose(np.exp(1j * difference[inner]), 1, atol=0.02)


def test_a_turn_about_the_vertical_changes_heading_and_path_alone(clip, features):
    angle = 0.6
    matrix = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    turned = torch.from_numpy(pose_features(clip.joints_world_m.astype(np.float64) @ matrix.T, RATE_HZ))[None]
    torch.testing.assert_close(turned[..., :YAW], features[..., :YAW], atol=1e-5, rtol=0)
    expected = moved(features, torch.tensor([angle]).double(), torch.zeros(1, 2).double())
    torch.testing.assert_close(turned[..., PATH], expected[..., PATH], atol=1e-5, rtol=0)


def test_motion_begins_at_the_origin_and_comes_back(features):
    start, yaw, flat = from_first_pose(features)
    assert float(start[0, 0, YAW]) == 0
    assert start[0, 0, PATH][:2].abs().max() == 0
    torch.testing.assert_close(moved(start, yaw, flat), features)


def test_mirror_is_the_mirror_of_the_joints(features):
    symmetric = torch.full((1, 15), 0.3).double()
    joints = features_to_joints(features, symmetric)
    expected = joints[:, :, list(H36M16.mirror)] * torch.tensor([1.0, -1.0, 1.0]).double()
    torch.testing.assert_close(features_to_joints(mirrored_features(features), symmetric), expected)
    torch.testing.assert_close(mirrored_features(mirrored_features(features)), features)


def test_any_body_has_its_lengths_in_every_frame(features):
    """Also where directions are not of unit length, as a model's are not."""
    lengths = torch.linspace(0.1, 0.5, 15).double()[None]
    stretched = features.clone()
    stretched[..., :YAW] *= torch.rand(1, features.shape[1], 1, generator=torch.Generator().manual_seed(0)) + 0.5
    found = bone_lengths(features_to_joints(stretched, lengths))
    torch.testing.assert_close(found, lengths.expand(found.shape[1], -1)[None])


def test_a_child_walks_shorter_ways(features, lengths):
    grown, child = (features_to_joints(features, lengths * size)[0, :, 0, :2] for size in (1.0, 0.6))
    torch.testing.assert_close(child, 0.6 * grown)


def test_bones_of_unit_length_there_and_back(features, lengths):
    bones = unit_bones(features)
    world = joints_to_bones(features_to_joints(features, lengths))
    flat = torch.nn.functional.normalize(world, dim=-1)[..., 2]  # heights do not turn with the heading
    torch.testing.assert_close(bones[..., 2], flat, atol=1e-6, rtol=0)
    torch.testing.assert_close(with_bones(features, bones), features)


def test_leg_is_thigh_and_shin():
    lengths = torch.zeros(15)
    for joint, length in (("right_knee", 0.4), ("right_ankle", 0.5), ("left_knee", 0.44), ("left_ankle", 0.5)):
        lengths[H36M16.index(joint) - 1] = length
    assert float(leg_lengths(lengths)) == pytest.approx(0.92)


def test_the_settings_know_how_many_numbers_a_pose_has() -> None:
    assert FEATURES == YAW + 4 == PATH.stop
