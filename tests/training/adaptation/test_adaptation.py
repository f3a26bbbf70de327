"""The adaptation step: everything learns, runs repeat and resume to the bit, and a made-up domain gap closes."""

import copy
import dataclasses

import pytest
import torch

from tests.lifters import random_lifter
from tests.training.toy_gap import (
    FRAMES,
    adaptation_of,
    error_mm,
    film_source,
    film_target,
    target_keypoints,
    trained_lifter,
)
from training.cameras.random_cameras import CameraWindows
from training.lifter.lifter import TemporalLifter
from training.losses.hard_ratio import pose_error
from training.runs.network_weights import frozen
from training.runs.progress import History
from training.runs.resuming import load_state, save_state
from training.settings.method import RECIPES, Method

PAPER, DEFAULT, DETECTIONS = (RECIPES[name] for name in ("paper", "default", "detections"))
NO_WARM_UP = {"warm_up": 0.0}
FAR_REACHING = {**NO_WARM_UP, "hard_ratio_bones": (3.0, 5.0, 1e6), "hard_ratio_camera": (17.0, 1e6)}


@pytest.fixture(scope="module")
def target():
    return target_keypoints(film_target(200, seed=3))


@pytest.fixture(scope="module")
def lifter():
    return random_lifter((3, 3), channels=16)


def weights(network):
    return torch.cat([value.detach().flatten().double() for value in network.state_dict().values()])


def run(adaptation, random, first, last):
    for step in range(first, last + 1):
        adaptation.step(step, random)


def adapted_share(method, seed, steps=50):
    """The target's error after a short adaptation, relative to before.

    From level cameras in the centre to cameras at 60 degrees off it. Adaptation gets the target's 2D; labels are only
    measured with here, on other windows of the same kind.
    """
    lifter, unseen = trained_lifter(seed), film_target(1000, seed=200 + seed)
    adaptation, random = adaptation_of(
        lifter, target_keypoints(film_target(1000, seed=100 + seed)), method, seed, steps=steps, batch=32
    )
    run(adaptation, random, 1, steps)
    return error_mm(adaptation.teacher.averaged_lifter, unseen) / error_mm(lifter, unseen)


ALIGNED = dataclasses.replace(PAPER, position="aligned", keep_norm_statistics=True)
"""The paper's fakes alone, put where target people stand: no source motion among them, no new statistics."""


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("method", "steps", "share"),
    [
        # It begins with turns at random: views come to fit the target's when they are told well enough to match.
        (DEFAULT, 150, 0.9),
        (ALIGNED, 50, 0.95),
        # Fifty steps are few for a learned translation: most of this is the target's batch-norm statistics.
        (PAPER, 50, 0.95),
    ],
    ids=["default", "paper, aligned", "paper"],
)
def test_a_toy_domain_gap_closes(method, steps, share, seed):
    assert adapted_share(method, seed, steps) < share


def test_detections_close_it_too():
    """With one seed: its steps are those of `default`, about a vertical that it finds."""
    assert adapted_share(DETECTIONS, 0, 150) < 0.9


@pytest.mark.parametrize("seed", range(3))
def test_it_is_the_fakes_that_close_it(seed):
    """The same steps with no fake selected leave the error where it was."""
    without = dataclasses.replace(ALIGNED, selection=(-1.0, 1e-6))
    assert adapted_share(without, seed) > 0.97


@pytest.fixture(scope="module")
def stepped(lifter, target):
    """One step of the real losses, hard-ratio feedback included, in float64: a dead parameter shows as zero."""
    adaptation, random = adaptation_of(lifter, target, dataclasses.replace(PAPER, **FAR_REACHING), seed=0, batch=64)
    for part in adaptation.parts().values():
        if isinstance(part, torch.nn.Module):
            part.double()
    adaptation.target = copy.copy(target)
    adaptation.target.keypoints = target.keypoints.double()
    adaptation.source = lambda count, generator: doubled(film_source(count, generator))
    return adaptation, adaptation.step(2, random)


def doubled(windows):
    return CameraWindows(windows.joints_m.double(), windows.position_m.double(), windows.focal.double())


