"""What the generator loses beside the discriminators' judgement, by hand; and which frames discriminators see."""

import dataclasses

import pytest
import torch

from tests.training.toy_gap import FRAMES, film_source
from training.adversarial.adversaries import Adversaries
from training.adversarial.error_ratios import ErrorRatios
from training.adversarial.fakes import Fakes, shown
from training.generator.motion_generator import GeneratedMotion
from training.settings.method import RECIPES

COUNT = 8
PAPER = dataclasses.replace(
    RECIPES["paper"], ranges=3.0, hard_ratio_bones=(3.0, 5.0, 2.5), hard_ratio_bones_weight=0.1,
    hard_ratio_camera=(6.0, 5.0), hard_ratio_camera_weight=0.01, hard_ratio_form="printed",
)  # fmt: skip


def losses(length_ratios=0.0, bones=0.0, camera=0.0, progress=0.0):
    """The generator's losses for source motion whose bones are as they were, with told changes of length."""
    torch.manual_seed(0)
    source = film_source(COUNT, torch.Generator().manual_seed(0))
    motion = GeneratedMotion(
        body_m=source.joints_m, joints_m=source.joints_m, position_m=source.position_m,
        length_ratios=torch.full((COUNT, 9), length_ratios),
    )  # fmt: skip
    fakes = Fakes(motion, source.position_m, source.keypoints)
    ratios = ErrorRatios(torch.full((COUNT // 2,), bones), torch.full((COUNT,), camera))
    adversaries = Adversaries(PAPER, torch.device("cpu"))
    found = adversaries.generator_losses(fakes, source, ratios, torch.zeros(COUNT, dtype=torch.long), progress)
    return {name: float(loss) for name, loss in found.items()}


@pytest.mark.parametrize(("ratio", "outside"), [(0.1, 0.0), (-0.1, 0.0), (0.3, 0.2), (-0.25, 0.15)])
def test_bone_lengths_out_of_their_range_are_penalised(ratio, outside):
    """Bones that do not turn lie 0.205 - 0.165 below the turns' range; lengths add what is beyond a tenth."""
    assert losses(length_ratios=ratio)["ranges"] == pytest.approx(3.0 * (0.04 + outside), rel=1e-4)


@pytest.mark.parametrize(("progress", "wanted"), [(0.0, 3.0), (0.25, 3.5), (0.5, 4.0), (1.0, 5.0)])
def test_the_wanted_ratio_of_bones_moves_from_the_first_to_the_last(progress, wanted):
    """Eq. 20: c goes from 3 to 5 over the steps. A ratio of 2.8 is pulled to it, within its reach."""
    assert losses(bones=2.8, progress=progress)["hard_ratio_bones"] == pytest.approx(0.1 * (2.8 - wanted) ** 2)


@pytest.mark.parametrize("progress", [0.0, 1.0])
def test_the_cameras_does_not(progress):
    assert losses(camera=4.0, progress=progress)["hard_ratio_camera"] == pytest.approx(0.01 * (4.0 - 6.0) ** 2)


def test_each_window_shows_its_own_frame():
    windows = torch.arange(COUNT * FRAMES).reshape(COUNT, FRAMES, 1, 1).float()
    frames = torch.tensor([3, 0, 8, 8, 1, 5, 2, 7])
    assert shown(windows, frames).flatten().tolist() == [FRAMES * i + int(frame) for i, frame in enumerate(frames)]
