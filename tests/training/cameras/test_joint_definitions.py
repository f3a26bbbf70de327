"""Drawn joint definitions: fixed in the body, alike on both sides, the same for a mirrored person."""

import math

import pytest
import roma
import torch

from sdk.skeletons.skeleton import H36M16
from tests.training.toy_gap import swinging_people
from training.cameras.joint_definitions import OFFSETS_M, as_defined
from training.geometry.camera import turn
from training.motion.body_variation import mirrored


@pytest.fixture(scope="module")
def people():
    return swinging_people(60, 0.8, torch.Generator().manual_seed(0)).double()


def defined(joints, largest=1.0, seed=3):
    return as_defined(joints, largest, torch.Generator().manual_seed(seed))


def test_a_definition_turns_and_moves_with_the_body(people):
    rotation = roma.rotvec_to_rotmat(torch.randn(60, 3, generator=torch.Generator().manual_seed(1)).double())
    torch.testing.assert_close(defined(turn(people, rotation) + 2.0), turn(defined(people), rotation) + 2.0)


def test_it_lasts_for_the_window_and_differs_between_windows(people):
    offset = (defined(people) - people)[:, :, H36M16.index("left_hip")].norm(dim=-1)
    torch.testing.assert_close(offset, offset[:, :1].expand_as(offset))
    assert offset[:, 0].std() > 0.3 * offset.mean()


def test_offsets_have_the_stated_size(people):
    """Level evenly between 0 and 1: the mean square is a third. The legs here are not those of an adult."""
    many = people.repeat(40, 1, 1, 1)
    offset = (defined(many) - many)[:, 0, H36M16.index("head")]
    leg = (many[:, 0, [1, 4]] - many[:, 0, [2, 5]]).norm(dim=-1) + (many[:, 0, [2, 5]] - many[:, 0, [3, 6]]).norm(
        dim=-1
    )
    size = (offset / leg.mean(1, keepdim=True) * 0.84).square().sum(-1).mean().sqrt()
    assert float(size) == pytest.approx(math.sqrt(sum(one**2 for one in OFFSETS_M["head"]) / 3), rel=0.08)


def test_the_pelvis_stays_between_the_hips_but_for_its_own_offset(people):
    moved = defined(people)
    hips = [H36M16.index("left_hip"), H36M16.index("right_hip")]
    off = (moved[:, :, 0] - moved[:, :, hips].mean(2)).norm(dim=-1)
    assert off.max() < 4 * math.hypot(*OFFSETS_M["pelvis"])


def test_at_zero_nothing_changes(people):
    torch.testing.assert_close(defined(people, 0.0), people)


def test_right_and_left_mostly_move_alike(people):
    """A hip that lies higher on the left lies higher on the right."""
    moved = defined(people) - people
    up = torch.tensor([0.0, 0.0, 1.0]).double()
    left, right = (moved[:, 0, H36M16.index(f"{side}_hip")] @ up for side in ("left", "right"))
    assert torch.corrcoef(torch.stack([left, right]))[0, 1] > 0.5
    assert mirrored(people).shape == people.shape