class TestEverythingLearns:
    @pytest.mark.parametrize("part", ["generator", "domain_discriminator", "pose_discriminator", "lifter"])
    def test_every_parameter_gets_a_gradient(self, stepped, part):
        network = stepped[0].parts()[part]
        dead = {n for n, p in network.named_parameters() if p.grad is None or not p.grad.abs().max() > 1e-12}
        assert dead == set()

    def test_the_cameras_distribution_learns(self, stepped):
        """Means, standard deviations and angle: traps 1 and 2 of the published code."""
        head = stepped[0].generator.camera_rotation.trunk.head
        assert (head.weight.grad.abs().amax(1) > 1e-12).all()

    def test_all_terms_were_there(self, stepped):
        assert {name for name in stepped[1] if name.startswith("generator/")} == {
            f"generator/{term}"
            for term in ("adversarial_2d", "adversarial_3d", "ranges", "hard_ratio_bones", "hard_ratio_camera")
        }

    @pytest.mark.parametrize(
        ("term", "reached"),
        [
            ("hard_ratio_bones_weight", {"bone_rotation", "bone_length"}),
            ("hard_ratio_camera_weight", {"bone_rotation", "bone_length", "camera_rotation"}),  # nor where people stand
            ("adversarial_2d", {"bone_rotation", "bone_length", "camera_rotation", "camera_translation"}),
            ("adversarial_3d", {"bone_rotation"}),  # unit bones: lengths do not show
        ],
    )
    def test_who_each_term_teaches(self, lifter, target, term, reached):
        weights_of_terms = dict.fromkeys(
            ("adversarial_2d", "adversarial_3d", "ranges", "hard_ratio_bones_weight", "hard_ratio_camera_weight"), 0.0
        )
        method = dataclasses.replace(PAPER, **FAR_REACHING, **(weights_of_terms | {term: 1.0}))
        adaptation, random = adaptation_of(lifter, target, method, seed=0)
        adaptation.step(1, random)
        found = {
            name
            for name, part in adaptation.generator.named_children()
            if part.trunk.head.weight.grad is not None and part.trunk.head.weight.grad.abs().max() > 1e-7
        }
        assert found == reached


class TestRepeats:
    @pytest.mark.parametrize("method", [DEFAULT, DETECTIONS, PAPER], ids=["default", "detections", "paper"])
    def test_same_seed_same_weights_other_seed_others(self, lifter, target, method):
        results = []
        for seed in (1, 1, 2):
            adaptation, random = adaptation_of(lifter, target, method, seed, steps=5)
            run(adaptation, random, 1, 5)
            results.append(weights(adaptation.teacher.averaged_lifter))
        assert torch.equal(results[0], results[1])
        assert not torch.equal(results[0], results[2])

    @pytest.mark.parametrize("method", [DEFAULT, DETECTIONS, PAPER], ids=["default", "detections", "paper"])
    def test_three_and_three_steps_are_six(self, lifter, target, method, tmp_path):
        """Through the real file, into new objects that were already going another way."""
        whole, random = adaptation_of(lifter, target, method, seed=1)
        run(whole, random, 1, 6)

        stopped, random = adaptation_of(lifter, target, method, seed=1)
        run(stopped, random, 1, 3)
        history = History()
        history.add(3, {"a": 1.0})
        save_state(tmp_path / "state.pt", {**stopped.parts(), "history": history}, random, 3, "settings")

        resumed, random = adaptation_of(random_lifter((3, 3), channels=16, seed=8), target, method, seed=5)
        run(resumed, random, 1, 2)
        parts = {**resumed.parts(), "history": History()}
        assert load_state(tmp_path / "state.pt", parts, random, "settings") == 3
        run(resumed, random, 4, 6)
        for name, part in whole.parts().items():
            if isinstance(part, torch.nn.Module):
                assert torch.equal(weights(resumed.parts()[name]), weights(part)), name

    def test_the_lifter_it_started_from_is_left_alone(self, lifter, target):
        before = weights(lifter)
        adaptation, random = adaptation_of(lifter, target, DEFAULT, seed=0)
        run(adaptation, random, 1, 3)
        assert torch.equal(weights(lifter), before)
        assert not lifter.training
        assert not torch.equal(weights(adaptation.teacher.lifter), before)


def test_a_run_without_a_generator_has_none(lifter, target):
    adaptation, _ = adaptation_of(lifter, target, DEFAULT, seed=0)
    assert set(adaptation.parts()) == {"lifter", "average", "lifter_optimiser", "target_motion"}


