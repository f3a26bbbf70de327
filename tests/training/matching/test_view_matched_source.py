"""Source motion among the target: where it stands, how it is turned, through which lens, with which body."""

import math

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from tests.training.toy_gap import FRAMES, film_source, film_target
from training.geometry.bones import bone_lengths
from training.geometry.camera import root_relative
from training.matching.gravity import matching_yaw
from training.matching.view_matched_source import TRUNK, random_rotation, view_matched_source

COUNT = 64
MIDDLE = FRAMES // 2
PLAIN = {"focal": None, "bodies": 0.0}


class Oracle(torch.nn.Module):
    """A lifter that knows the answer."""

    def __init__(self, poses_m):
        super().__init__()
        self.poses_m = poses_m

    def forward(self, keypoints):
        return self.poses_m


@pytest.fixture(scope="module")
def source():
    return film_source(COUNT, torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def target():
    return film_target(COUNT, seed=1)


def made(source, target, kind, **changes):
    lifter = Oracle(target.middle_pose_m)
    return view_matched_source(
        source, target.keypoints, lifter, torch.Generator().manual_seed(2), kind=kind, **(PLAIN | changes)
    )


def degrees_between(first, second):
    """(B,) smallest turn between the trunks of two sets of poses, by SciPy."""
    trunk = list(TRUNK)
    turns = [Rotation.align_vectors(b[trunk], a[trunk])[0].magnitude() for a, b in zip(first, second, strict=True)]
    return np.degrees(turns)


@pytest.mark.parametrize("kind", ["none", "random", "matched"])
def test_people_stand_where_target_people_do(source, target, kind):
    placed = made(source, target, kind)
    torch.testing.assert_close(placed.keypoints[:, MIDDLE, 0], target.keypoints[:, MIDDLE, 0], rtol=1e-4, atol=1e-5)
    assert torch.equal(placed.focal, source.focal)
    # Only the view is another: every bone keeps its length.
    torch.testing.assert_close(bone_lengths(placed.joints_m), bone_lengths(source.joints_m), rtol=1e-4, atol=1e-5)


def test_not_turned_means_as_the_source_sees_it(source, target):
    assert torch.equal(made(source, target, "none").joints_m, source.joints_m)


def test_matched_people_are_turned_like_the_target(source, target):
    """Within the jitter: 10 degrees about each of three axes are 16 in the mean; random turns are near 100."""
    matched = made(source, target, "matched", deviation_rad=math.radians(10))
    off = degrees_between(matched.middle_pose_m.numpy(), target.middle_pose_m.numpy())
    assert np.median(off) < 22
    random = degrees_between(made(source, target, "random").middle_pose_m.numpy(), target.middle_pose_m.numpy())
    assert np.median(random) > 60


def test_a_share_is_turned_at_random_all_the_same(source, target):
    placed = made(source, target, "matched", random_share=0.5)
    off = degrees_between(placed.middle_pose_m.numpy(), target.middle_pose_m.numpy())
    assert np.median(off[: COUNT // 2]) < 1
    assert np.median(off[COUNT // 2 :]) > 60


def upright(source, target, **changes):
    return made(source, target, "upright", target_up=target.up, **changes)


def test_upright_people_stand_on_the_targets_ground_and_face_its_way(source, target):
    """Whatever a person leans in the source, it leans in the target's image: by as much, from that vertical."""
    placed = upright(source, target)
    torch.testing.assert_close(placed.keypoints[:, MIDDLE, 0], target.keypoints[:, MIDDLE, 0], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(
        (placed.joints_m * target.up[:, None, None]).sum(-1),
        (source.joints_m * source.up[:, None, None]).sum(-1),
        atol=1e-5,
        rtol=0,
    )
    trunk = list(TRUNK)
    yaw = matching_yaw(placed.middle_pose_m[:, trunk], target.middle_pose_m[:, trunk], target.up)
    torch.testing.assert_close(yaw, torch.zeros_like(yaw), atol=1e-4, rtol=0)


def test_upright_people_lean_and_turn_as_far_as_asked(source, target):
    exact = upright(source, target).middle_pose_m.numpy()
    tilted = degrees_between(upright(source, target, tilt_rad=math.radians(5)).middle_pose_m.numpy(), exact)
    assert np.median(tilted) == pytest.approx(5 * 1.54, rel=0.25)  # the median of chi with three degrees of freedom
    turned = upright(source, target, deviation_rad=math.radians(20))
    height = (turned.joints_m * target.up[:, None, None]).sum(-1)
    torch.testing.assert_close(height, (source.joints_m * source.up[:, None, None]).sum(-1), atol=1e-5, rtol=0)
    assert np.median(degrees_between(turned.middle_pose_m.numpy(), exact)) == pytest.approx(20 * 0.67, rel=0.35)


def test_of_the_random_share_half_keep_the_targets_vertical(source, target):
    placed = upright(source, target, random_share=0.5)
    moved = (placed.joints_m * target.up[:, None, None]).sum(-1) - (source.joints_m * source.up[:, None, None]).sum(-1)
    moved = moved.abs().amax((1, 2))
    assert moved[: COUNT * 3 // 4].max() < 1e-4
    assert moved[COUNT * 3 // 4 :].min() > 1e-2
    off = degrees_between(placed.middle_pose_m.numpy(), upright(source, target).middle_pose_m.numpy())
    assert off[: COUNT // 2].max() < 1
    assert np.median(off[COUNT // 2 :]) > 45


def test_limbs_are_exchanged_in_the_share_asked_for(source, target):
    whole, half = made(source, target, "none"), made(source, target, "none", exchanged=0.5)
    moved = (whole.joints_m - half.joints_m).abs().amax((1, 2, 3)) > 1e-3
    assert moved[: COUNT // 2].float().mean() > 0.7
    assert not moved[COUNT // 2 :].any()


def test_lenses_and_bodies_vary_as_asked(source, target):
    placed = made(source, target, "none", focal=(1.3, 3.5), bodies=0.05)
    assert 1.3 <= placed.focal.min() < 1.6
    assert 2.9 < placed.focal.max() <= 3.5
    ratio = bone_lengths(root_relative(placed.joints_m[:, MIDDLE])) / bone_lengths(source.middle_pose_m)
    assert ratio.std().item() == pytest.approx(0.05 * math.sqrt(2), rel=0.2)


def test_random_turns():
    """About the vertical evenly; the head stays up within pitch and roll."""
    rotation = random_rotation(20_000, torch.Generator().manual_seed(0))
    up = rotation @ torch.tensor([0.0, -1.0, 0.0])
    pitch, roll = torch.asin(up[:, 2]), torch.atan2(up[:, 0], -up[:, 1])
    # Medians: somebody pitched by more than 90 degrees, one in 370, is upside down.
    assert torch.rad2deg(roll).abs().median().item() == pytest.approx(10 * 0.674, rel=0.05)
    assert torch.rad2deg(pitch).abs().median().item() == pytest.approx(30 * 0.674, rel=0.05)
    forward = rotation @ torch.tensor([0.0, 0.0, 1.0])
    assert forward.mean(0).abs().max() < 0.02
