"""Training a first lifter: it learns, repeats, resumes, and is measured on motion that it did not see."""

import dataclasses
import importlib.util
import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from sdk import Lifter
from sdk.errors import BadModelFile, BadMotion
from sdk.lifting.model_metadata import LifterMetadata
from sdk.skeletons.skeleton import H36M16
from tests.lifters import random_lifter
from tests.training.motion.clips import STANDING, moving_clip
from tests.training.motion.test_feet import feet_of
from training.cameras.source_validation import source_errors_mm, validation_windows
from training.commands import command
from training.commands.pretrain import pretrain
from training.evaluation.metrics import mpjpe
from training.lifter.checkpoint import LifterCheckpoint
from training.lifter.lifter import TemporalLifter
from training.lifter.onnx_graphs import write_lifter_onnx
from training.motion.motion_clip import MotionClip
from training.motion.readers.motion import load_motion
from training.motion.source_windows import SourceWindows
from training.runs.resuming import Diverged
from training.runs.run_folder import RunExists, claim_folder
from training.settings.pretrain import Pretrain
from training.settings.run_settings import read_settings
from training.settings.settings_check import BadSetting

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of tensorboard's own imports


def clip(name, seed):
    """Ten seconds of joints that wander about a standing person."""
    steps = np.random.default_rng(seed).normal(0, 0.005, (500, 16, 3))
    return MotionClip(name, (STANDING + np.cumsum(steps, 0) * np.linspace(0, 1, 16)[:, None]).astype(np.float32), 50.0)


@pytest.fixture(scope="module")
def motion(tmp_path_factory):
    path = tmp_path_factory.mktemp("motion") / "motion.npz"
    np.savez(path, **{f"0{i}_1": clip("", i).joints_world_m for i in range(4)}, frame_rate_hz=50.0)
    return path


@pytest.fixture(scope="module")
def settings(motion):
    return Pretrain(motion, steps=120, batch=32, channels=32, filter_widths=(3, 3), average=0.8, save_every=40)


def weights(checkpoint):
    return torch.cat([value.flatten().double() for value in checkpoint.network.state_dict().values()])


@pytest.fixture(scope="module")
def trained(settings, tmp_path_factory):
    out = tmp_path_factory.mktemp("pretrain") / "run"
    return pretrain(dataclasses.replace(settings, out=out)), out


def test_it_learns(trained, settings):
    """Far better on motion it did not see than one pose for everybody, and than before."""
    windows = validation_windows([clip("held out", 99)], 9, 25.0)
    torch.manual_seed(0)
    untrained = type(trained[0].network)((3, 3), 32)
    before = source_errors_mm(untrained, windows)["validation/mpjpe_mm"]
    after = source_errors_mm(trained[0].network, windows)["validation/mpjpe_mm"]
    assert after < 0.8 * before


def test_what_is_saved_is_what_is_returned(trained):
    loaded = LifterCheckpoint.load(trained[1] / "lifter.pt")
    assert torch.equal(weights(loaded), weights(trained[0]))
    assert (loaded.metadata.receptive_field, loaded.metadata.frame_rate_hz, loaded.metadata.name) == (
        9,
        25.0,
        "pretrained, seed 0",
    )


def test_same_seed_same_weights_other_seed_others(trained, settings, tmp_path):
    again = pretrain(dataclasses.replace(settings, out=tmp_path / "again"))
    assert torch.equal(weights(again), weights(trained[0]))
    other = pretrain(dataclasses.replace(settings, out=tmp_path / "other", seed=1))
    assert not torch.equal(weights(other), weights(trained[0]))


