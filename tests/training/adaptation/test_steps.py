"""What a step of either recipe looks at: which frames, by which lifter, how often, and how much is left to chance."""

import copy
import dataclasses

import pytest
import torch

from tests.lifters import random_lifter
from tests.training.toy_gap import FRAMES, adaptation_of, film_source, film_target, target_keypoints
from training.lifter.lifter import TemporalLifter
from training.matching.view_matched_source import matching_rotation
from training.motion.body_variation import mirrored
from training.settings.method import RECIPES

PAPER = dataclasses.replace(RECIPES["paper"], discriminators_every=1)
DEFAULT = RECIPES["default"]


@pytest.fixture(scope="module")
def target():
    return target_keypoints(film_target(200, seed=3))


@pytest.fixture(scope="module")
def lifter():
    return random_lifter((3, 3), channels=16)


class TestDiscriminatorsSeeAllFrames:
    """A bone has turned by next to nothing in the first frame, by its whole angle in the last: each must be judged."""

    def frames_seen(self, lifter, target, discriminator, motion):
        """Of the real windows that a discriminator is asked about in a step, the frames it was shown."""
        adaptation, random = adaptation_of(lifter, target, PAPER, seed=0, batch=128)
        asked, drawn = [], {}
        adaptation.parts()[discriminator].register_forward_pre_hook(lambda _, given: asked.append(given[0].detach()))
        draw, adaptation.target = adaptation.source, copy.copy(target)
        adaptation.source = lambda count, generator: drawn.setdefault("source", draw(count, generator))
        adaptation.target.sample = lambda count, generator: drawn.setdefault("target", target.sample(count, generator))
        adaptation.step(1, random)
        windows = motion(drawn)
        seen = asked[1]  # after the generator's fakes
        assert seen.shape == windows[:, 0].shape
        return {int(frame) for frame in (seen[:, None] == windows).flatten(2).all(-1).float().argmax(1)}

    def test_2d(self, lifter, target):
        found = self.frames_seen(lifter, target, "domain_discriminator", lambda drawn: drawn["target"])
        assert found == set(range(FRAMES))

    def test_3d(self, lifter, target):
        found = self.frames_seen(lifter, target, "pose_discriminator", lambda drawn: drawn["source"].joints_m)
        assert found == set(range(FRAMES))


def test_the_target_is_lifted_four_times(lifter, target):
    """At the steps that the recipe names: each time by a lifter that has learned more."""
    adaptation, random = adaptation_of(lifter, target, DEFAULT, seed=0, steps=10)
    motion, lifted_at = adaptation.matched.target_motion, []
    for step in range(1, 11):
        before = motion.state_dict()["joints"]
        adaptation.step(step, random)
        if not torch.equal(before, motion.state_dict()["joints"]):
            lifted_at.append(step)
    assert lifted_at == [2, 4, 6, 8]


