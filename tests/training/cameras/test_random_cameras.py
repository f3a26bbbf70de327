"""Cameras for source motion: where people appear, how large, and from how high."""

import dataclasses
import math

import pytest
import torch

from training.cameras.random_cameras import CameraRanges, CameraWindows, film
from training.geometry.camera import project

COUNT = 4000


def standing(count=COUNT, frames=3):
    """A person of 1.7 m somewhere in the world, z up, walking along x: pelvis, head, feet."""
    joints = torch.zeros(count, frames, 16, 3)
    joints[..., 2] = 0.9
    joints[:, :, 9, 2], joints[:, :, [3, 6], 2] = 1.7, 0.0
    joints[..., 0] += torch.arange(frames)[:, None] * 0.05
    return joints + torch.tensor([10.0, -4.0, 0.0])


def filmed(seed=0, **changes):
    ranges = dataclasses.replace(CameraRanges(), **changes)
    return film(standing(), ranges, torch.Generator().manual_seed(seed)), ranges


@pytest.fixture(scope="module")
def seen():
    return filmed()


def test_middle_pelvis_is_the_origin_and_lies_where_the_offset_says(seen):
    windows, ranges = seen
    assert not windows.joints_m[:, 1, 0].any()
    place = windows.keypoints[:, 1, 0]
    torch.testing.assert_close(place, project(windows.position_m[:, None], windows.focal)[:, 0])
    assert place.abs().max() <= ranges.offset + 1e-5
    for axis in (0, 1):  # evenly over the range
        assert place[:, axis].mean().abs() < 0.03
        assert place[:, axis].std() == pytest.approx(ranges.offset / math.sqrt(3), rel=0.05)


def test_apparent_size_is_in_range(seen):
    """1.7 m at the pelvis' depth."""
    windows, ranges = seen
    size = 1.7 * windows.focal / windows.position_m[:, 2]
    assert size.min() >= ranges.person_size[0] - 1e-5
    assert size.max() <= ranges.person_size[1] + 1e-5
    assert size.median() == pytest.approx(math.sqrt(0.25 * 1.9), rel=0.15)  # even in the logarithm
    assert windows.position_m[:, 2].min() >= ranges.nearest_m


def test_focal_lengths_are_even_in_the_logarithm(seen):
    windows, ranges = seen
    low, high = map(math.log, ranges.focal)
    share = (windows.focal.log() - low) / (high - low)
    assert share.min() >= 0
    assert share.max() <= 1
    histogram = torch.histc(share, 4, 0, 1) / COUNT
    assert (histogram - 0.25).abs().max() < 0.04


def elevations_deg(windows):
    """The camera looks down by the elevation: world up, in its axes, has depth -sin(elevation)."""
    up = windows.joints_m[:, 1, 9] / windows.joints_m[:, 1, 9].norm(dim=-1, keepdim=True)
    return torch.rad2deg(torch.asin(-up[:, 2]))


def test_elevations():
    level = elevations_deg(filmed(any_elevation_share=0.0)[0])
    assert level.mean() == pytest.approx(8, abs=1)
    assert level.std() == pytest.approx(14, abs=1)
    anywhere = elevations_deg(filmed(any_elevation_share=1.0)[0])
    assert anywhere.min() > -35.1
    assert anywhere.max() < 85.1
    assert anywhere.mean() == pytest.approx(25, abs=2)


def test_all_sides_are_seen(seen):
    """The direction of walking, in the image and in depth."""
    windows, _ = seen
    step = windows.joints_m[:, 2, 0] - windows.joints_m[:, 0, 0]
    azimuth = torch.atan2(step[:, 2], step[:, 0])
    assert (torch.histc(azimuth, 8, -math.pi, math.pi) / COUNT - 0.125).abs().max() < 0.04
    torch.testing.assert_close(step.norm(dim=-1), torch.full((COUNT,), 0.1), rtol=1e-4, atol=1e-5)


def test_people_stand_upright_in_level_images():
    windows, _ = filmed(any_elevation_share=0.0, roll_deg=0.0)
    head, foot = windows.keypoints[:, 1, 9], windows.keypoints[:, 1, 3]
    assert (head[:, 1] < foot[:, 1]).all()


def test_the_same_seed_films_the_same():
    first, again, other = (filmed(seed)[0] for seed in (1, 1, 2))
    for name in ("joints_m", "position_m", "focal"):
        assert torch.equal(getattr(first, name), getattr(again, name))
    assert not torch.equal(first.joints_m, other.joints_m)


def test_keypoints_and_answer_by_hand():
    """Focal 2, pelvis at (0.5, 0, 4): a joint 0.5 m right of it and 1 m nearer projects to 2 * 1 / 3."""
    joints = torch.zeros(1, 3, 16, 3)
    joints[0, :, 5] = torch.tensor([0.5, 0.0, -1.0])
    joints[0, 0] += 1
    windows = CameraWindows(joints, torch.tensor([[0.5, 0.0, 4.0]]), torch.tensor([2.0]))
    torch.testing.assert_close(windows.keypoints[0, 1, 5], torch.tensor([2 / 3, 0.0]))
    assert torch.equal(windows.middle_pose_m[0], joints[0, 1])
