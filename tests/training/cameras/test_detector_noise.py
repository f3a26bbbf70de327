"""Noise like a detector's: relative to the person, partly lasting, sometimes far off, sides sometimes swapped."""

import pytest
import torch

from sdk.skeletons.skeleton import H36M16
from training.cameras.detector_noise import add_detector_noise


def random(seed=0):
    return torch.Generator().manual_seed(seed)


def still(count=3000, frames=27):
    return torch.rand(count, 1, 16, 2, generator=random(1)).expand(count, frames, 16, 2)


def noise(scale=1.0):
    return add_detector_noise(still() * scale, 0.1, random(2)) - still() * scale


def test_twice_the_person_twice_the_noise():
    torch.testing.assert_close(noise(2.0), noise() * 2, rtol=1e-3, atol=1e-5)


def test_each_window_has_its_own_level():
    level = noise().abs().flatten(1).median(1).values
    assert level.min() < 0.002
    assert 0.05 < level.max() < 0.2


def test_some_of_it_stays_some_lasts_some_is_new_in_every_frame():
    moved = noise()
    bias = moved.mean(1, keepdim=True)
    rest = moved - bias
    lasting = (rest[:, 1:] * rest[:, :-1]).sum() / rest.square().sum()
    assert 0.2 < lasting < 0.7
    assert 0.3 < bias.square().mean() / moved.square().mean() < 0.8


def test_ends_of_limbs_move_most():
    moved = noise().abs().flatten(0, 1).median(0).values.mean(-1)
    wrist, hip = H36M16.index("left_wrist"), H36M16.index("left_hip")
    assert moved[wrist] / moved[hip] == pytest.approx(1.5, abs=0.15)


def test_few_keypoints_lie_far_off():
    moved = noise()
    size = (moved - moved.mean(1, keepdim=True)).norm(dim=-1)
    usual = size.median(1, keepdim=True).values
    assert 0.001 < (size > 4 * usual).float().mean() < 0.02


def test_sides_change_places_for_a_while():
    people = still().clone()
    pairs = [(H36M16.index("left_ankle"), H36M16.index("right_ankle"))]
    for left, right in pairs:
        people[:, :, left], people[:, :, right] = -50.0, 50.0
    x = add_detector_noise(people, 1e-4, random(3))[:, :, pairs[0][0], 0]
    swapped = x > 0
    assert 0.002 < swapped.any(1).float().mean() < 0.02
    assert not swapped.all(1).any()
    changes = swapped.int().diff(dim=1).abs().sum(1)
    assert changes.max() <= 2


def test_no_noise():
    keypoints = torch.rand(4, 5, 16, 2)
    assert torch.equal(add_detector_noise(keypoints, 0.0, random()), keypoints)
