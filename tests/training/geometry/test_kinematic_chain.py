"""Kinematic chain space: lengths on the diagonal, angles beside it, blind to rotation."""

import math

import pytest
import torch
from scipy.spatial.transform import Rotation

from training.geometry.bones import PARENTS, bone_lengths, joints_to_bones
from training.geometry.kinematic_chain import chain_and_size, chain_of_keypoints, kinematic_chain_matrix


def poses(dimensions=3):
    return torch.randn(6, 16, dimensions, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def test_by_hand():
    bones = torch.tensor([[1.0, 2.0], [3.0, -1.0]])
    assert torch.equal(kinematic_chain_matrix(bones), torch.tensor([[5.0, 1.0], [1.0, 10.0]]))


def test_diagonal_is_squared_lengths():
    for dimensions in (2, 3):
        diagonal = chain_of_keypoints(poses(dimensions)).diagonal(dim1=-2, dim2=-1)
        torch.testing.assert_close(diagonal, bone_lengths(poses(dimensions)).square())


def test_rotation_and_place_change_nothing():
    rotation = torch.tensor(Rotation.from_rotvec([0.4, -1.1, 0.6]).as_matrix())
    moved = poses() @ rotation.T + torch.tensor([3.0, -2.0, 5.0], dtype=torch.float64)
    torch.testing.assert_close(chain_of_keypoints(moved), chain_of_keypoints(poses()))


def test_a_mirror_image_is_the_same_and_a_turned_bone_is_not():
    assert torch.allclose(chain_of_keypoints(poses() * -1), chain_of_keypoints(poses()))
    turned = joints_to_bones(poses())
    turned[:, 4] = turned[:, 4] @ torch.tensor(Rotation.from_rotvec([0.0, 0.0, 0.6]).as_matrix()).T
    changed = (kinematic_chain_matrix(turned) - chain_of_keypoints(poses())).abs() > 1e-9
    expected = torch.zeros(15, 15, dtype=torch.bool)
    expected[4], expected[:, 4], expected[4, 4] = True, True, False
    assert torch.equal(changed, expected.expand_as(changed))


def test_size_is_on_the_diagonal_only():
    """Three times as large: log 9 more on the diagonal, and all the rest stays."""
    small, large = chain_and_size(10 * poses(2)), chain_and_size(30 * poses(2))
    expected = small + math.log(9) * torch.eye(15, dtype=torch.float64)
    torch.testing.assert_close(large, expected, atol=1e-5, rtol=1e-5)


def test_people_of_usual_size_have_numbers_of_order_one():
    """All bones as long as usual, in one line: products of one everywhere, and a logarithm of zero."""
    line = torch.zeros(1, 16, 2, dtype=torch.float64)
    path = torch.arange(16, dtype=torch.float64)
    line[0, :, 0] = path
    bones = joints_to_bones(line)
    bones = bones / bones.norm(dim=-1, keepdim=True) * 0.1
    stretched = torch.zeros_like(line)
    for bone, parent in enumerate(PARENTS):
        stretched[:, bone + 1] = stretched[:, parent] + bones[:, bone]
    found = chain_and_size(stretched)
    # The smallest bone that counts is a tenth of the usual one: a hundredth is added to the size.
    torch.testing.assert_close(found, torch.full_like(found, 1 / 1.01) + math.log(1.01) * torch.eye(15).double())


@pytest.mark.parametrize("scale", [0.0, 1e-6])
def test_a_person_in_one_point_is_finite(scale):
    point = (poses(2) * scale).requires_grad_()
    chain_and_size(point).square().sum().backward()
    assert point.grad.isfinite().all()