def test_a_run_stopped_half_way_resumes_to_the_same(trained, settings, tmp_path, monkeypatch):
    from training.commands import pretrain as module

    config = dataclasses.replace(settings, out=tmp_path / "run")
    batches, draw = [], module._training_batch

    def stopping(*arguments):
        batches.append(None)
        if len(batches) == 70:
            raise KeyboardInterrupt
        return draw(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(module, "_training_batch", stopping)
        with pytest.raises(KeyboardInterrupt, match="saved every 40 steps: go on with the same command and --resume"):
            pretrain(config)
    resumed = pretrain(dataclasses.replace(config, resume=True))
    assert torch.equal(weights(resumed), weights(LifterCheckpoint.load(tmp_path / "run" / "lifter.pt")))
    assert torch.equal(weights(resumed), weights(trained[0]))


def test_people_are_seen_through_any_roll(motion):
    """A tenth of the cameras have any roll: half of these show people with their head below their pelvis."""
    from training.commands.pretrain import _training_batch

    source = SourceWindows(load_motion(motion), 9, (0.04, 0.04))
    _, poses = _training_batch(source, Pretrain(motion, batch=4000), torch.Generator().manual_seed(0))
    upside_down = (poses[:, H36M16.index("head"), 1] > 0).float().mean()
    assert 0.03 < upside_down < 0.12


def test_a_larger_one_grows_from_a_trained_one(trained, settings, tmp_path):
    """It begins where that one ended, and not from random weights."""
    large = dataclasses.replace(settings, channels=64, filter_widths=(3, 3, 3), steps=1, learning_rate=1e-9)
    windows = validation_windows([clip("held out", 99)], 27, 25.0)
    start = trained[1] / "lifter.pt"
    from_it = pretrain(dataclasses.replace(large, out=tmp_path / "grown", grow_from=start)).network
    anew = pretrain(dataclasses.replace(large, out=tmp_path / "anew")).network
    its_own = source_errors_mm(trained[0].network, validation_windows([clip("held out", 99)], 9, 25.0))
    grown, other = (source_errors_mm(network, windows)["validation/mpjpe_mm"] for network in (from_it, anew))
    assert grown == pytest.approx(its_own["validation/mpjpe_mm"], rel=0.1)
    assert grown < 0.9 * other


@pytest.mark.parametrize(
    ("change", "words"),
    [({"channels": 48}, "multiple of 32, not 48"), ({"view": "picture"}, "--view person; .* can't have picture"),
     ({"hidden": 0.0}, "joint .3 with --hidden. 3; .* can't have 2")],
)  # fmt: skip
def test_what_can_not_grow_from_it_is_said(trained, settings, tmp_path, change, words):
    config = dataclasses.replace(settings, out=tmp_path / "run", grow_from=trained[1] / "lifter.pt", **change)
    with pytest.raises(BadSetting, match=words):
        pretrain(config)
    assert not config.out.exists()


def test_resuming_nothing_or_another_run(trained, settings, tmp_path):
    with pytest.raises(BadModelFile, match="no checkpoint at"):
        pretrain(dataclasses.replace(settings, out=tmp_path / "none", resume=True))
    with pytest.raises(BadModelFile, match="other settings"):
        pretrain(dataclasses.replace(settings, out=trained[1], resume=True, channels=16))


def test_a_training_that_is_there_is_not_overwritten(trained, settings, tmp_path):
    files = {name: (trained[1] / name).read_bytes() for name in ("state.pt", "lifter.pt")}
    with pytest.raises(
        RunExists, match=r"run holds config\.json, state\.pt, lifter\.pt of an earlier training\. .* --resume"
    ):
        pretrain(dataclasses.replace(settings, out=trained[1], steps=1))
    assert {name: (trained[1] / name).read_bytes() for name in files} == files
    for name in files:  # one of them is enough
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / name).write_bytes(files[name])
        with pytest.raises(RunExists, match=f"holds {name} of"):
            pretrain(dataclasses.replace(settings, out=tmp_path / name, steps=1))


def test_of_trainings_that_begin_at_once_one_gets_the_folder(settings, tmp_path, monkeypatch):
    """The other one begins while this one reads its motion."""
    out = tmp_path / "run"

    def meanwhile(*arguments):
        claim_folder(out, "pretrain", dataclasses.replace(settings, seed=7))
        return load_motion(*arguments)

    monkeypatch.setattr("training.commands.pretrain.load_motion", meanwhile)
    with pytest.raises(RunExists, match="began at the same time"):
        pretrain(dataclasses.replace(settings, out=out))
    assert [path.name for path in out.iterdir()] == ["config.json"]
    assert json.loads((out / "config.json").read_text())["seed"] == 7


def test_one_that_ended_before_its_first_state_is_gone_on_with(settings, tmp_path):
    out = tmp_path / "run"
    short = dataclasses.replace(settings, out=out, steps=1)
    claim_folder(out, "pretrain", short)
    with pytest.raises(RunExists, match=r"holds config\.json of an earlier training"):
        pretrain(short)
    pretrain(dataclasses.replace(short, resume=True))
    assert (out / "lifter.pt").is_file()


