"""A lifter whose errors are known is made to tell them, on what it did not learn from."""

import copy
from functools import partial

import pytest
import torch

from tests.training.adaptation.test_feet_adaptation import FRAMES, adaptation, new_lifter, target
from tests.training.motion.clips import moving_clip
from training.adaptation.adaptation_loop import candidate_steps, run_adaptation
from training.adaptation.default_step import lesson_of
from training.adaptation.model_choice import ModelChoice
from training.adaptation.spread_calibration import FEWEST, LEAST, MOST, calibrate_spread
from training.cameras.random_cameras import CameraRanges, film
from training.motion.drawn_feet import with_drawn_feet
from training.motion.source_windows import SourceWindows
from training.runs.progress import History
from training.settings.method import RECIPES


@pytest.fixture(scope="module")
def source():
    """Draws windows of a walking person with feet."""
    windows = SourceWindows(with_drawn_feet([moving_clip("a_1", 90, 50.0, 0.0)], 0), FRAMES, (0.03, 0.05))
    return lambda count, random: film(windows.sample(count, random), CameraRanges(), random)


@pytest.fixture(scope="module")
def examples():
    """Windows, and what an untrained lifter says of them."""
    keypoints = torch.randn(4000, FRAMES, 20, 3, generator=torch.Generator().manual_seed(0)).clamp(-1, 1)
    with torch.no_grad():
        return keypoints, new_lifter().outputs(keypoints)


def off_by(outputs, factors):
    """Poses that the joints miss by so many told deviations."""
    noise = torch.randn(outputs.joints_m.shape, generator=torch.Generator().manual_seed(1))
    return outputs.joints_m - noise * factors * outputs.deviations_m


def test_each_coordinate_is_told_as_far_off_as_it_is(examples):
    keypoints, before = examples
    factors = torch.linspace(0.6, 1.8, 60).reshape(20, 3)
    lifter = new_lifter()
    calibrate_spread(lifter, keypoints, off_by(before, factors))
    with torch.no_grad():
        after = lifter.outputs(keypoints)
    told = after.deviations_m / before.deviations_m
    torch.testing.assert_close(told, told[:1].expand_as(told))  # the same factor for every window
    torch.testing.assert_close(told[0, 1:], factors[1:], rtol=0.05, atol=0.0)
    torch.testing.assert_close(told[0, 0], torch.ones(3))  # the root is always right
    for name in ("joints_m", "up", "up_deviation", "contact"):
        assert torch.equal(getattr(before, name), getattr(after, name)), name


def test_it_is_corrected_within_limits(examples):
    keypoints, before = examples
    for factor, limit in ((0.1, LEAST), (10.0, MOST)):
        lifter = new_lifter()
        calibrate_spread(lifter, keypoints, off_by(before, torch.tensor(factor)))
        with torch.no_grad():
            told = lifter.outputs(keypoints[:8]).deviations_m / before.deviations_m[:8]
        torch.testing.assert_close(told[:, 1:], torch.full_like(told[:, 1:], limit))


def test_few_examples_change_nothing(examples):
    keypoints, before = examples
    lifter, unchanged = new_lifter(), new_lifter()
    calibrate_spread(lifter, keypoints[: FEWEST - 1], off_by(before, torch.tensor(1.5))[: FEWEST - 1])
    assert torch.equal(lifter.more.bias, unchanged.more.bias)


@pytest.fixture(scope="module")
def held_out(source):
    return source(400, torch.Generator().manual_seed(9))


