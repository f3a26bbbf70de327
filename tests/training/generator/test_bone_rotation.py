"""BG3: each bone turned gradually, a slow loop over SciPy rotations as the answer; lengths and torso stay."""

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from training.generator.bone_rotation import BoneRotation, turn_gradually
from training.geometry.bones import TORSO_BONES, joints_to_bones
from training.geometry.camera import root_relative


def bones_and_turns(frames, dtype=torch.float64):
    generator = torch.Generator().manual_seed(0)
    bones = torch.randn(3, frames, 15, 3, dtype=dtype, generator=generator)
    return bones, torch.randn(3, 15, 3, dtype=dtype, generator=generator)


@pytest.mark.parametrize("frames", [1, 9, 27])
def test_equals_scipy_in_a_slow_loop(frames):
    """Eq. 7: frame j of n, counted from 1, by j * theta / n."""
    bones, turns = bones_and_turns(frames)
    found = turn_gradually(bones, turns)
    for b in range(3):
        for j in range(frames):
            for k in range(15):
                rotation = Rotation.from_rotvec(turns[b, k].numpy() * (j + 1) / frames)
                expected = rotation.apply(bones[b, j, k].numpy())
                np.testing.assert_allclose(found[b, j, k].numpy(), expected, atol=1e-12)


def test_by_hand():
    """A bone along x, turned by 0.6 rad about z: towards y; a third of it in the first of three frames."""
    bones = torch.tensor([1.0, 0.0, 0.0], dtype=torch.float64).expand(1, 3, 1, 3)
    turned = turn_gradually(bones, torch.tensor([[[0.0, 0.0, 0.6]]], dtype=torch.float64))[0, :, 0]
    expected = [[np.cos(a), np.sin(a), 0] for a in (0.2, 0.4, 0.6)]
    np.testing.assert_allclose(turned.numpy(), expected, atol=1e-12)


def test_the_last_frame_turns_by_all_of_it():
    bones, turns = bones_and_turns(27)
    last = Rotation.from_rotvec(turns.reshape(-1, 3).numpy()).apply(bones[:, 26].reshape(-1, 3).numpy())
    expected = torch.from_numpy(last).reshape(3, 15, 3)
    torch.testing.assert_close(turn_gradually(bones, turns)[:, 26], expected)


def test_no_turn_changes_nothing_and_has_a_gradient():
    bones, _ = bones_and_turns(5)
    turns = torch.zeros(3, 15, 3, dtype=torch.float64, requires_grad=True)
    turned = turn_gradually(bones, turns)
    torch.testing.assert_close(turned, bones)
    turned.sum().backward()
    assert turns.grad.isfinite().all()
    assert (turns.grad != 0).any()


@pytest.fixture(params=range(2))
def turned(request):
    torch.manual_seed(request.param)
    network = BoneRotation()
    joints = torch.randn(32, 27, 16, 3)
    bones = joints_to_bones(joints)
    with torch.no_grad():
        found = network(bones, root_relative(joints[:, 13]), torch.Generator().manual_seed(request.param))
    return bones, found


def test_network_keeps_lengths(turned):
    before, after = turned
    torch.testing.assert_close(after.norm(dim=-1), before.norm(dim=-1), rtol=1e-4, atol=1e-5)


def test_network_leaves_the_torso_and_turns_all_others(turned):
    before, after = turned
    torso = list(TORSO_BONES)
    torch.testing.assert_close(after[:, :, torso], before[:, :, torso])
    others = [k for k in range(15) if k not in torso]
    assert ((after - before)[:, -1, others].norm(dim=-1) > 1e-3).all()


def test_network_turns_further_with_every_frame():
    """On a motionless person the angle to the start grows evenly (until it passes half a turn)."""
    torch.manual_seed(0)
    network = BoneRotation()
    with torch.no_grad():
        network.trunk.head.weight[3::4] *= 0.1  # small angles
    pose = torch.randn(8, 1, 16, 3)
    bones = joints_to_bones(pose.expand(8, 10, 16, 3))
    with torch.no_grad():
        turned = network(bones, root_relative(pose[:, 0]), torch.Generator().manual_seed(0))
    steps = (turned[:, 1:] - turned[:, :-1]).norm(dim=-1)
    torch.testing.assert_close(steps, steps[:, :1].expand_as(steps), rtol=2e-2, atol=1e-4)
