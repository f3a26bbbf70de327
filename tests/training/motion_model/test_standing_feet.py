"""Feet that stand: what slides is held, what swings is left."""

import numpy as np
import torch

from sdk.skeletons.skeleton import H36M16
from tests.training.motion.clips import STANDING
from training.geometry.bones import bone_lengths
from training.motion_model.standing_feet import _shift, stand

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
    return stand(joints, LEG_M, RATE_HZ)


def test_who_slides_stands():
    assert sliding(held(motion((0.2, 0.0, 0.0))), RIGHT) < 0.02


def test_one_foot_is_enough():
    """With the other in the air."""
    assert sliding(held(motion((0.2, 0.0, 0.0), [LEFT])), RIGHT) < 0.04


def test_who_flies_or_glides_fast_goes_on():
    flying, fast = motion((0.2, 0.0, 0.0), [RIGHT, LEFT]), motion((2.0, 0.0, 0.0))
    assert sliding(held(flying), RIGHT) > 0.18
    assert sliding(held(fast), RIGHT) > 1.9


def test_feet_that_slide_apart_both_rest():
    """No path of the body does that: the legs bend."""
    joints = motion((0.0, 0.0, 0.0))
    joints[..., 2] -= 0.03  # knees bend a little: a straight leg reaches nowhere
    joints[:, :, [RIGHT, LEFT], 2] += 0.03
    joints[:, :, [RIGHT - 1, LEFT - 1], 1] += 0.15
    apart = torch.arange(40).double() / RATE_HZ * 0.1
    for foot, sign in ((RIGHT, 1.0), (LEFT, -1.0)):
        joints[:, :, foot, 0] += sign * apart
    before = bone_lengths(joints)
    after = held(joints)
    assert sliding(joints, RIGHT) > 0.09
    assert max(sliding(after, RIGHT), sliding(after, LEFT)) < 0.03
    torch.testing.assert_close(bone_lengths(after), before)
    knees = [RIGHT - 1, LEFT - 1]
    assert (after[:, :, knees, 1] > after[:, :, 0, None, 1] + 0.02).all()  # they bend as they did


def test_all_but_the_legs_moves_as_one():
    joints = motion((0.2, 0.1, 0.0), [LEFT])
    upper = [i for i in range(16) if i not in (RIGHT - 1, RIGHT, LEFT - 1, LEFT)]
    shift = (held(joints) - joints)[:, :, upper]
    torch.testing.assert_close(shift, shift[:, :, :1].expand_as(shift))


def test_shifts_are_the_least_squares_answer():
    """Against a solver that is told the same equations one by one."""
    random = np.random.default_rng(0)
    weight, step = random.uniform(0, 1, 39), random.normal(size=39)
    rows, wanted = [], []
    for frame in range(39):
        for share, target in ((weight[frame], step[frame]), (0.05, 0.0)):
            row = np.zeros(40)
            row[frame], row[frame + 1] = -1, 1
            rows.append(row * share**0.5)
            wanted.append(target * share**0.5)
    rows += list(np.eye(40) * 1e-3**0.5)
    wanted += [0.0] * 40
    expected = np.linalg.lstsq(np.array(rows), np.array(wanted), rcond=None)[0]
    found = _shift(torch.from_numpy(weight)[None], torch.from_numpy(weight * step)[None, :, None])
    np.testing.assert_allclose(found[0, :, 0], expected, atol=1e-6)