class TestSchedule:
    def test_warm_up_is_without_the_lifter(self, lifter, target):
        method = dataclasses.replace(PAPER, warm_up=0.5)
        adaptation, random = adaptation_of(lifter, target, method, seed=0, steps=4)
        before = weights(adaptation.teacher.lifter)
        for step in (1, 2):
            values = adaptation.step(step, random)
            assert not any(name.startswith(("lifter/", "generator/hard_ratio")) for name in values)
        assert torch.equal(weights(adaptation.teacher.lifter), before)
        assert "lifter/fake_mm" in adaptation.step(3, random)
        assert not torch.equal(weights(adaptation.teacher.lifter), before)

    def test_discriminators_learn_every_second_step(self, lifter, target):
        adaptation, random = adaptation_of(lifter, target, PAPER, seed=0)
        before = weights(adaptation.domain_discriminator), weights(adaptation.pose_discriminator)
        assert not any(name.startswith("discriminator/") for name in adaptation.step(1, random))
        assert torch.equal(weights(adaptation.domain_discriminator), before[0])
        assert {"discriminator/2d", "discriminator/3d"} <= adaptation.step(2, random).keys()
        assert not torch.equal(weights(adaptation.domain_discriminator), before[0])
        assert not torch.equal(weights(adaptation.pose_discriminator), before[1])

    @pytest.mark.parametrize(("method", "networks"), [(DEFAULT, 1), (PAPER, 4)], ids=["default", "paper"])
    def test_learning_rates_fall_linearly_to_zero(self, lifter, target, method, networks):
        adaptation, random = adaptation_of(lifter, target, method, seed=0, steps=4)
        moved = []
        for step in range(1, 5):
            adaptation.step(step, random)
            optimisers = [part for name, part in adaptation.parts().items() if name.endswith("_optimiser")]
            moved.append([optimiser.param_groups[0]["lr"] for optimiser in optimisers])
        assert moved == [pytest.approx([1e-3 * share] * networks) for share in (1, 0.75, 0.5, 0.25)]

    def test_the_average_is_a_running_one(self, lifter, target):
        adaptation, random = adaptation_of(lifter, target, dataclasses.replace(DEFAULT, **NO_WARM_UP), seed=0)
        adaptation.step(1, random)
        first = adaptation.teacher.lifter.head.weight.detach().clone()
        adaptation.step(2, random)
        second = adaptation.teacher.lifter.head.weight.detach().clone()
        # Warming up, as training.runs.network_weights says: after one step it keeps 1 / 10, of a decay of 0.9.
        torch.testing.assert_close(adaptation.teacher.averaged_lifter.head.weight, 0.1 * first + 0.9 * second)


class TestSelection:
    def taught(self, lifter, target, nonsense, extent=None, **changes):
        """One step, with the fakes' 3D as generated or replaced by nonsense: does the lifter notice?"""
        method = dataclasses.replace(PAPER, position="aligned", **NO_WARM_UP, **changes)
        adaptation, random = adaptation_of(lifter, target, method, seed=0)
        generate = adaptation.generate

        def wrong(*arguments):
            fakes = generate(*arguments)
            return dataclasses.replace(
                fakes, motion=dataclasses.replace(fakes.motion, joints_m=-3 * fakes.motion.joints_m)
            )

        if nonsense:
            adaptation.generate = wrong
        adaptation.teacher.frame_extent = extent or adaptation.teacher.frame_extent
        values = adaptation.step(1, random)
        return weights(adaptation.teacher.lifter), values

    @pytest.mark.parametrize(
        "excluded", [{"selection": (-1.0, 1e-6)}, {"selection": (0.0, 1e9), "extent": (1e-3, 1e-3)}]
    )
    def test_what_is_excluded_does_not_teach(self, lifter, target, excluded):
        """An error ratio is never within 1e-6 of -1; nobody is inside an image of a thousandth."""
        learned, values = self.taught(lifter, target, nonsense=False, **excluded)
        assert values["selection/selected"] == 0
        assert values["lifter/fake_mm"] == 0
        assert torch.equal(learned, self.taught(lifter, target, nonsense=True, **excluded)[0])

    def test_what_is_selected_does(self, lifter, target):
        learned, values = self.taught(lifter, target, nonsense=False, selection=(0.0, 1e9))
        assert values["selection/selected"] > 0
        assert not torch.equal(learned, self.taught(lifter, target, nonsense=True, selection=(0.0, 1e9))[0])

    def test_ratio_is_by_the_lifter_in_evaluation_mode(self, lifter, target):
        """The error of each fake over the mean error of half the source, with the lifter as it was before the step."""
        method = dataclasses.replace(PAPER, position="aligned", **NO_WARM_UP)
        adaptation, random = adaptation_of(lifter, target, method, seed=0)
        generate, made = adaptation.generate, []

        def noted(source, *arguments):
            made.append((source, generate(source, *arguments)))
            return made[0][1]

        adaptation.generate = noted
        values = adaptation.step(1, random)
        source, fakes = made[0]
        with torch.no_grad():
            fake = pose_error(lifter(fakes.keypoints), fakes.middle_pose_m)
            anchor = pose_error(lifter(source.keypoints[::2]), source.middle_pose_m[::2]).mean()
        assert values["selection/error_ratio"] == pytest.approx(float((fake / anchor).median()), rel=1e-4)


