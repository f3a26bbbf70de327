"""Every variant of the paper in a whole step: its parameters learn, what is left out does not act, one frame or 27."""

import copy
import dataclasses

import numpy as np
import pytest
import torch

from tests.lifters import random_lifter
from tests.training.toy_gap import FRAMES, adaptation_of, film_source, film_target, target_keypoints
from training.adaptation.adaptation import new_adaptation
from training.adaptation.lifter_teacher import LifterTeacher
from training.cameras.random_cameras import CameraWindows
from training.geometry.keypoint_normalisation import normalised
from training.settings.method import CONTROLS, RECIPES
from training.target.target_windows import TargetSequence, TargetWindows

ACTING = dataclasses.replace(
    RECIPES["paper"], warm_up=0.0, hard_ratio_bones=(3.0, 5.0, 1e6), hard_ratio_camera=(17.0, 1e6),
    selection=(0.0, 1e9),
)  # fmt: skip
"""The paper's recipe in a state in which every part acts in the first steps."""


@pytest.fixture(scope="module")
def target():
    return target_keypoints(film_target(200, seed=3))


@pytest.fixture(scope="module")
def lifter():
    return random_lifter((3, 3), channels=16)


def weights(network):
    return torch.cat([value.detach().flatten().double() for value in network.state_dict().values()])


def stepped(lifter, target, steps=2, batch=32, **changes):
    """The adaptation after its first steps, in float64: a dead parameter shows as zero."""
    adaptation, random = adaptation_of(lifter, target, dataclasses.replace(ACTING, **changes), seed=0, batch=batch)
    for part in adaptation.parts().values():
        if isinstance(part, torch.nn.Module):
            part.double()
    adaptation.target = copy.copy(target)
    adaptation.target.keypoints = target.keypoints.double()
    adaptation.source = lambda count, generator: doubled(film_source(count, generator))
    for step in range(1, steps + 1):
        values = adaptation.step(step, random)
    return adaptation, values


def doubled(windows):
    return CameraWindows(windows.joints_m.double(), windows.position_m.double(), windows.focal.double())


def dead(network):
    return {n for n, p in network.named_parameters() if p.grad is None or not p.grad.abs().max() > 1e-12}


GENERATORS = [
    *({"bone_rotation": kind} for kind in ("bg1", "bg2", "bg3", "constant", "none")),
    {"bone_lengths": False},
    *({"camera": "deterministic", "camera_rotation": numbers} for numbers in ("axis-angle", "euler", "quaternion")),
    *({"camera_rotation": numbers} for numbers in ("euler", "quaternion")),
    {"camera": "none"},
    {"bone_rotation": "none", "bone_lengths": False},
]


def named(changes):
    return " ".join(map(str, changes.values()))


@pytest.mark.parametrize("changes", GENERATORS, ids=named)
def test_the_whole_generator_learns(lifter, target, changes):
    adaptation, _ = stepped(lifter, target, **changes)
    assert dead(adaptation.generator) == set()


class TestPartsLeftOut:
    def test_the_sources_camera_stays(self, lifter, target):
        """No learned camera: people stand where the source's do."""
        adaptation, values = stepped(lifter, target, camera="none")
        assert "generator/hard_ratio_camera" not in values
        random = torch.Generator().manual_seed(0)
        source = doubled(film_source(8, random))
        fakes = adaptation.generate(source, target.sample(8, random), random)
        assert torch.equal(fakes.position_m, source.position_m)

    def test_bones_stay(self, lifter, target):
        """No bone generation: the penalty on turns and the bones' feedback would say the same of every camera."""
        _, values = stepped(lifter, target, bone_rotation="none", bone_lengths=False)
        assert values["generator/ranges"] == 0
        assert "generator/hard_ratio_bones" not in values
        assert values["generator/hard_ratio_camera"] > 0


def other_target(target):
    other = copy.copy(target)
    other.keypoints = target.keypoints.flip(0) * 0.5
    return other


def unreadable(target):
    other = copy.copy(target)
    other.keypoints = torch.full_like(target.keypoints, float("nan"))
    return other


def of_a_step(lifter, target, part, **changes):
    """Weights of a network after one step."""
    adaptation, random = adaptation_of(lifter, target, dataclasses.replace(ACTING, **changes), seed=0)
    adaptation.step(1, random)
    return weights(adaptation.parts()[part])


