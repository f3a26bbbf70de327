"""The benchmark's command line: its own options, and every constant of the method."""

import dataclasses
from functools import partial

import numpy as np
import pytest
import torch

from benchmarks.cross_domain import CrossDomain, baseline, measure, parse
from sdk.lifting.model_metadata import LifterMetadata
from tests.training.motion.test_feet import feet_of
from training.lifter.checkpoint import LifterCheckpoint
from training.lifter.lifter import TemporalLifter
from training.motion.drawn_feet import fit_feet
from training.motion.readers.motion import load_motion
from training.settings.method import RECIPES
from training.settings.settings_check import BadSetting

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of tensorboard's own imports

FILES = ("--clips", "c.npz", "--target-2d", "t.npz", "--test", "e.npz", "--out", "out")


def test_every_variant_is_an_option():
    settings, method = parse([
        *FILES, "--recipe", "paper", "--bone-rotation", "bg1", "--no-bone-lengths", "--camera", "deterministic",
        "--camera-rotation", "euler", "--real-2d", "source", "--no-domain-kcs", "--no-perturbation", "--selection",
        "None", "--hard-ratio-bones-weight", "0", "--reprojection", "0", "--speeds", "1", "1", "--filter-widths", "1",
        "1", "1", "--normalisation", "root-centred",
    ])  # fmt: skip
    assert method == dataclasses.replace(
        RECIPES["paper"], bone_rotation="bg1", bone_lengths=False, camera="deterministic", camera_rotation="euler",
        real_2d="source", domain_kcs=False, perturbation=False, selection=None, hard_ratio_bones_weight=0.0,
        reprojection=0.0, speeds=(1.0, 1.0),
    )  # fmt: skip
    assert (settings.filter_widths, settings.normalisation) == ((1, 1, 1), "root-centred")
    assert settings.recipe.startswith("paper, speeds (1.0, 1.0), ")  # the row says what was changed
    assert "bone_rotation bg1" in settings.recipe


def test_without_any_it_is_the_recipe():
    settings, method = parse([*FILES, "--steps", "7"])
    assert (settings.recipe, settings.steps, method) == ("default", 7, RECIPES["default"])


def test_unknown_words_are_named(capsys):
    with pytest.raises(BadSetting, match=r"'best'; it must be one of paper, default, "):
        parse([*FILES, "--recipe", "best"])
    with pytest.raises(SystemExit):
        parse([*FILES, "--bone-turns", "bg1"])
    assert "--bone-turns" in capsys.readouterr().err


def test_baselines_are_kept_by_what_the_clips_hold(files, tmp_path):
    """Another file of the same name is another source."""
    small = {"channels": 8, "pretrain_steps": 2, "source_people": ("02",)}
    settings = CrossDomain(**files, out=tmp_path / "run", **small)
    clips = [clip for clip in load_motion(files["clips"]) if clip.name.startswith("02_")]
    moved = [dataclasses.replace(clip, joints_world_m=clip.joints_world_m * np.float32(1.1)) for clip in clips]
    names = [baseline(settings, chosen, torch.device("cpu")).metadata.name for chosen in (clips, moved, clips)]
    assert names[0] == names[2] != names[1]
    assert len(list((tmp_path / "baselines").iterdir())) == 2


@pytest.mark.parametrize("source", ["clips", "predictions"])
def test_a_lifter_with_feet_needs_the_feet_of_the_source_and_is_measured_by_its_16_joints(
    files, tmp_path, monkeypatch, source
):
    torch.manual_seed(0)
    network = TemporalLifter((3, 3, 3), 8, 20, 3, 0.0, "person", tells_more=True).eval()
    metadata = LifterMetadata(name="feet", skeleton="h36m20", input_channels=3, tells_more=True)
    LifterCheckpoint(network, metadata).save(tmp_path / "feet.pt")
    settings = CrossDomain(
        **files, out=tmp_path / "run", source_people=("02",), start=tmp_path / "feet.pt", steps=2, batch=8, threads=1,
        source=source,
    )  # fmt: skip
    with pytest.raises(BadSetting, match="--feet"):
        measure(settings)
    feet = {clip.name: feet_of(clip) for clip in load_motion(files["clips"])}
    np.savez(tmp_path / "feet.npz", **feet)
    monkeypatch.setattr("benchmarks.cross_domain.fit_feet", partial(fit_feet, steps=5))
    result = measure(dataclasses.replace(settings, feet=tmp_path / "feet.npz"))
    assert np.isfinite(result["last"]["mpjpe_mm"])
    assert LifterCheckpoint.load(tmp_path / "run" / "lifter.pt").network.joints == 20