def test_a_folder_of_an_earlier_version_has_no_settings_and_is_gone_on_with(trained, settings, tmp_path):
    out = shutil.copytree(trained[1], tmp_path / "run")
    (out / "config.json").unlink()
    there = pretrain(dataclasses.replace(settings, out=out, resume=True))
    assert torch.equal(weights(there), weights(trained[0]))


def test_its_folder_is_no_run_of_an_adaptation(trained):
    with pytest.raises(BadModelFile, match=r"another command.*adaptpose-train pretrain --resume"):
        read_settings(trained[1] / "config.json")
    with pytest.raises(BadModelFile, match=r"holds a checkpoint .* adaptpose-export .*lifter\.pt"):
        Lifter(trained[1])


def test_it_resumes_from_another_working_folder(trained, settings, tmp_path, monkeypatch):
    """The same motion and the same run, by other names."""
    out = shutil.copytree(trained[1], tmp_path / "run")
    monkeypatch.chdir(settings.source.parent)
    there = pretrain(dataclasses.replace(settings, source=Path(settings.source.name), out=out, resume=True))
    assert torch.equal(weights(there), weights(trained[0]))


def test_a_training_that_diverges_stops_and_keeps_no_broken_weights(settings, tmp_path, monkeypatch):
    out = tmp_path / "run"
    monkeypatch.setattr("training.commands.pretrain.check_pretrain", lambda config: None)  # it refuses such a rate
    with pytest.raises(
        Diverged, match=r"diverged: after step \d+, .* are not finite numbers\. .* lower learning rates"
    ):
        pretrain(dataclasses.replace(settings, out=out, learning_rate=1e30, save_every=1))
    if (out / "lifter.pt").exists():
        assert torch.isfinite(weights(LifterCheckpoint.load(out / "lifter.pt"))).all()


def test_people_can_be_left_out(settings, tmp_path):
    with pytest.raises(BadMotion, match="1 of 4 clips after leaving out 00, 01, 02"):
        pretrain(dataclasses.replace(settings, out=tmp_path, exclude=("00", "01", "02")))


def test_settings_that_can_not_work(settings, tmp_path):
    with pytest.raises(BadSetting, match="--filter-widths is 3 2"):
        pretrain(dataclasses.replace(settings, out=tmp_path / "run", filter_widths=(3, 2)))
    assert not (tmp_path / "run").exists()


def test_command(motion, tmp_path, monkeypatch, capsys):
    options = {"--source": motion, "--out": tmp_path / "run", "--steps": 2, "--batch": 8, "--channels": 8}
    words = [str(word) for pair in options.items() for word in pair]
    monkeypatch.setattr(sys, "argv", ["adaptpose-train", "pretrain", *words, "--filter-widths", "3"])
    command.main()
    assert f"weights   {tmp_path / 'run' / 'lifter.pt'}" in capsys.readouterr().out
    assert LifterCheckpoint.load(tmp_path / "run" / "lifter.pt").metadata.receptive_field == 3


@pytest.mark.parametrize("module", ["torch", "roma", "lightning_fabric", "tensorboard"])
def test_an_sdk_only_installation_is_told_what_to_install(motion, tmp_path, monkeypatch, capsys, module):
    find_spec = importlib.util.find_spec
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == module else find_spec(name))
    words = ["--source", str(motion), "--out", str(tmp_path / "run")]
    monkeypatch.setattr(sys, "argv", ["adaptpose-train", "pretrain", *words])
    with pytest.raises(SystemExit) as stop:
        command.main()
    assert stop.value.code == 2
    assert f"adaptpose-train pretrain needs the package '{module}'" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


class TestValidation:
    def test_windows_are_the_same_whatever_the_seed(self):
        torch.manual_seed(1)
        first = validation_windows([clip("a", 0)], 9, 25.0)
        torch.manual_seed(2)
        second = validation_windows([clip("a", 0)], 9, 25.0)
        assert torch.equal(first.keypoints, second.keypoints)

    def test_errors_are_of_the_middle_frame_in_millimetres(self):
        class Constant(torch.nn.Linear):
            def forward(self, windows):
                return torch.from_numpy(STANDING - STANDING[0]).expand(len(windows), 16, 3)

        windows = validation_windows([clip("a", 0)], 9, 25.0)
        network = Constant(1, 1).train()
        errors = source_errors_mm(network, windows)
        pose = torch.from_numpy(STANDING - STANDING[0]).expand(len(windows.focal), 16, 3)
        assert errors["validation/mpjpe_mm"] == pytest.approx(float(mpjpe(pose, windows.joints_m[:, 4])) * 1000)
        assert errors["validation/pa_mpjpe_mm"] < errors["validation/mpjpe_mm"]
        assert not network.training


