"""A small model, trained, saved, gone on with and sampled from."""

import dataclasses
import subprocess
import sys
from functools import partial

import numpy as np
import pytest
import torch

from sdk.errors import BadModelFile, BadMotion
from tests.training.motion.test_feet import feet_of
from tests.training.motion_model.moving import walking
from training.commands.motion_model import train_motion_model
from training.geometry.bones import bone_lengths
from training.motion.drawn_feet import fit_feet, load_feet, with_drawn_feet
from training.motion.readers.motion import load_motion
from training.motion_model.model_file import SHIPPED_MOTION_MODEL, load_motion_model, save_motion_model
from training.runs.run_folder import RunExists, claim_folder
from training.settings.motion_model import TrainMotionModel
from training.settings.settings_check import BadSetting

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of tensorboard's own imports

LARGEST_BYTES = 5_000_000


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    folder = tmp_path_factory.mktemp("motion-model")
    clips = [walking(f"{1 + i % 2:02}_{i:02}", turn_rate=0.3 + 0.2 * i, phase=i) for i in range(4)]
    np.savez(folder / "clips.npz", frame_rate_hz=50.0, **{clip.name: clip.joints_world_m for clip in clips})
    return TrainMotionModel(
        folder / "clips.npz", folder / "whole", steps=8, batch=32, points=10, beginning=3, components=12, starts=20,
        start_components=6, width=16,
        blocks=1, average=0.5, threads=1, save_every=4,
    )  # fmt: skip


@pytest.fixture(scope="module")
def model(settings):
    return train_motion_model(settings)


def sample(model, count=6, frames=27, rate=25.0, seed=0):
    return model.sample(count, frames, rate, torch.Generator().manual_seed(seed))


def test_killed_and_resumed_it_ends_as_the_whole_run(settings, model, tmp_path, monkeypatch):
    half = dataclasses.replace(settings, out=tmp_path / "half")

    class Killed(Exception):
        pass

    from training.commands import motion_model as training_run

    steps = []

    def dies(*arguments, **options):
        steps.append(1)
        if len(steps) > 6:
            raise Killed
        return flow_matching_loss(*arguments, **options)

    flow_matching_loss = training_run.flow_matching_loss
    monkeypatch.setattr(training_run, "flow_matching_loss", dies)
    with pytest.raises(Killed):
        train_motion_model(half)
    monkeypatch.undo()
    resumed = train_motion_model(dataclasses.replace(half, resume=True))
    for name, value in model.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[name]), name


def test_a_finished_training_is_not_overwritten(settings, model):
    with pytest.raises(RunExists, match="--resume"):
        train_motion_model(settings)
    with pytest.raises(BadModelFile, match="other settings"):
        train_motion_model(dataclasses.replace(settings, resume=True, batch=16))


def test_of_trainings_that_begin_at_once_one_gets_the_folder(settings, tmp_path, monkeypatch):
    """The other one begins while this one reads its motion."""
    out, module = tmp_path / "run", "training.commands.motion_model"

    def meanwhile(*arguments):
        claim_folder(out, "motion-model", dataclasses.replace(settings, seed=7))
        return load_motion(*arguments)

    monkeypatch.setattr(f"{module}.load_motion", meanwhile)
    with pytest.raises(RunExists, match="began at the same time"):
        train_motion_model(dataclasses.replace(settings, out=out))
    assert [path.name for path in out.iterdir()] == ["config.json"]
    monkeypatch.undo()
    with pytest.raises(RunExists, match="--resume"):  # also later, with no state yet
        train_motion_model(dataclasses.replace(settings, out=out))


def test_people_can_be_left_out(settings, tmp_path):
    with pytest.raises(BadMotion, match="none of 4 clips is left after leaving out 01, 02"):
        train_motion_model(dataclasses.replace(settings, out=tmp_path, exclude=("01", "02")))


def test_with_their_file_it_also_learns_feet(settings, model, tmp_path, monkeypatch):
    monkeypatch.setattr("training.commands.motion_model.fit_feet", partial(fit_feet, steps=30))
    clips = load_motion(settings.source)
    np.savez(tmp_path / "feet.npz", **{clip.name: feet_of(clip) for clip in clips})
    again = train_motion_model(dataclasses.replace(settings, out=tmp_path / "run", feet=tmp_path / "feet.npz"))
    (shod,) = with_drawn_feet(clips[:1], 0, load_feet(tmp_path / "run" / "feet_of_motion.pt"))
    assert shod.joints_world_m.shape[1] == 20
    for name, value in model.state_dict().items():  # the model of the body is none the wiser
        torch.testing.assert_close(again.state_dict()[name], value)
    assert not (settings.out / "feet_of_motion.pt").exists()


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"beginning": 10}, "--beginning is 10; it must be below --points, which is 10"),
        ({"components": 10_000}, r"--components is 10000; 10 points have 430 numbers"),
        ({"exchanged": 1.5}, "--exchanged is 1.5"),
        ({"stretch": (1.3, 0.7)}, r"--stretch is 1\.3 0\.7"),
        ({"blocks": 0}, "--blocks is 0"),
    ],
    ids=str,
)
def test_wrong_settings_are_said_at_once(settings, tmp_path, changes, match):
    with pytest.raises(BadSetting, match=match):
        train_motion_model(dataclasses.replace(settings, out=tmp_path, **changes))


