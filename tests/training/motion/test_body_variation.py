"""Varied bodies."""

import pytest
import torch

from sdk.camera.body_size import stature_m
from training.geometry.bones import LENGTH_GROUPS, bone_lengths, joints_to_bones
from training.motion.body_variation import of_height, vary_bodies


def random(seed=0):
    return torch.Generator().manual_seed(seed)


def motion(count=500):
    return torch.randn(count, 4, 16, 3, generator=random(9))


def test_nothing_varied_nothing_changed():
    torch.testing.assert_close(vary_bodies(motion(), 0.0, 0.0, random()), motion())


def test_whole_bodies_scale_with_their_steps():
    varied = vary_bodies(motion(), 0.1, 0.0, random())
    size = varied / motion()
    assert (size.amax((1, 2, 3)) - size.amin((1, 2, 3))).max() < 0.05  # one number a window
    per_window = size[:, 0, 5, 0]
    assert per_window.std() == pytest.approx(0.1, abs=0.01)
    assert per_window.min() >= 0.6999
    assert per_window.max() <= 1.3001


def test_parts_scale_alike_on_both_sides_and_in_every_frame():
    varied = vary_bodies(motion(), 0.0, 0.08, random())
    change = bone_lengths(varied) / bone_lengths(motion())
    for group in LENGTH_GROUPS:
        ratios = change[..., list(group)].flatten(1)
        torch.testing.assert_close(ratios, ratios[:, :1].expand_as(ratios), rtol=1e-3, atol=1e-3)
        assert ratios[:, 0].std() == pytest.approx(0.08, abs=0.015)
        assert (ratios[:, 0] - 1).abs().max() <= 0.2401
    cosine = torch.nn.functional.cosine_similarity(joints_to_bones(varied), joints_to_bones(motion()), dim=-1)
    torch.testing.assert_close(cosine, torch.ones_like(cosine), atol=1e-3, rtol=0)
    torch.testing.assert_close(varied[:, :, 0], motion()[:, :, 0])


def test_everybody_is_as_tall_as_told_and_steps_with_the_body():
    """By the SDK's own measure of a height, which has another signature and no windows."""
    tall = of_height(motion(20), 1.71)
    for window in tall:
        assert stature_m(bone_lengths(window).mean(0).numpy()) == pytest.approx(1.71, abs=1e-4)
    size = tall / motion(20)
    torch.testing.assert_close(size, size[:, :1, :1, :1].expand_as(size), rtol=1e-3, atol=1e-3)
