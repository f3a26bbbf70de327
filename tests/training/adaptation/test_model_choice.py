"""Lifters that contradict themselves, and the choice among them; no label has a part in it."""

import copy
import dataclasses

import pytest
import torch

from tests.training.toy_gap import film_source, film_target, target_keypoints, trained_lifter
from training.adaptation.model_choice import HELD_OUT_EVERY, ModelChoice, SelfConsistency, hold_out, self_consistency
from training.evaluation.expected_error import expected_error_mm
from training.matching.cycle_consistency import cycle_consistency_mm, turned_motion
from training.target.target_windows import TargetSequence

PLAIN = SelfConsistency(reprojection=8.0, length_variation=10.0, asymmetry=8.0, cycle_consistency_mm=100.0)


@pytest.fixture(scope="module")
def lifter():
    return trained_lifter(0)


@pytest.fixture(scope="module")
def windows():
    """People as the lifter knows them."""
    return target_keypoints(film_source(60, torch.Generator().manual_seed(5)))


def noisy(lifter, deviation):
    worse = copy.deepcopy(lifter)
    random = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for weights in worse.parameters():
            weights.mul_(1 + deviation * torch.randn(weights.shape, generator=random))
    return worse.eval()


def constant(lifter):
    """Collapsed: the same pose whatever it sees."""
    worse = copy.deepcopy(lifter)
    torch.nn.init.zeros_(worse.head.weight)
    return worse.eval()