class TestRandomTurns:
    """Many at the start, few from the middle of the run on."""

    METHOD = dataclasses.replace(
        DEFAULT, target_share=0.0, limb_exchange=0.0, source_bodies=0.0, turn_deviation_deg=(0.0, 0.0)
    )

    @pytest.mark.parametrize(("progress", "share"), [(0.0, 0.5), (0.25, 0.3), (0.5, 0.1), (1.0, 0.1)])
    def test_their_share_falls(self, lifter, target, progress, share):
        """Without jitter, a window that is matched lies over the lifter's estimate of its target window."""
        adaptation, random = adaptation_of(lifter, target, self.METHOD, seed=0)
        source, seen = film_source(200, random), target.sample(200, random)
        made = adaptation.matched.draw(source, seen, progress, random)
        with torch.no_grad():
            wanted = lifter(seen)
        left = matching_rotation(made.middle_pose_m, wanted)
        matched = (left - torch.eye(3)).abs().amax((1, 2)) < 1e-3
        assert float((~matched).float().mean()) == pytest.approx(share, abs=0.011)

    @pytest.mark.parametrize(("progress", "degrees"), [(0.0, 45.0), (0.25, 27.5), (0.5, 10.0), (1.0, 10.0)])
    def test_the_jitter_of_the_others_falls(self, lifter, target, progress, degrees):
        deviation = DEFAULT.turn_deviation_deg
        method = dataclasses.replace(self.METHOD, random_turns=(0.0, 0.0), turn_deviation_deg=deviation)
        adaptation, random = adaptation_of(lifter, target, method, seed=0)
        source, seen = film_source(2000, random), target.sample(2000, random)
        made = adaptation.matched.draw(source, seen, progress, random)
        with torch.no_grad():
            left = matching_rotation(made.middle_pose_m, lifter(seen))
        angle = torch.rad2deg(torch.acos(((left.diagonal(dim1=1, dim2=2).sum(-1) - 1) / 2).clamp(-1, 1)))
        # The length of three normal numbers: its median is 1.538 of their deviation, up to half a turn.
        assert float(angle.median()) == pytest.approx(1.538 * degrees, rel=0.06)

    def test_they_reach_source_and_target_motion_alike(self, lifter, target):
        method = dataclasses.replace(self.METHOD, target_share=0.4)
        adaptation, random = adaptation_of(lifter, target, method, seed=0)
        adaptation.matched.target_motion.lift(lifter, random)
        source, seen = film_source(200, random), target.sample(200, random)
        mixed, rows = adaptation.matched.target_motion.mixed_in, []

        def noted(*given):
            made = mixed(*given)
            rows.append((made.joints_m != given[0].joints_m).flatten(1).any(1))
            return made

        adaptation.matched.target_motion.mixed_in = noted
        made = adaptation.matched.draw(source, seen, 0.0, random)
        with torch.no_grad():
            left = matching_rotation(made.middle_pose_m, lifter(seen))
        turned_at_random = (left - torch.eye(3)).abs().amax((1, 2)) > 1e-3
        for of_target in (rows[0], ~rows[0]):
            assert float(turned_at_random[of_target].float().mean()) == pytest.approx(0.5, abs=0.15)


class TestTheAverageTellsTheViews:
    """It swings less than the lifter that learns."""

    def made(self, lifter, target, lost):
        adaptation, _ = adaptation_of(lifter, target, DEFAULT, seed=0)
        if lost:
            with torch.no_grad():
                for weights in getattr(adaptation.teacher, lost).parameters():
                    weights.mul_(-0.3)
        return adaptation.examples(16, torch.Generator().manual_seed(1))[1].joints_m

    def test_of_matched_motion(self, lifter, target):
        expected = self.made(lifter, target, None)
        assert torch.equal(self.made(lifter, target, "lifter"), expected)
        assert not torch.allclose(self.made(lifter, target, "averaged_lifter"), expected, atol=1e-2)

    @pytest.mark.parametrize("step", [1, 2], ids=["views", "views and target lifted"])
    def test_in_a_step(self, lifter, target, monkeypatch, step):
        """The lifter is asked for its answers while it learns, and for nothing else."""
        adaptation, random = adaptation_of(lifter, target, DEFAULT, seed=0, steps=10)
        asked, forward = [], TemporalLifter.forward

        def noted(self, windows):
            asked.append((self is adaptation.teacher.lifter, self.training))
            return forward(self, windows)

        monkeypatch.setattr(TemporalLifter, "forward", noted)
        adaptation.step(step, random)
        assert asked.count((True, True)) == 1
        assert asked.count((True, False)) == 0
        assert asked.count((False, False)) >= step


def test_a_mirrored_teacher_turns_mirrored_people_the_mirrored_way(lifter, target):
    """The source motion that is laid over a target person is the mirrored one's for the mirrored person."""
    method = dataclasses.replace(DEFAULT, mirrored_teacher=True)
    adaptation, _ = adaptation_of(lifter, target, method, seed=0)
    with adaptation.matched._steady_lifter() as steady:
        windows = target.sample(5, torch.Generator().manual_seed(0))
        torch.testing.assert_close(steady(mirrored(windows)), mirrored(steady(windows)), rtol=0, atol=1e-5)
