"""One person in several videos: found by its motion alone, and seen better together than by each."""

import math

import pytest
import roma
import torch

from training.evaluation.metrics import procrustes_aligned
from training.geometry.bones import bones_to_joints
from training.geometry.camera import project
from training.matching import several_views
from training.matching.several_views import joined, same_motion

FOCAL = 1.44


def motion(seed, frames=400):
    """A body of constant bones, each of which turns on slow waves of its own."""
    random = torch.Generator().manual_seed(seed)
    rest = torch.randn(15, 3, generator=random)
    rate = torch.rand(5, 15, 3, generator=random) * 0.2
    shift = torch.rand(5, 15, 3, generator=random) * 2 * math.pi
    time = torch.arange(frames).float().reshape(-1, 1, 1, 1)
    bones = torch.nn.functional.normalize(rest + 0.3 * torch.sin(time * rate + shift).sum(1), dim=-1)
    return bones_to_joints(0.3 * bones)


def turned(degrees):
    return roma.rotvec_to_rotmat(torch.tensor([0.0, math.radians(degrees), 0.0]))


def seen(pose, degrees, seed, noise_m=0.02, flat=0.6):
    """A camera's axes: the true pose, the lifted one (too flat, and noisy), and keypoints from five metres away."""
    random = torch.Generator().manual_seed(seed)
    true = pose @ turned(degrees).T
    lifted = true * torch.tensor([1.0, 1.0, flat]) + noise_m * torch.randn(true.shape, generator=random)
    keypoints = project(true + torch.tensor([0.3, 0.1, 5.0]), torch.full((len(true),), FOCAL))
    return true, lifted - lifted[:, :1], keypoints


def error_mm(poses, truths):
    """After one rotation and one size for each view: how all of them lean, and how large somebody is, none can see."""
    off = []
    for pose, truth in zip(poses, truths, strict=True):
        rotation = roma.special_procrustes((truth.flatten(0, 1).mT @ pose.flatten(0, 1)).double()).float()
        pose = pose @ rotation.T
        off.append((pose * (pose * truth).sum() / pose.square().sum() - truth).norm(dim=-1).mean() * 1000)
    return float(torch.stack(off).mean())


class TestWhoIsTheSame:
    def test_three_videos_of_one_person_that_begin_at_different_moments(self):
        pose = motion(0)
        starts, turns = (0, 30, 75), (0, 80, 200)
        tracks = [seen(pose[start:], turn, start)[1] for start, turn in zip(starts, turns, strict=True)]
        tracks.insert(1, seen(motion(1), 40, 9)[1])  # somebody else
        (group,) = same_motion(tracks, ["a", "b", "c", "d"])
        assert {view.track: view.start for view in group} == pytest.approx({0: 0, 2: 30, 3: 75}, abs=1)
        assert [view.frames for view in sorted(group, key=lambda view: view.track)] == [400, 370, 325]

    def test_nobody_is_the_same_as_somebody_else(self):
        assert not same_motion([seen(motion(seed), 60 * seed, seed)[1] for seed in range(6)], list("abcdef"))

    def test_two_people_of_one_video_are_two(self):
        pose = motion(0)
        tracks = [seen(pose, turn, turn)[1] for turn in (0, 80)]
        assert not same_motion(tracks, ["a", "a"])

    def test_one_person_in_two_parts_of_a_video(self):
        pose = motion(0, 600)
        tracks = [seen(pose, 0, 1)[1], seen(pose[:280], 90, 2)[1], seen(pose[300:], 90, 3)[1]]
        (group,) = same_motion(tracks, ["a", "b", "b"])
        assert {view.track: view.start for view in group} == pytest.approx({0: 0, 1: 0, 2: 300}, abs=1)

    def test_a_copy_of_a_video_shows_nothing_new(self):
        pose = motion(0)
        assert not same_motion([seen(pose, 0, 1)[1], seen(pose, 4, 2)[1]], ["a", "copy of a"])

    def test_a_mirrored_copy_is_another_motion(self):
        pose = motion(0)
        mirrored = pose * torch.tensor([-1.0, 1.0, 1.0])
        assert not same_motion([seen(pose, 0, 1)[1], seen(mirrored, 80, 2)[1]], ["a", "b"])

    def test_what_repeats_fits_at_many_moments(self):
        beat = motion(0, 25).repeat(16, 1, 1)
        assert not same_motion([seen(beat, 0, 1)[1], seen(beat, 80, 2)[1]], ["a", "b"])

    @pytest.mark.parametrize("frames", [several_views.FEWEST_FRAMES - 50, 3, 1])
    def test_little_in_common_is_not_enough(self, frames):
        pose = motion(0)
        assert not same_motion([seen(pose, 0, 1)[1], seen(pose[:frames], 80, 2)[1]], ["a", "b"])

    def test_who_stands_still_moves_like_nobody(self):
        still = motion(0, 1).expand(400, -1, -1)
        assert not same_motion([seen(still, 0, 1)[1], seen(still, 80, 2)[1]], ["a", "b"])
        assert not same_motion([still, still], ["a", "b"])