class TestDomainDiscriminator:
    @pytest.mark.parametrize("changes", [{"real_2d": "source"}, {"domain_kcs": False}], ids=named)
    def test_everything_learns(self, lifter, target, changes):
        adaptation, _ = stepped(lifter, target, **changes)
        assert dead(adaptation.domain_discriminator) == dead(adaptation.generator) == set()

    @pytest.mark.parametrize("kind", ["target", "source"])
    def test_what_is_real(self, lifter, target, kind):
        """The first windows that the discriminator is asked about in its own turn."""
        adaptation, random = adaptation_of(lifter, target, dataclasses.replace(ACTING, real_2d=kind), seed=0)
        drawn, asked = {}, []
        sample = adaptation.source

        def noted(count, generator):
            drawn["source"] = sample(count, generator)
            return drawn["source"]

        adaptation.source = noted
        adaptation.target = copy.copy(target)
        adaptation.target.sample = lambda count, generator: drawn.setdefault("target", target.sample(count, generator))
        adaptation.domain_discriminator.register_forward_pre_hook(lambda _, given: asked.append(given[0].detach()))
        adaptation.teacher.method = dataclasses.replace(adaptation.method, discriminators_every=1)
        adaptation.step(1, random)
        real = asked[1]  # after the generator's fakes
        windows = drawn["target"] if kind == "target" else drawn["source"].keypoints
        among = (real[:, None] == windows).flatten(2).all(-1)
        assert among.any(1).all()

    def test_off_the_target_teaches_it_nothing(self, lifter, target):
        for kind, same in (("source", True), ("target", False)):
            found = []
            for seen in (target, other_target(target)):
                adaptation, random = adaptation_of(lifter, seen, dataclasses.replace(ACTING, real_2d=kind), seed=0)
                for step in (1, 2):
                    adaptation.step(step, random)
                found.append(weights(adaptation.domain_discriminator))
            assert torch.equal(*found) == same


class TestPerturbation:
    @pytest.mark.parametrize("perturbed", [True, False])
    def test_of_real_poses(self, lifter, target, perturbed):
        method = dataclasses.replace(ACTING, perturbation=perturbed)
        adaptation, random = adaptation_of(lifter, target, method, seed=0)
        source = film_source(16, random)
        fakes = adaptation.generate(source, target.sample(16, random), random)
        frames = torch.zeros(16, dtype=torch.long)
        asked = []
        judge = adaptation.pose_discriminator
        judge.register_forward_hook(lambda _, given, answer: asked.append((given[0], answer.detach())))
        adaptation.adversaries.pose_loss(fakes, source, frames, random)
        poses, answer = asked[0]
        assert torch.equal(poses, source.joints_m[:, 0])
        assert torch.allclose(judge(poses), answer) != perturbed

    def test_everything_learns_without(self, lifter, target):
        adaptation, _ = stepped(lifter, target, perturbation=False)
        assert dead(adaptation.pose_discriminator) == set()


class TestSelection:
    def test_off_keeps_all_that_is_inside_the_image(self, lifter, target):
        aligned = {"position": "aligned", "selection": None}
        _, values = stepped(lifter, target, steps=1, **aligned)
        _, ruled = stepped(lifter, target, steps=1, **(aligned | {"selection": (-1.0, 1e-6)}))
        _, everything = stepped(lifter, target, steps=1, **(aligned | {"selection": (0.0, 1e9)}))
        assert ruled["selection/selected"] == 0 < values["selection/selected"] == everything["selection/selected"]
        assert values["lifter/fake_mm"] == everything["lifter/fake_mm"] > 0


class TestFeedback:
    def test_hard_ratio_off_leaves_the_lifter_out_of_the_generators_loss(self, lifter, target):
        other = random_lifter((3, 3), channels=16, seed=5)
        off = {"hard_ratio_bones_weight": 0.0, "hard_ratio_camera_weight": 0.0}
        for changes, same in ((off, True), ({}, False)):
            found = [of_a_step(one, target, "generator", **changes) for one in (lifter, other)]
            assert torch.equal(*found) == same

    @pytest.mark.parametrize(("form", "wide", "narrow"), [("printed", True, False), ("band", False, True)])
    def test_which_ratios_are_pulled(self, lifter, target, form, wide, narrow):
        """All ratios lie within ± 1e6, none within ± 1e-6: printed acts in the first case, the band in the second."""
        for reach, acts in ((1e6, wide), (1e-6, narrow)):
            changes = {"hard_ratio_bones": (3.0, 5.0, reach), "hard_ratio_camera": (17.0, reach)}
            _, values = stepped(lifter, target, steps=1, hard_ratio_form=form, **changes)
            for stage in ("bones", "camera"):
                assert (values[f"generator/hard_ratio_{stage}"] > 0) == acts, (reach, stage)

    def test_reprojection_off_leaves_the_target_out_of_the_lifter(self, lifter, target):
        """In the first step fakes with learned positions owe the target nothing: only its lifting is left."""
        for weight, same in ((0.0, True), (1e-4, False)):
            found = [of_a_step(lifter, one, "lifter", reprojection=weight) for one in (target, other_target(target))]
            assert torch.equal(*found) == same