def test_a_lifter_of_cropped_single_frames(settings, tmp_path, monkeypatch):
    """`--normalisation root-centred --filter-widths 1 1 1`: it trains on such keypoints, and its metadata says so."""
    seen, forward = [], TemporalLifter.forward

    def noted(self, windows):
        seen.append(windows)
        return forward(self, windows)

    monkeypatch.setattr(TemporalLifter, "forward", noted)
    checkpoint = pretrain(
        dataclasses.replace(
            settings, out=tmp_path / "run", steps=2, normalisation="root-centred", filter_widths=(1, 1, 1), hidden=0.0
        )
    )
    assert (checkpoint.metadata.normalisation, checkpoint.metadata.receptive_field) == ("root-centred", 1)
    assert len(seen) == 3  # two steps and the validation
    for windows in seen:
        assert windows.shape[1:] == (1, 16, 2)
        assert not windows[:, :, 0].any()
        torch.testing.assert_close(windows.flatten(1).norm(dim=1), torch.ones(len(windows)))


class TestFeet:
    """Feet are added to a trained lifter, and it is exported, opened and grown further."""

    @pytest.fixture
    def files(self, tmp_path):
        clips = [moving_clip(f"0{i}_01", 60, 50.0, 0.0, velocity=i / 2) for i in range(1, 5)]
        np.savez(tmp_path / "clips.npz", **{one.name: one.joints_world_m for one in clips}, frame_rate_hz=50.0)
        np.savez(tmp_path / "feet.npz", **{one.name: feet_of(one) for one in clips})
        small = random_lifter((3, 3), channels=16, input_channels=3, view="person")
        metadata = LifterMetadata(9, input_channels=3, shortest_lookahead=0)
        LifterCheckpoint(small, metadata).save(tmp_path / "small.pt")
        return tmp_path

    def settings(self, files, **changes):
        return Pretrain(
            source=files / "clips.npz", feet=files / "feet.npz", grow_from=files / "small.pt", filter_widths=(3, 3),
            channels=16, steps=4, batch=16, save_every=2, out=files / "run", **changes,
        )  # fmt: skip

    def test_from_clips_to_a_lifter_that_tells_more(self, files):
        result = pretrain(self.settings(files))
        assert (result.metadata.skeleton, result.metadata.tells_more) == ("h36m20", True)
        write_lifter_onnx(result.network, result.metadata, files / "lifter.onnx")
        answer = Lifter(files / "lifter.onnx").form
        assert list(answer.outputs) == ["joints", "deviations", "up", "up_deviation", "contact"]
        again = LifterCheckpoint.load(files / "run" / "lifter.pt")
        assert again.network.tells_more
        further = pretrain(
            dataclasses.replace(self.settings(files), grow_from=files / "run" / "lifter.pt", out=files / "on")
        )
        assert further.network.joints == 20

    def test_what_is_saved_is_calibrated_and_what_goes_on_is_not(self, files):
        result = pretrain(self.settings(files)).network
        saved = LifterCheckpoint.load(files / "run" / "lifter.pt").network
        assert torch.equal(result.more.bias, saved.more.bias)
        state = torch.load(files / "run" / "state.pt", weights_only=True)["parts"]["average"]
        learned = state["module.more.bias"]
        spread = slice(6, 63)  # without the root's
        assert not torch.equal(learned[spread], saved.more.bias[spread])
        torch.testing.assert_close(learned[:6], saved.more.bias[:6])
        torch.testing.assert_close(learned[63:], saved.more.bias[63:])

    def test_the_same_seed_gives_the_same_run(self, files):
        whole = pretrain(self.settings(files))
        same = pretrain(dataclasses.replace(self.settings(files), out=files / "again"))
        for name, value in whole.network.state_dict().items():
            assert torch.equal(value, same.network.state_dict()[name]), name

    @pytest.mark.parametrize(
        ("changes", "why"),
        [
            ({"grow_from": None}, "give --grow-from fast"),
            ({"hidden": 0.0}, "leave --hidden"),
            ({"devices": 2}, "trains in one process"),
        ],
    )
    def test_what_can_not_be_is_refused(self, files, changes, why):
        with pytest.raises(BadSetting, match=why):
            pretrain(dataclasses.replace(self.settings(files), **changes))
