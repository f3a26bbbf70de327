"""Lifted target motion, fitted to its own 2D: nearer to the truth, which the fit never sees."""

import copy

import numpy as np
import pytest
import torch

from sdk.skeletons.skeleton import H36M16
from tests.training.toy_gap import ABOVE, FRAMES, film_source, film_target, seen, swinging_people, target_keypoints
from training.cameras.random_cameras import CameraWindows
from training.evaluation.metrics import mpjpe
from training.geometry.bones import bone_lengths
from training.geometry.camera import project, root_relative
from training.matching.cycle_consistency import FOCAL
from training.matching.target_motion import EXACT_2D, TargetMotion, fit_to_keypoints, usual_lengths
from training.motion.body_variation import statures_m

TRACKS = 30


class Lifter(torch.nn.Module):
    """Knows the pose of every frame, but errs by a few centimetres, most in depth, and anew each frame."""

    def __init__(self, people, windows, error_m=0.05):
        super().__init__()
        self.anything = torch.nn.Parameter(torch.zeros(1))
        noise = torch.randn(people.joints_m.shape, generator=torch.Generator().manual_seed(1))
        lifted = root_relative(people.joints_m) + noise * torch.tensor([0.4, 0.4, 1.0]) * error_m
        self.of_keypoints = dict(
            zip(map(tuple, windows.keypoints.flatten(1).tolist()), lifted.flatten(0, 1), strict=True)
        )

    def forward(self, keypoints):
        middle = keypoints[:, keypoints.shape[1] // 2].flatten(1).tolist()
        return root_relative(torch.stack([self.of_keypoints[tuple(one)] for one in middle]))


@pytest.fixture(scope="module")
def people():
    return film_target(TRACKS, seed=4)


@pytest.fixture(scope="module")
def windows(people):
    return target_keypoints(people)


@pytest.fixture(scope="module")
def lifted(people, windows):
    return Lifter(people, windows)(windows.keypoints[:, None])


def truth(people):
    return root_relative(people.joints_m).flatten(0, 1)


class TestFit:
    def test_it_comes_nearer_to_the_truth(self, people, windows, lifted):
        fitted = fit_to_keypoints(lifted, windows.keypoints, windows.sequence, ABOVE.focal)
        before, after = mpjpe(lifted, truth(people)), mpjpe(fitted.pose_m, truth(people))
        assert after < 0.75 * before

    def test_and_onto_the_keypoints(self, windows, lifted):
        fitted = fit_to_keypoints(lifted, windows.keypoints, windows.sequence, ABOVE.focal)
        lens = torch.full((len(lifted),), ABOVE.focal)
        off = (project(fitted.pose_m + fitted.position_m[:, None], lens) - windows.keypoints).norm(dim=-1)
        size = (windows.keypoints.amax(1) - windows.keypoints.amin(1)).mean()
        assert off.mean() < 0.03 * size
        assert torch.equal(fitted.pose_m[:, 0], torch.zeros(len(lifted), 3))

    def test_bones_keep_their_length_over_a_track(self, windows, lifted):
        fitted = fit_to_keypoints(lifted, windows.keypoints, windows.sequence, ABOVE.focal)

        def spread(poses):
            return float(bone_lengths(poses).unflatten(0, (TRACKS, FRAMES)).std(1).mean())

        assert spread(fitted.pose_m) < 0.5 * spread(lifted)

    def test_what_fits_already_stays(self, people, windows):
        fitted = fit_to_keypoints(truth(people), windows.keypoints, windows.sequence, ABOVE.focal)
        assert mpjpe(fitted.pose_m, truth(people)) < 0.01

    def test_keypoints_that_err_as_detectors_do_are_to_weigh_less(self, people, windows, lifted):
        """They are off by 4% of the person's size, for the whole track: no smoothing takes that away."""
        size = (windows.keypoints.amax(1) - windows.keypoints.amin(1)).mean()
        offset = torch.randn(TRACKS, 1, 16, 2, generator=torch.Generator().manual_seed(2)) * 0.04 * size
        seen = windows.keypoints + offset.expand(-1, FRAMES, -1, -1).flatten(0, 1)
        exact, light = (
            mpjpe(fit_to_keypoints(lifted, seen, windows.sequence, ABOVE.focal, weight).pose_m, truth(people))
            for weight in (EXACT_2D, 3.0)
        )
        assert light < 0.9 * exact
        assert light < mpjpe(lifted, truth(people))

    def test_usual_lengths_are_each_tracks_median_and_the_same_on_both_sides(self, lifted, windows):
        usual = usual_lengths(lifted, windows.sequence)
        first = np.median(bone_lengths(lifted[:FRAMES]).numpy(), axis=0)  # FRAMES is odd: torch's median is this one
        np.testing.assert_allclose(usual[0, 6], first[6], rtol=1e-5)  # the spine has no twin
        np.testing.assert_allclose(usual[0, [1, 4]], (first[1] + first[4]) / 2, rtol=1e-5)
        assert torch.equal(usual[:FRAMES], usual[:1].expand(FRAMES, 15))


class TestTargetMotion:
    def test_without_it_the_source_is_as_it_was(self, windows):
        source = film_source(8, torch.Generator().manual_seed(0))
        motion = TargetMotion(windows, (0.6, 2.0))
        assert motion.mixed_in(source, 0.5, torch.Generator().manual_seed(0)) is source

    def test_the_share_asked_for_is_the_targets_people(self, people, windows):
        source = film_source(8, torch.Generator().manual_seed(0))
        motion = TargetMotion(windows, (1.0, 1.0))
        motion.lift(Lifter(people, windows, error_m=0.0), torch.Generator().manual_seed(0))
        mixed = motion.mixed_in(source, 0.25, torch.Generator().manual_seed(0))
        replaced = (mixed.joints_m != source.joints_m).flatten(1).any(1)
        assert replaced.sum() == 2
        assert mixed.joints_m[replaced, FRAMES // 2, 0].abs().max() == 0
        # Each is one of the target's poses, or its mirror image: its joints lie as far from each other.
        known = torch.cdist(truth(people), truth(people)).flatten(1)
        mirror = [0, 4, 5, 6, 1, 2, 3, 7, 8, 9, 13, 14, 15, 10, 11, 12]
        for pose in mixed.joints_m[replaced, FRAMES // 2]:
            nearest = min(
                float((known - torch.cdist(one, one).flatten()).abs().mean(1).min()) for one in (pose, pose[mirror])
            )
            assert nearest < 0.02

    def test_its_people_are_as_tall_as_they_are_known_to_be(self, people, windows):
        source = film_source(8, torch.Generator().manual_seed(0))
        motion = TargetMotion(windows, (1.0, 1.0), height_m=1.42)
        motion.lift(Lifter(people, windows, error_m=0.0), torch.Generator().manual_seed(0))
        mixed = motion.mixed_in(source, 0.5, torch.Generator().manual_seed(0))
        replaced = (mixed.joints_m != source.joints_m).flatten(1).any(1)
        torch.testing.assert_close(statures_m(mixed.joints_m[replaced]), torch.full((4,), 1.42))
        assert (statures_m(mixed.joints_m[~replaced]) - 1.42).abs().min() > 0.05

    def test_they_may_stand_anywhere_in_a_batch(self, people, windows):
        """What is dealt to the first or the last rows, as random turns are, then reaches source and target alike."""
        source, random = film_source(8, torch.Generator().manual_seed(0)), torch.Generator().manual_seed(0)
        motion = TargetMotion(windows, (1.0, 1.0))
        motion.lift(Lifter(people, windows, error_m=0.0), random)
        replaced = torch.zeros(8)
        for _ in range(200):
            replaced += (motion.mixed_in(source, 0.25, random).joints_m != source.joints_m).flatten(1).any(1)
        # A quarter each: 50 of 200, with a standard deviation of 6.
        assert 25 < replaced.min() <= replaced.max() < 75

    def test_it_stands_along_z_where_the_verticals_are_known(self, people, windows):
        """As they do in the world: the share that is the target's is the target's motion before it was filmed."""
        source = film_source(8, torch.Generator().manual_seed(0))
        motion = TargetMotion(windows, (1.0, 1.0))
        motion.up = people.up
        motion.lift(Lifter(people, windows, error_m=0.0), torch.Generator().manual_seed(0))
        mixed = motion.mixed_in(source, 0.5, torch.Generator().manual_seed(0))
        replaced = (mixed.joints_m != source.joints_m).flatten(1).any(1)
        assert replaced.sum() == 4
        torch.testing.assert_close(mixed.up[replaced], torch.tensor([[0.0, 0.0, 1.0]]).expand(4, 3))
        assert torch.equal(mixed.up[~replaced], source.up[~replaced])
        heights = (truth(people) * people.up.repeat_interleave(FRAMES, 0)[:, None]).sum(-1)
        for pose in mixed.joints_m[replaced, FRAMES // 2]:
            mirror = [0, 4, 5, 6, 1, 2, 3, 7, 8, 9, 13, 14, 15, 10, 11, 12]
            off = [(pose[order, 2] - heights).abs().amax(1).min() for order in (list(range(16)), mirror)]
            assert min(off) < 0.05

    def test_its_state_goes_on(self, people, windows):
        source = film_source(8, torch.Generator().manual_seed(0))
        first, second = (TargetMotion(windows, (0.6, 2.0)) for _ in range(2))
        first.lift(Lifter(people, windows), torch.Generator().manual_seed(0))
        second.load_state_dict(first.state_dict())
        one, other = (motion.mixed_in(source, 0.5, torch.Generator().manual_seed(3)) for motion in (first, second))
        assert torch.equal(one.joints_m, other.joints_m)

    def test_errors_of_the_detector_are_what_the_projected_motion_leaves(self, people, windows):
        """Of one wrist in one frame; relative to the person's size; zero of what was not lifted, and of no foot."""
        motion = TargetMotion(windows, (1.0, 1.0))
        assert motion.detector_errors(torch.tensor([0])) is None
        rows = torch.arange(2, len(windows))
        place = people.joints_m.flatten(0, 1)[rows] + torch.tensor([0.0, 0.0, 4.0])
        exact = project(place, torch.full((len(rows),), FOCAL))
        off, wrist, frame = torch.tensor([0.03, -0.02]), H36M16.index("left_wrist"), 3
        seen_at = windows.keypoints.clone()
        seen_at[rows] = exact
        seen_at[frame, wrist] += off
        seen_at[frame + 1, 0, 0] = torch.nan
        watched = copy.copy(windows)
        watched.keypoints = seen_at
        motion = TargetMotion(watched, (1.0, 1.0))
        state = {"joints": place, "sequence": windows.sequence[rows], "up": torch.empty(0, 3), "rows": rows}
        motion.load_state_dict(state)
        errors = motion.detector_errors(torch.tensor([frame]))[0]
        middle = FRAMES // 2
        body = seen_at[frame]
        size = (body.amax(0) - body.amin(0)).mean()
        torch.testing.assert_close(errors[middle, wrist], off / size, atol=1e-5, rtol=0)
        others = errors.clone()
        others[middle, wrist] = 0
        assert others.abs().max() < 1e-5  # also before row 2, and where a joint is not seen

    def test_a_long_target_is_lifted_in_part_and_by_whole_tracks(self, people, windows, monkeypatch):
        monkeypatch.setattr("training.matching.target_motion.MOST_FRAMES", 5 * FRAMES + 3)
        motion = TargetMotion(windows, (0.6, 2.0))
        motion.lift(Lifter(people, windows), torch.Generator().manual_seed(0))
        lifted_tracks, counts = motion.state_dict()["sequence"].unique(return_counts=True)
        assert len(lifted_tracks) == 5
        assert counts.tolist() == [FRAMES] * 5

    @pytest.mark.parametrize(("new", "lifted_new"), [(20, 3), (2, 2)])
    def test_earlier_targets_get_half_and_what_the_new_one_does_not_need(
        self, people, windows, monkeypatch, new, lifted_new
    ):
        monkeypatch.setattr("training.matching.target_motion.MOST_FRAMES", 6 * FRAMES)
        replayed = copy.copy(windows)
        replayed.earlier = (TRACKS - new) * FRAMES
        motion = TargetMotion(replayed, (0.6, 2.0))
        motion.lift(Lifter(people, windows), torch.Generator().manual_seed(0))
        lifted_tracks = motion.state_dict()["sequence"].unique()
        assert (int((lifted_tracks < new).sum()), len(lifted_tracks)) == (lifted_new, 6)

    def test_single_images_are_no_motion(self):
        still = seen(swinging_people(3, 0.8, torch.Generator().manual_seed(0)), ABOVE, torch.Generator().manual_seed(1))
        one = target_keypoints(CameraWindows(still.joints_m[:, :FRAMES], still.position_m, still.focal))
        one.keypoints, one.sequence = one.keypoints[:2], torch.tensor([0, 1])
        one._first = one._last = torch.tensor([0, 1])

        motion = TargetMotion(one, (0.6, 2.0))
        motion.lift(Lifter(still, target_keypoints(still)), torch.Generator().manual_seed(0))
        source = film_source(8, torch.Generator().manual_seed(0))
        assert motion.mixed_in(source, 0.5, torch.Generator().manual_seed(0)) is source