class TestAdaptation:
    def test_exact_2d_is_calibrated_and_detections_are_not(self, source, held_out):
        spread = slice(3, 63)
        for recipe, changed in (("default", True), ("detections", False)):
            made = adaptation(source, target(source, feet=False), recipe)
            before = made.teacher.averaged_lifter
            after = copy.deepcopy(before).eval()
            made.calibrate(after, held_out)
            assert torch.equal(before.more.bias[spread], after.more.bias[spread]) is not changed
            rest = [i for i in range(68) if not 6 <= i < 63]  # without the root's, which is 1
            assert torch.equal(before.more.bias[rest], after.more.bias[rest])

    def test_it_is_true_of_the_held_out_motion_as_the_target_sees_it(self, source, held_out):
        """The lifter errs, and so it tells: of motion like the source's the mean square is one deviation."""
        made = adaptation(source, target(source, feet=False), "default", limb_exchange=0.0)
        lifter = copy.deepcopy(made.teacher.averaged_lifter).eval()
        lifter.scale_spread(torch.full((20, 3), 0.4))  # an untrained one tells a metre
        made.calibrate(lifter, held_out)
        random = torch.Generator().manual_seed(3)
        _, seen, up = made.matched.target_windows(400, random)
        again = made.matched.draw(held_out, seen, 1.0, random, up, target_share=0.0)
        keypoints = torch.cat([again.keypoints, torch.ones_like(again.keypoints[..., :1])], -1)
        with torch.no_grad():
            told = lifter.outputs(keypoints)
        far = ((told.joints_m - again.middle_pose_m) / told.deviations_m)[:, 1:].square().mean().sqrt()
        assert float(far) == pytest.approx(1.0, abs=0.25)

    def test_it_is_calibrated_on_the_same_whenever_it_is(self, source, held_out):
        made = adaptation(source, target(source, feet=False), "default")
        biases = []
        for seed in (1, 2):
            torch.manual_seed(seed)
            lifter = copy.deepcopy(made.teacher.averaged_lifter).eval()
            made.calibrate(lifter, held_out)
            biases.append(lifter.more.bias)
        assert torch.equal(*biases)

    def test_windows_are_shown_as_in_use_and_only_those_that_are_kept(self, source, held_out):
        """Some joints are hidden, and what lies outside the image is left out."""
        made = adaptation(source, target(source, feet=False), "default")
        lesson = lesson_of(held_out)
        lesson.keypoints[:100] += 50.0
        shown, pose_m = made.teacher.as_shown(lesson, torch.Generator().manual_seed(0))
        assert len(shown) == len(pose_m) <= 300
        assert torch.equal(pose_m, lesson.pose_m[100:][: len(pose_m)]) or len(pose_m) < 300
        hidden = (shown[..., 2] == 0).float().mean()
        assert 0.01 < float(hidden) < 0.5

    def test_the_targets_own_motion_is_not_shown(self, source, held_out, monkeypatch):
        made = adaptation(source, target(source, feet=False), "default")
        shares = []
        mixed = made.matched.target_motion.mixed_in

        def noted(given, share, random):
            shares.append(share)
            return mixed(given, share, random)

        monkeypatch.setattr(made.matched.target_motion, "mixed_in", noted)
        made.calibrate(copy.deepcopy(made.teacher.averaged_lifter).eval(), held_out)
        assert shares == [0.0]
        made.step(1, torch.Generator().manual_seed(0))
        assert shares == [0.0, RECIPES["default"].target_share]

    def test_the_result_is_calibrated_and_neither_candidates_nor_training_are(self, source, held_out, tmp_path):
        results = {}
        for name, given in (("with", held_out), ("without", None)):
            made = adaptation(source, target(source, feet=False), "default")
            made.teacher.steps = 8
            candidates = {}
            choice = ModelChoice(new_lifter(), target(source, feet=False))
            choice.consider = partial(keep, choice)  # whatever it is worth
            run_adaptation(
                made, choice, History(), torch.Generator().manual_seed(0), title="", steps=8,
                state=tmp_path / f"{name}.pt", tensorboard=tmp_path / name, identity="", save_every=8, held_out=given,
                on_candidate=lambda step, lifter, kept=candidates: kept.update({step: lifter}),
            )  # fmt: skip
            results[name] = (candidates, made.teacher.averaged_lifter, choice.lifter)
        assert list(results["with"][0]) == candidate_steps(8)
        for calibrated, plain in zip(*(results[name][0].values() for name in ("with", "without")), strict=True):
            assert same(calibrated, plain)
        assert same(results["with"][1], results["without"][1])
        told, untold = (results[name][2].state_dict() for name in ("with", "without"))
        assert not torch.equal(told.pop("more.bias"), untold.pop("more.bias"))
        assert all(torch.equal(told[key], untold[key]) for key in told)

    def test_a_start_that_is_kept_is_left_as_it_was(self, source, held_out, tmp_path):
        made = adaptation(source, target(source, feet=False), "default")
        made.teacher.steps = 2
        start = new_lifter()
        choice = ModelChoice(start, target(source, feet=False))
        choice.consider = lambda step, lifter: 2.0
        run_adaptation(
            made, choice, History(), torch.Generator().manual_seed(0), title="", steps=2, state=tmp_path / "s.pt",
            tensorboard=tmp_path / "t", identity="", save_every=8, held_out=held_out,
        )  # fmt: skip
        assert not choice.helped
        assert same(choice.lifter, start)


def keep(choice, step, lifter):
    """The choice of any candidate."""
    choice.step, choice.lifter = step, copy.deepcopy(lifter)
    return 0.5


def same(one, other):
    """Whether two lifters have the same weights."""
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(*pair) for pair in pairs)