class TestFakes:
    def test_learned_positions_are_the_networks_through_the_sources_lens(self, lifter, target):
        adaptation, random = adaptation_of(lifter, target, PAPER, seed=0)
        source = film_source(16, random)
        fakes = adaptation.generate(source, target.sample(16, random), random)
        torch.testing.assert_close(fakes.position_m[:, :2], fakes.motion.position_m[:, :2])
        torch.testing.assert_close(
            fakes.position_m[:, 2], fakes.motion.position_m[:, 2] * source.focal / 2.29, rtol=1e-5, atol=1e-6
        )

    def test_aligned_people_stand_where_target_people_do(self, lifter, target):
        adaptation, random = adaptation_of(lifter, target, ALIGNED, seed=0)
        drawn = target.sample(16, random)
        fakes = adaptation.generate(film_source(16, random), drawn, random)
        torch.testing.assert_close(fakes.keypoints[:, FRAMES // 2, 0], drawn[:, FRAMES // 2, 0], rtol=1e-4, atol=1e-5)

    def test_fakes_are_2d_and_3d_of_the_same_motion(self, lifter, target):
        adaptation, random = adaptation_of(lifter, target, ALIGNED, seed=0)
        source = film_source(16, random)
        fakes = adaptation.generate(source, target.sample(16, random), random)
        x, y, z = (fakes.motion.joints_m[3, 2, 7] + fakes.position_m[3]).tolist()
        focal = source.focal[3].item()
        assert fakes.keypoints[3, 2, 7].tolist() == pytest.approx([focal * x / z, focal * y / z], abs=1e-5)
        assert not fakes.middle_pose_m[:, 0].any()

    def test_keypoints_of_people_behind_the_camera_stay_bounded(self, lifter, target):
        adaptation, random = adaptation_of(lifter, target, PAPER, seed=0)
        with torch.no_grad():
            adaptation.generator.camera_translation.trunk.head.bias[2] = 0.0  # on the camera
            fakes = adaptation.generate(film_source(16, random), target.sample(16, random), random)
        assert fakes.keypoints.isfinite().all()
        assert fakes.keypoints.abs().max() <= 3

    @pytest.mark.parametrize("lost", [(0.0, 0.0, 0.0), (30.0, 30.0, 2.0), (-30.0, 5.0, 0.3)])
    def test_people_who_left_the_image_can_come_back(self, lifter, target, lost):
        """Behind the camera or far beside the image, the discriminator still teaches place and depth."""
        adaptation, random = adaptation_of(lifter, target, PAPER, seed=0)
        head = adaptation.generator.camera_translation.trunk.head
        with torch.no_grad():
            head.weight *= 1e-2
            head.bias.copy_(torch.tensor(lost))
        fakes = adaptation.generate(film_source(16, random), target.sample(16, random), random)
        adaptation.domain_discriminator(fakes.keypoints[:, 0]).sum().backward()
        assert (head.bias.grad.abs() > 1e-6).all()

    @pytest.mark.parametrize("method", [DEFAULT, DETECTIONS, PAPER], ids=["default", "detections", "paper"])
    def test_examples_are_for_looking_only(self, lifter, target, method):
        adaptation, random = adaptation_of(lifter, target, method, seed=0)
        before = {name: weights(p) for name, p in adaptation.parts().items() if isinstance(p, torch.nn.Module)}
        source, fakes = adaptation.examples(5, random)
        assert source.joints_m.shape == fakes.joints_m.shape == (5, FRAMES, 16, 3)
        assert not fakes.keypoints.requires_grad
        for name, expected in before.items():
            assert torch.equal(weights(adaptation.parts()[name]), expected), name
        networks = [part for part in adaptation.parts().values() if isinstance(part, torch.nn.Module)]
        assert all(parameter.requires_grad for network in networks for parameter in network.parameters())
        assert method is not PAPER or adaptation.generator.training


class TestNormStatistics:
    """A batch mixes domains; its statistics fit none of them."""

    def statistics(self, lifter, target, keep):
        method = dataclasses.replace(DEFAULT, **NO_WARM_UP, keep_norm_statistics=keep)
        adaptation, random = adaptation_of(lifter, target, method, seed=0)
        adaptation.step(1, random)
        return adaptation.teacher.lifter.expand_norm.norm.running_mean

    def test_kept_or_learned(self, lifter, target):
        start = lifter.expand_norm.norm.running_mean
        assert torch.equal(self.statistics(lifter, target, keep=True), start)
        assert not torch.equal(self.statistics(lifter, target, keep=False), start)


def test_frozen_gives_gradients_to_inputs_only(lifter):
    network = random_lifter((3, 3), channels=16).train()
    windows = torch.rand(2, FRAMES, 16, 2, requires_grad=True)
    with frozen(network):
        assert not network.training
        network(windows).sum().backward()
    assert windows.grad.abs().max() > 0
    assert all(parameter.grad is None and parameter.requires_grad for parameter in network.parameters())
    assert network.training


def test_paper_recipe_is_the_references():
    assert Method() == PAPER
    assert (PAPER.adversarial_2d, PAPER.adversarial_3d, PAPER.ranges) == (1, 6, 3)
    assert PAPER.hard_ratio_bones == (3, 5, 2)  # the camera's, and both weights, are for our lifter: see config.py
    assert (PAPER.selection, PAPER.reprojection, PAPER.warm_up) == ((17, 16), 1e-4, 2 / 50)
    assert (PAPER.position, PAPER.source_share, PAPER.discriminators_every) == ("learned", 0, 2)


@pytest.mark.parametrize("method", [DEFAULT, DETECTIONS, PAPER], ids=["default", "detections", "paper"])
def test_a_lifter_for_use_goes_on_learning_with_what_use_takes_away(target, method, monkeypatch):
    """Less of the future and missing joints, in what it learns from; a lifter of whole windows gets whole ones."""
    network = random_lifter((3, 3), channels=16, input_channels=3, view="person")
    adaptation, random = adaptation_of(network, target, dataclasses.replace(method, **NO_WARM_UP), seed=0, batch=64)
    adaptation.teacher.shortest_lookahead = 0
    taught = []
    forward = TemporalLifter.forward

    def noted(self, windows):
        if self is adaptation.teacher.lifter and self.training:
            taught.append(windows.detach())
        return forward(self, windows)

    monkeypatch.setattr(TemporalLifter, "forward", noted)
    adaptation.step(1, random)
    windows = taught[-1][: 64 + 32]
    assert windows.shape[-1] == 3
    still = (windows[:, -1, :, :2] == windows[:, -2, :, :2]).all((1, 2))
    assert 0.2 < still.float().mean() < 0.9
    assert 0.1 < (windows[..., 2] == 0).flatten(1).any(1).float().mean() < 0.4


def test_an_anchor_is_a_half_of_what_is_not_to_be_forgotten(lifter, target, monkeypatch):
    """Those windows are of the anchor's motion, and all others of the source's."""
    adaptation, random = adaptation_of(lifter, target, DEFAULT, seed=0, batch=32)
    source = film_source(32, random)
    assert torch.equal(adaptation.teacher.anchors(source, random).joints_m, source.joints_m[:16])
    kept = film_source(8, random)
    adaptation.teacher.anchor = lambda count, generator: kept.first(count)
    anchors = adaptation.teacher.anchors(source, random)
    assert torch.equal(anchors.joints_m, torch.cat([source.joints_m[:8], kept.joints_m]))
    assert torch.equal(anchors.keypoints[8:], kept.keypoints)


def test_what_the_source_lacks_is_kept_by_the_anchor(target):
    """A source of one pose only: without an anchor the lifter gets worse on other motion than with it."""

    def narrow(count, random):
        windows = film_source(1, torch.Generator().manual_seed(7))
        return CameraWindows(*(part.expand(count, *part.shape[1:]) for part in (
            windows.joints_m, windows.position_m, windows.focal,
        )))  # fmt: skip

    lifter, unseen = trained_lifter(0), film_source(400, torch.Generator().manual_seed(99))
    errors = []
    for anchor in (None, film_source):
        adaptation, random = adaptation_of(lifter, target, DEFAULT, seed=0, steps=60)
        adaptation.source, adaptation.teacher.anchor = narrow, anchor
        run(adaptation, random, 1, 60)
        errors.append(error_mm(adaptation.teacher.averaged_lifter, unseen))
    assert errors[1] < 0.9 * errors[0]