class TestTurnedAgain:
    def test_turned_motion_is_the_lifters_own_turned(self, lifter, windows):
        centres = torch.arange(4, len(windows), 9)
        with torch.no_grad():
            lifted = lifter(windows.at(centres))
            turned = turned_motion(lifter, windows, centres, torch.Generator().manual_seed(0))
        own, seen = torch.cdist(lifted, lifted), torch.cdist(turned.middle_pose_m, turned.middle_pose_m)
        torch.testing.assert_close(seen, own, rtol=1e-3, atol=1e-3)  # a rotation keeps all distances
        assert (turned.middle_pose_m - lifted).norm(dim=-1).mean() > 0.1
        roots = windows.keypoints[centres][:, 0]
        torch.testing.assert_close(turned.keypoints[:, 4, 0], roots, rtol=1e-4, atol=1e-5)

    def test_a_lifter_that_is_right_says_the_same_again(self, windows):
        """Exact at any view: the pose of the turned motion, looked up by its 2D."""

        class Oracle(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.anything = torch.nn.Parameter(torch.zeros(1))
                self.people = film_source(60, torch.Generator().manual_seed(5))
                self.pose = None

            def forward(self, keypoints):
                if self.pose is None:  # the first call lifts all frames of all windows
                    frames = windows.frames_of(torch.linspace(0, len(windows) - 1, 400).long())
                    poses = (self.people.joints_m - self.people.joints_m[:, :, :1]).flatten(0, 1)
                    self.pose = poses[frames[:, frames.shape[1] // 2]]
                    return poses[frames.flatten()]
                return self.turned

        oracle = Oracle()
        random = torch.Generator().manual_seed(20_220_619)
        frames = torch.linspace(0, len(windows) - 1, 400).long()
        oracle.turned = turned_motion(oracle, windows, frames, random).middle_pose_m
        oracle.pose = None
        assert cycle_consistency_mm(oracle, windows) == pytest.approx(0, abs=1e-3)
        oracle.pose, oracle.turned = None, oracle.turned + torch.tensor([0.0, 0.0, 0.02])
        assert cycle_consistency_mm(oracle, windows) == pytest.approx(20, abs=1e-2)


class TestRelative:
    def test_by_hand(self):
        better = SelfConsistency(reprojection=4.0, length_variation=5.0, asymmetry=8.0, cycle_consistency_mm=50.0)
        assert better.relative_to(PLAIN) == pytest.approx(
            (4.0 / PLAIN.reprojection + 50.0 / PLAIN.cycle_consistency_mm) / 2
        )
        assert PLAIN.relative_to(PLAIN) == 1

    def test_one_number_that_vanishes_does_not_outweigh_another_that_doubles(self):
        flat = dataclasses.replace(PLAIN, reprojection=0.0, cycle_consistency_mm=2.0 * PLAIN.cycle_consistency_mm)
        assert flat.relative_to(PLAIN) > 1
        assert dataclasses.replace(PLAIN, cycle_consistency_mm=0.0, reprojection=20.0).relative_to(PLAIN) > 1

    def test_bone_lengths_and_sides_have_no_say(self):
        assert dataclasses.replace(PLAIN, length_variation=90.0, asymmetry=90.0).relative_to(PLAIN) == 1

    def test_less_than_can_be_told_is_no_better(self):
        tiny = SelfConsistency(reprojection=1.0, length_variation=0.1, asymmetry=0.1, cycle_consistency_mm=1.0)
        none = SelfConsistency(reprojection=0.0, length_variation=0.0, asymmetry=0.0, cycle_consistency_mm=0.0)
        assert none.relative_to(tiny) == 1

    def test_the_expected_error_counts_where_both_tell_one(self):
        told = dataclasses.replace(PLAIN, expected_error_mm=80.0)
        surer = dataclasses.replace(PLAIN, expected_error_mm=40.0)
        assert surer.relative_to(told) == pytest.approx((1 + 1 + 0.5) / 3)
        assert surer.relative_to(PLAIN) == PLAIN.relative_to(surer) == 1

    def test_the_expected_error_is_that_of_normal_errors(self):
        random = torch.Generator().manual_seed(0)
        errors = 0.03 * torch.randn(4000, 20, 3, generator=random)
        errors[:, 16:] = 5.0  # feet have no say
        deviations = torch.full_like(errors, 0.03)
        deviations[:, 0], deviations[:, 16:] = 0, 5.0
        mean_mm = float(errors[:, 1:16].norm(dim=-1).mean()) * 1000
        assert expected_error_mm(deviations) == pytest.approx(mean_mm, rel=0.01)


class TestChoice:
    @pytest.mark.parametrize(
        ("values", "step"),
        [
            ((0.9, 0.7, 0.75, 0.84), 3),  # of equally good ones the last
            ((0.9, 0.7, 0.85), 2),
            ((0.9, 0.8, 0.85, 0.89), 4),  # no further from the best than told
            ((1.2, 1.001), 0),  # none is better than the start, however near
            ((float("nan"), 0.9), 2),
        ],
    )
    def test_of_equally_good_ones_the_last(self, lifter, windows, monkeypatch, values, step):
        choice, left = ModelChoice(lifter, windows), list(values)
        monkeypatch.setattr(SelfConsistency, "relative_to", lambda *_: left.pop(0))
        for number in range(1, len(values) + 1):
            choice.consider(number, noisy(lifter, 0.01 * number))
        assert choice.step == step
        assert choice.inconsistency == ((1.0, *values)[step])
        assert choice.helped == (step > 0)

    def test_it_orders_lifters_as_their_errors_do(self, lifter, windows):
        start = noisy(lifter, 0.3)
        choice = ModelChoice(start, windows)
        order = [choice.consider(step, noisy(lifter, amount)) for step, amount in enumerate((0.2, 0.1, 0.05, 0.0), 1)]
        assert order == sorted(order, reverse=True)
        assert order[0] < 1
        assert (choice.helped, choice.step) == (True, 4)
        assert torch.equal(choice.lifter.head.weight, lifter.head.weight)

    @pytest.mark.parametrize("worse", [constant, lambda lifter: noisy(lifter, 0.5)], ids=["collapsed", "ruined"])
    def test_what_is_worse_is_not_taken(self, lifter, windows, worse):
        choice = ModelChoice(lifter, windows)
        assert choice.consider(10, worse(lifter)) > 1
        assert (choice.helped, choice.step, choice.inconsistency) == (False, 0, 1.0)
        assert torch.equal(choice.lifter.head.weight, lifter.head.weight)

    def test_on_views_it_does_not_know_a_lifter_contradicts_itself_more(self, lifter, windows):
        strange = target_keypoints(film_target(60, seed=3))
        assert self_consistency(lifter, strange).relative_to(self_consistency(lifter, windows)) > 1.2

    def test_what_helps_the_target_and_harms_an_earlier_one_is_not_taken(self, lifter, windows):
        """The mean of both ratios decides; each is what a choice by that target alone says."""
        strange, start, other = target_keypoints(film_target(60, seed=3)), noisy(lifter, 0.1), noisy(lifter, 0.15)
        alone = [ModelChoice(start, one).consider(1, other) for one in (windows, strange)]
        both = ModelChoice(start, windows, strange)
        assert both.consider(1, other) == pytest.approx(sum(alone) / 2)
        assert both.helped == (sum(alone) / 2 < 1)

    def test_its_state_goes_on(self, lifter, windows):
        first = ModelChoice(noisy(lifter, 0.3), windows)
        first.consider(1, noisy(lifter, 0.1))
        second = ModelChoice(noisy(lifter, 0.3), windows)
        second.load_state_dict(first.state_dict())
        assert (second.step, second.inconsistency, second.seen) == (1, first.inconsistency, first.seen)
        assert torch.equal(second.lifter.head.weight, first.lifter.head.weight)
        assert second.consider(2, lifter) == first.consider(2, lifter)


class TestHoldOut:
    def test_every_tenth_sequence_is_spared(self, windows):
        one = windows.keypoints[:9].numpy()
        sequences = [TargetSequence(str(i), one, one[..., 0], 1.0) for i in range(2 * HELD_OUT_EVERY + 3)]
        adapted_to, held_out = hold_out(sequences)
        assert [sequence.name for sequence in held_out] == ["9", "19"]
        assert sorted(adapted_to + held_out, key=lambda s: int(s.name)) == sequences
        few = sequences[: HELD_OUT_EVERY - 1]
        assert hold_out(few) == (few, few)