class TestPoseAug:
    """The control: nothing of the target, but the method otherwise."""

    METHOD = dataclasses.replace(CONTROLS["poseaug"], warm_up=0.0)

    def test_it_runs_as_well_on_a_target_that_can_not_be_read(self, lifter, target):
        assert not CONTROLS["poseaug"].sees_target
        found = []
        for one in (target, unreadable(target)):
            adaptation, random = adaptation_of(lifter, one, self.METHOD, seed=0)
            selected = [adaptation.step(step, random)["selection/selected"] for step in range(1, 5)]
            found.append(weights(adaptation.teacher.averaged_lifter))
        assert torch.equal(*found)
        assert found[0].isfinite().all()
        assert selected[0] > 0.5

    def test_it_does_not_know_the_targets_image_either(self, lifter, target):
        adaptation, _ = adaptation_of(lifter, target, self.METHOD, seed=0)
        assert adaptation.teacher.frame_extent == (1.0, 1.0)

    def test_everything_learns(self, lifter, target):
        changes = dataclasses.asdict(self.METHOD) | {"steps": 2}
        adaptation, _ = stepped(lifter, target, **(changes | {"hard_ratio_camera": (17.0, 1e6)}))
        for part in ("generator", "domain_discriminator", "pose_discriminator", "lifter"):
            assert dead(adaptation.parts()[part]) == set(), part

    @pytest.mark.parametrize("name", [name for name in (RECIPES | CONTROLS) if name != "poseaug"])
    def test_all_others_see_it(self, name):
        assert (RECIPES | CONTROLS)[name].sees_target


class TestRootCentred:
    """Footage that is cropped around the person: the discriminator and the lifter see root-centred keypoints."""

    @pytest.fixture
    def cropped(self, target):
        """The target as such a lifter's windows hold it."""
        other = copy.copy(target)
        other.keypoints = normalised(target.keypoints, "root-centred")
        return other

    def adaptation(self, lifter, cropped, **changes):
        adaptation, random = adaptation_of(lifter, cropped, dataclasses.replace(ACTING, **changes), seed=0, batch=32)
        teacher = LifterTeacher(
            adaptation.teacher.lifter, (1.0, 0.75), adaptation.method, steps=6, batch=32, device=torch.device("cpu"),
            normalisation="root-centred",
        )  # fmt: skip
        return new_adaptation(teacher, film_source, cropped), random

    @pytest.mark.parametrize("real", ["target", "source"])
    def test_that_is_all_that_networks_see(self, lifter, cropped, real):
        adaptation, random = self.adaptation(lifter, cropped, real_2d=real, discriminators_every=1)
        seen = []
        for network in (adaptation.teacher.lifter, adaptation.domain_discriminator):
            network.register_forward_pre_hook(lambda _, given: seen.append(given[0].detach().flatten(0, -3)))
        adaptation.step(1, random)
        assert len(seen) == 3 + 1 + 2 + 1  # ratios; the generator's turn, the discriminator's, the lifter's
        for poses in seen:
            assert not poses[:, 0].any()
            torch.testing.assert_close(poses.flatten(1).norm(dim=1), torch.ones(len(poses)))

    @pytest.mark.parametrize("position", ["learned", "aligned"])
    def test_everything_learns(self, lifter, cropped, position):
        """Where people stand shows in their perspective alone, which is enough for a gradient."""
        adaptation, random = self.adaptation(lifter, cropped, position=position)
        adaptation.step(1, random)
        adaptation.step(2, random)
        unmoved = {name for name in dead(adaptation.generator) if not name.startswith("camera_translation")}
        assert unmoved == dead(adaptation.domain_discriminator) == dead(adaptation.teacher.lifter) == set()
        assert (dead(adaptation.generator) == set()) == (position == "learned")

    def test_aligned_people_stand_on_the_axis_at_an_ordinary_distance(self, lifter, cropped):
        """The size of root-centred poses is one: with an ordinary lens, that is some metres away."""
        adaptation, random = self.adaptation(lifter, cropped, position="aligned")
        place = adaptation.generate(film_source(32, random), cropped.sample(32, random), random).position_m
        assert not place[:, :2].any()
        assert 2 < place[:, 2].min() < place[:, 2].max() < 10


class TestOneFrame:
    """The paper's single-frame variant (table 8): VideoPose3D with filters of one frame."""

    @pytest.fixture
    def adaptation(self, target):
        single = random_lifter((1, 1, 1), channels=16)
        frames = TargetWindows([TargetSequence("a", target.keypoints.numpy(), np.ones((len(target), 16)), 0.75)], 1)
        torch.manual_seed(0)

        def middle_frames(count, generator):
            windows = film_source(count, generator)
            middle = slice(FRAMES // 2, FRAMES // 2 + 1)
            return CameraWindows(windows.joints_m[:, middle], windows.position_m, windows.focal)

        teacher = LifterTeacher(single, (1.0, 0.75), ACTING, steps=6, batch=32, device=torch.device("cpu"))
        return new_adaptation(teacher, middle_frames, frames)

    def test_everything_learns(self, adaptation):
        random = torch.Generator().manual_seed(0)
        for step in (1, 2):
            adaptation.step(step, random)
        for part in ("generator", "domain_discriminator", "pose_discriminator", "lifter"):
            assert dead(adaptation.parts()[part]) == set(), part

    def test_the_frame_is_generated_whole(self, adaptation):
        random = torch.Generator().manual_seed(0)
        source = adaptation.source(8, random)
        fakes = adaptation.generate(source, adaptation.target.sample(8, random), random)
        assert fakes.keypoints.shape == (8, 1, 16, 2)
        assert (fakes.motion.body_m - source.joints_m).abs().amax((1, 2, 3)).min() > 0.01