class TestSampling:
    @pytest.mark.parametrize(("frames", "rate"), [(1, 25.0), (27, 25.0), (243, 10.0), (243, 60.0), (27, 17.3)])
    def test_any_length_at_any_rate(self, model, frames, rate):
        motions = sample(model, 3, frames, rate)
        assert motions.shape == (3, frames, 16, 3)
        assert motions.dtype == torch.float32
        assert motions.isfinite().all()

    def test_bones_keep_their_lengths_and_bodies_differ(self, model):
        lengths = bone_lengths(sample(model, 20, 100))
        assert float((lengths - lengths[:, :1]).abs().max()) < 1e-5
        assert float(lengths[:, 0].std(0).min()) > 1e-3

    def test_a_seed_gives_one_answer_and_another_another(self, model):
        assert torch.equal(sample(model), sample(model))
        assert not torch.equal(sample(model), sample(model, seed=1))

    def test_rates_are_the_same_motion(self, model):
        """Every second frame at 50 Hz is the frame at 25 Hz."""
        fast, slow = sample(model, 4, 101, 50.0), sample(model, 4, 51, 25.0)
        torch.testing.assert_close(fast[:, ::2], slow, atol=1e-4, rtol=0)

    def test_segments_meet_smoothly(self, model):
        """No step between frames is unlike the others, over several segments."""
        steps = sample(model, 8, 200, 50.0).diff(dim=1).norm(dim=-1).mean(-1)
        assert float(steps.max()) < 8 * float(steps.mean())

    @pytest.mark.parametrize(
        ("options", "match"),
        [
            ({"count": 0}, "count is 0"),
            ({"frames": 0}, "frames is 0"),
            ({"rate": float("nan")}, "frame_rate_hz is nan"),
            ({"rate": -1.0}, r"frame_rate_hz is -1\.0"),
        ],
    )
    def test_what_cannot_be_sampled_is_said(self, model, options, match):
        with pytest.raises(BadMotion, match=match):
            sample(model, **options)


class TestFile:
    @pytest.fixture
    def path(self, model, tmp_path):
        save_motion_model(model, tmp_path / "motion.pt", name="test")
        return tmp_path / "motion.pt"

    def test_it_moves_the_same(self, model, path):
        """To half precision: millimetres."""
        difference = (sample(load_motion_model(path)) - sample(model)).norm(dim=-1)
        assert float(difference.mean()) < 5e-3

    def changed(self, path, change):
        content = torch.load(path, weights_only=True)
        change(content)
        torch.save(content, path)
        return path

    @pytest.mark.parametrize(
        ("change", "match"),
        [
            (lambda file: file.pop("bodies"), "lacks one of"),
            (lambda file: file["card"].update(format=9), "format 9; this version reads 1"),
            (
                lambda file: file["weights"]["network.enter.weight"].mul_(2),
                "not those that its metadata was written for",
            ),
            (lambda file: file["weights"].update({"network.enter.weight": 3}), "not all tensors"),
            (lambda file: file["architecture"].update(width=10**9), "width must lie between"),
            (lambda file: file["architecture"].update(width=17), "do not fit"),
            (lambda file: file["architecture"].pop("blocks"), "do not fit"),
            (lambda file: file["bodies"].update(height_m="tall"), "do not fit"),
        ],
    )
    def test_other_files_are_refused(self, path, change, match):
        with pytest.raises(BadModelFile, match=match):
            load_motion_model(self.changed(path, change))

    def test_a_torn_or_missing_file_is_refused(self, path):
        path.write_bytes(path.read_bytes()[:-500])
        with pytest.raises(BadModelFile, match="cut off"):
            load_motion_model(path)
        with pytest.raises(BadModelFile, match="no checkpoint at"):
            load_motion_model(path.with_name("other.pt"))


class TestShipped:
    def test_it_is_small(self):
        assert SHIPPED_MOTION_MODEL.stat().st_size <= LARGEST_BYTES

    def test_people_stand_on_the_floor_and_move(self):
        """Heads up for the most part, ankles near the floor, some travel: a model that was not trained would not."""
        motions = sample(load_motion_model(), 64, 51)
        assert float((motions[:, :, 9, 2] > motions[:, :, 0, 2]).float().mean()) > 0.9
        lowest = motions[..., 2].amin((1, 2))
        assert float(lowest.abs().median()) < 0.15
        travel = (motions[:, -1, 0, :2] - motions[:, 0, 0, :2]).norm(dim=-1)
        assert 0.05 < float(travel.median()) < 3
        heights = (motions[..., 2].amax(2) - motions[..., 2].amin(2)).amax(1)
        assert 1.2 < float(heights.median()) < 2


def test_the_command_answers_help_at_once():
    told = subprocess.run(
        [sys.executable, "-m", "training.commands.command", "motion-model", "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Train a generative model of human motion" in told.stdout
