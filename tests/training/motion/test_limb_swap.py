"""Limbs of other people: they lie on the new trunk as on the old one, and everybody keeps their own lengths."""

import pytest
import roma
import torch

from tests.training.toy_gap import swinging_people
from training.geometry.bones import bone_lengths, joints_to_bones
from training.geometry.camera import turn
from training.motion.limb_swap import EXCHANGES, PELVIS, THORAX, swap_limbs, transplanted, trunk_axes


@pytest.fixture(scope="module")
def people():
    """Forty windows of people of different sizes, each turned by a rotation of their own."""
    random = torch.Generator().manual_seed(0)
    joints = swinging_people(40, 0.8, random).double() * torch.linspace(0.8, 1.2, 40)[:, None, None, None]
    rotation = roma.rotvec_to_rotmat(torch.randn(40, 3, generator=random).double())
    path = torch.randn(40, 1, 1, 3, generator=random).double() * torch.linspace(0, 1, 9)[:, None, None]
    return turn(joints + path, rotation)


def test_trunk_axes_are_a_right_handed_frame_of_the_person(people):
    axes = trunk_axes(joints_to_bones(people), THORAX)
    torch.testing.assert_close(axes.mT @ axes, torch.eye(3).double().expand_as(axes))
    assert torch.all(torch.linalg.det(axes) > 0.99)
    shoulders = people[..., 10, :] - people[..., 13, :]  # right to left
    along = torch.nn.functional.normalize(shoulders, dim=-1)
    torch.testing.assert_close(axes[..., 0], along)


@pytest.mark.parametrize(("members", "end", "_probability"), EXCHANGES)
def test_a_limb_lies_on_the_new_trunk_as_on_the_old(people, members, end, _probability):
    bones = joints_to_bones(people)
    donors = bones.roll(1, 0)
    mixed = transplanted(bones, donors, members, end)

    def in_trunk(all_bones, axes_of):
        directions = torch.nn.functional.normalize(all_bones[:, :, list(members)], dim=-1)
        return directions @ trunk_axes(axes_of, end)

    torch.testing.assert_close(in_trunk(mixed, bones), in_trunk(donors, donors))
    others = [bone for bone in range(15) if bone not in members]
    torch.testing.assert_close(mixed[:, :, others], bones[:, :, others])


@pytest.mark.parametrize("end", [PELVIS, THORAX])
def test_from_oneself_nothing_changes(people, end):
    """Even when the donor is seen from elsewhere: a limb is turned with its trunk."""
    bones = joints_to_bones(people)
    turned = joints_to_bones(turn(people, roma.rotvec_to_rotmat(torch.tensor([[0.3, -0.6, 0.9]]).double())))
    torch.testing.assert_close(transplanted(bones, turned, range(15), end), bones)


def test_lengths_and_the_path_of_the_pelvis_stay(people):
    mixed = swap_limbs(people, 1.0, torch.Generator().manual_seed(1))
    torch.testing.assert_close(bone_lengths(mixed), bone_lengths(people))
    torch.testing.assert_close(mixed[:, :, [0, 1, 4]], people[:, :, [0, 1, 4]])
    assert (mixed - people).abs().amax((1, 2, 3)).gt(0.05).float().mean() > 0.8


def test_only_the_share_asked_for_changes(people):
    mixed = swap_limbs(people, 0.25, torch.Generator().manual_seed(1))
    torch.testing.assert_close(mixed[10:], people[10:])
    assert not torch.equal(mixed[:10], people[:10])
    assert torch.equal(swap_limbs(people, 0.0, torch.Generator()), people)


def test_the_same_seed_gives_the_same_limbs(people):
    first, second = (swap_limbs(people, 0.5, torch.Generator().manual_seed(5)) for _ in range(2))
    assert torch.equal(first, second)