class TestTogether:
    def test_several_cameras_see_the_depth_that_each_lacks(self):
        pose, turns = motion(0), (0, 70, 150)
        truths, lifted, keypoints = zip(*(seen(pose, turn, turn) for turn in turns), strict=True)
        told = joined(lifted, keypoints, [0, 0, 0], FOCAL).poses_m
        assert error_mm(told, truths) < 0.25 * error_mm(lifted, truths)

    def test_videos_that_begin_at_different_moments(self):
        pose, starts, turns = motion(0), (0, 30, 75), (0, 80, 200)
        views = [seen(pose[start:], turn, start) for start, turn in zip(starts, turns, strict=True)]
        truths, lifted, keypoints = zip(*views, strict=True)
        told = joined(lifted, keypoints, list(starts), FOCAL).poses_m
        assert [one.shape for one in told] == [one.shape for one in truths]
        assert error_mm(told, truths) < 0.4 * error_mm(lifted, truths)

    def test_long_gaps_change_nothing(self):
        """The people are away for longer than they are there."""
        pose, turns = motion(0, 1000), (0, 70, 150)
        parts = [(start, *seen(pose[start : start + 250], turn, turn)) for start in (0, 750) for turn in turns]
        starts, truths, lifted, keypoints = zip(*parts, strict=True)
        told = joined(lifted, keypoints, list(starts), FOCAL)
        assert error_mm(told.poses_m, truths) < 0.25 * error_mm(lifted, truths)
        assert told.steadier

    def test_size_stays_as_it_was_lifted(self):
        views = [seen(motion(0), turn, turn, noise_m=0.0, flat=1.0) for turn in (0, 70, 150)]
        truths, lifted, keypoints = zip(*views, strict=True)
        told = joined([1.1 * one for one in lifted], keypoints, [0, 0, 0], FOCAL).poses_m
        ratios = [float(one.norm() / truth.norm()) for one, truth in zip(told, truths, strict=True)]
        assert ratios == pytest.approx([1.1] * 3, rel=0.02)

    def test_a_limb_that_one_detector_takes_for_another_counts_little(self):
        pose, turns = motion(0), (0, 50, 110, 170)
        truths, lifted, keypoints = (list(one) for one in zip(*(seen(pose, turn, turn) for turn in turns), strict=True))
        wrong = keypoints[0].clone()
        wrong[:, [3, 6]] = wrong[:, [6, 3]]
        told = joined(lifted, [wrong, *keypoints[1:]], [0] * 4, FOCAL).poses_m
        assert error_mm(told, truths) < 0.35 * error_mm(lifted, truths)

    def test_feet_that_nobody_sees_stay_as_lifted(self):
        truths, lifted, keypoints = (
            list(one) for one in zip(*(seen(motion(0), turn, turn) for turn in (0, 70, 150)), strict=True)
        )
        feet = [torch.cat([one, one[:, [3, 3, 6, 6]] + 0.1], 1) for one in lifted]
        unseen = [torch.cat([one, torch.full((len(one), 4, 2), math.nan)], 1) for one in keypoints]
        told = joined(feet, unseen, [0] * 3, FOCAL).poses_m
        without = joined(lifted, keypoints, [0] * 3, FOCAL).poses_m
        body = [one[:, :16] for one in told]
        assert all(one.isfinite().all() for one in told)
        assert error_mm(body, truths) < 1.1 * error_mm(without, truths)
        for one, before in zip(told, feet, strict=True):
            assert float((one[:, 16:] - before[:, 16:]).norm(dim=-1).mean()) < 0.2

    def test_the_same_input_gives_the_same_bits(self):
        truths, lifted, keypoints = zip(*(seen(motion(0), turn, turn) for turn in (0, 70)), strict=True)
        first, second = (joined(lifted, keypoints, [0, 0], FOCAL).poses_m for _ in range(2))
        assert all(torch.equal(*pair) for pair in zip(first, second, strict=True))
        del truths

    def test_poses_are_not_only_bent_to_fit(self):
        """The shape of the body is told, not only how it lies: after alignment of every frame too."""
        truths, lifted, keypoints = zip(*(seen(motion(0), turn, turn) for turn in (0, 70, 150)), strict=True)
        told = joined(lifted, keypoints, [0, 0, 0], FOCAL).poses_m
        before, after = (
            float((procrustes_aligned(poses[0], truths[0]) - truths[0]).norm(dim=-1).mean()) for poses in (lifted, told)
        )
        assert after < 0.3 * before
