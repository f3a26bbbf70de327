"""A mirrored person gets the mirrored pose, exactly."""

import pytest
import torch

from sdk.skeletons.skeleton import H36M16, H36M20
from tests.lifters import random_lifter
from training.lifter.growth import with_feet
from training.lifter.mirrored_lifter import MirroredLifter
from training.motion.body_variation import mirrored


def windows(joints, channels=2):
    return torch.rand(5, 9, joints, channels, generator=torch.Generator().manual_seed(0)) * 2 - 1


def test_the_answer_is_the_mean_of_both():
    lifter = random_lifter((3, 3))
    seen = windows(16)
    order = list(H36M16.mirror)
    other = lifter(seen[:, :, order] * torch.tensor([-1.0, 1.0]))[:, order] * torch.tensor([-1.0, 1.0, 1.0])
    torch.testing.assert_close(MirroredLifter(lifter)(seen), (lifter(seen) + other) / 2)


@pytest.mark.parametrize("feet", [False, True])
def test_a_mirrored_person_gets_the_mirrored_pose(feet):
    lifter = random_lifter((3, 3), input_channels=3, view="person")
    joints = len(H36M20) if feet else len(H36M16)
    steady = MirroredLifter(with_feet(lifter).eval() if feet else lifter)
    seen = torch.cat([windows(joints), torch.ones(5, 9, joints, 1)], -1)
    turned = torch.cat([mirrored(seen[..., :2]), seen[..., 2:]], -1)
    torch.testing.assert_close(steady(turned), mirrored(steady(seen)), rtol=0, atol=1e-6)
    assert not torch.allclose(lifter(turned[:, :, :16]), mirrored(lifter(seen[:, :, :16])), atol=1e-2)
