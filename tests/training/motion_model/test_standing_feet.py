"""Feet that stand: what slides is held, what swings is left."""

import numpy as np
import torch

from sdk.skeletons import H36M16
from tests.training.data.clips import STANDING
from training.motion_model.standing_feet import still_feet

RATE_HZ = 20.0
LEG_M = torch.tensor([0.82])
RIGHT, LEFT = H36M16.index("right_ankle"), H36M16.index("left_ankle")


def motion(velocity, lifted=()):
    """(1, 40, 16, 3): the standing person moved at a velocity in m/s; some joints 0.4 m higher."""
    joints = np.repeat(STANDING[None], 40, 0).astype(np.float64)
    joints += np.arange(40)[:, None, None] / RATE_HZ * np.asarray(velocity)
    joints[:, list(lifted), 2] += 0.4
    return torch.from_numpy(joints)[None]


def sliding(joints, foot):
    return float(joints[0, :, foot].diff(dim=0).norm(dim=-1).mean() * RATE_HZ)


def held(joints):
    return joints + still_feet(joints, LEG_M, RATE_HZ)[:, :, None]


def test_who_slides_stands():
    assert sliding(held(motion((0.2, 0.0, 0.0))), RIGHT) < 0.02


def test_one_foot_is_enough():
    """With the other in the air."""
    assert sliding(held(motion((0.2, 0.0, 0.0), [LEFT])), RIGHT) < 0.04


def test_who_flies_or_glides_fast_goes_on():
    flying, fast = motion((0.2, 0.0, 0.0), [RIGHT, LEFT]), motion((2.0, 0.0, 0.0))
    assert sliding(held(flying), RIGHT) > 0.18
    assert sliding(held(fast), RIGHT) > 1.9


def test_poses_stay_as_they_are():
    joints = motion((0.2, 0.1, 0.0))
    shift = held(joints) - joints
    torch.testing.assert_close(shift, shift[:, :, :1].expand_as(shift))


def test_it_is_the_least_squares_answer():
    """Against a solver that is told the same equations one by one."""
    joints = motion((0.3, 0.0, 0.0))
    joints[0, 15:25, [RIGHT, LEFT]] += torch.tensor([0.0, 0.0, 0.3]).double()
    found = still_feet(joints, LEG_M, RATE_HZ)[0, :, 0]
    feet = joints[0][:, [RIGHT, LEFT]]
    rows, wanted = [], []
    for frame in range(39):
        step = feet[frame + 1] - feet[frame]
        height = (feet[frame + 1] + feet[frame])[:, 2] / 2 / LEG_M
        stands = torch.sigmoid((0.5 - step.norm(dim=-1) * RATE_HZ) / 0.12) * torch.sigmoid((0.2 - height) / 0.04)
        for weight, target in ((stands[0], -step[0, 0]), (stands[1], -step[1, 0]), (torch.tensor(0.05), 0.0)):
            row = np.zeros(40)
            row[frame], row[frame + 1] = -1, 1
            rows.append(row * float(weight) ** 0.5)
            wanted.append(float(target) * float(weight) ** 0.5)
    rows += list(np.eye(40) * 1e-3**0.5)
    wanted += [0.0] * 40
    expected = np.linalg.lstsq(np.array(rows), np.array(wanted), rcond=None)[0]
    np.testing.assert_allclose(found, expected, atol=1e-6)
