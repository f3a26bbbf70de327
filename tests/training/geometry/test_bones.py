"""Bones: there and back, the paper's groups, symmetric scaling."""

import pytest
import torch

from sdk.skeletons.skeleton import H36M16
from training.geometry.bones import (
    LENGTH_GROUPS,
    PARENTS,
    TORSO_BONES,
    bone_lengths,
    bones_to_joints,
    joints_to_bones,
    scale_bones,
)


@pytest.fixture
def joints():
    return torch.randn(2, 5, 16, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def bone(joint):
    return H36M16.index(joint) - 1


def test_parents_are_the_references():
    assert PARENTS == (0, 1, 2, 0, 4, 5, 0, 7, 8, 8, 10, 11, 8, 13, 14)
    assert TORSO_BONES == (6, 7)


def test_a_bone_is_child_minus_parent(joints):
    bones = joints_to_bones(joints)
    for number, parent in enumerate(PARENTS):
        assert torch.equal(bones[..., number, :], joints[..., number + 1, :] - joints[..., parent, :])
    named = bones[0, 0, bone("left_elbow")]
    assert torch.equal(named, joints[0, 0, H36M16.index("left_elbow")] - joints[0, 0, H36M16.index("left_shoulder")])


@pytest.mark.parametrize("shape", [(16, 3), (4, 16, 3), (2, 5, 16, 3), (4, 16, 2)])
def test_round_trip(shape):
    joints = torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(bones_to_joints(joints_to_bones(joints)), joints - joints[..., :1, :])


def test_joints_are_sums_along_the_path(joints):
    bones = joints_to_bones(joints)
    path = [bone(joint) for joint in ("spine", "thorax", "right_shoulder", "right_elbow", "right_wrist")]
    wrist = sum(bones[1, 2, b] for b in path)
    torch.testing.assert_close(bones_to_joints(bones)[1, 2, H36M16.index("right_wrist")], wrist)


def test_lengths_by_hand():
    joints = torch.zeros(16, 3)
    joints[H36M16.index("right_hip")] = torch.tensor([3.0, 4.0, 12.0])
    lengths = bone_lengths(joints)
    assert lengths[bone("right_hip")] == 13
    assert lengths[bone("right_knee")] == 13
    assert lengths.count_nonzero() == 2


def test_groups_cover_each_bone_once_and_are_symmetric():
    assert sorted(member for group in LENGTH_GROUPS for member in group) == list(range(15))
    assert len(LENGTH_GROUPS) == 9
    for group in LENGTH_GROUPS:
        assert {H36M16.mirror[member + 1] - 1 for member in group} == set(group)


def test_scaling_by_hand(joints):
    """Thighs 10% longer in the first body, forearms 20% shorter in the second; nothing else."""
    ratios = torch.zeros(2, 9, dtype=torch.float64)
    ratios[0, 1], ratios[1, 8] = 0.1, -0.2
    scaled = scale_bones(joints_to_bones(joints), ratios)
    change = scaled.norm(dim=-1) / bone_lengths(joints)
    expected = torch.ones(2, 5, 15, dtype=torch.float64)
    expected[0, :, [bone("right_knee"), bone("left_knee")]] = 1.1
    expected[1, :, [bone("right_wrist"), bone("left_wrist")]] = 0.8
    torch.testing.assert_close(change, expected)


def test_scaling_keeps_directions(joints):
    bones = joints_to_bones(joints)
    ratios = torch.rand(2, 9, dtype=torch.float64, generator=torch.Generator().manual_seed(2)) - 0.5
    cosine = torch.nn.functional.cosine_similarity(scale_bones(bones, ratios), bones, dim=-1)
    torch.testing.assert_close(cosine, torch.ones_like(cosine))
