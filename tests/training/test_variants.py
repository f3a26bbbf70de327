"""Every variant of the paper in a whole step: its parameters learn, what is left out does not act, one frame or 27."""

import copy
import dataclasses

import pytest
import torch

from tests.lifters import random_lifter
from tests.training.toy_gap import adaptation_of, film_source, film_target, target_keypoints
from training.config import RECIPES
from training.source_cameras import CameraWindows

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
