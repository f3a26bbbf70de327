"""adaptpose-train as users call it: a whole small run, killed and resumed, and everything that can be wrong."""

import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from sdk import Lifter
from sdk.errors import BadModelFile
from sdk.lifting.model_metadata import LifterMetadata
from sdk.skeletons.skeleton import H36M16
from tests.lifters import random_lifter
from tests.training.motion.clips import STANDING
from tests.training.motion.readers.test_motion import bvh_text
from training.adaptation.default_step import DefaultStep
from training.adaptation.paper_step import PaperStep
from training.commands import command
from training.commands.adapt import adapt
from training.commands.run_motion import _filmed
from training.lifter.checkpoint import LifterCheckpoint
from training.lifter.lifter import TemporalLifter
from training.motion.body_variation import statures_m
from training.report import from_run
from training.runs.run_folder import RunFolder
from training.settings.adapt import Adapt

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of tensorboard's and plotly's own imports
SIZE = (1280, 720)
STEPS = 6


def source_motion(folder):
    """Three clips of a person who swings the arms, 4 s at 50 Hz."""
    time_s = np.arange(200)[:, None] / 50
    for name, speed in (("a", 3.0), ("b", 5.0), ("c", 7.0)):
        joints = np.repeat(STANDING[None], 200, 0)
        for wrist, phase in (("left_wrist", 0.0), ("right_wrist", 2.0)):
            joints[:, H36M16.index(wrist), 1:2] += 0.4 * np.sin(speed * time_s + phase)
        np.savez(folder / f"{name}.npz", **{name: joints.astype(np.float32)}, frame_rate_hz=50.0)
    return folder


def keypoint_file(path, frames=80, unseen=0, **changes):
    """One person in pixels, as a user may write it; in the last frames with no score."""
    flat = STANDING[:, [0, 2]] * [220, -220] + [640, 560]
    sway = 30 * np.sin(np.arange(frames) / 8)[:, None, None] * np.array([1.0, 0.2])
    scores = np.repeat(np.arange(frames) < frames - unseen, 16).reshape(frames, 16, 1)
    arrays = {
        "keypoints": np.concatenate([flat + sway, scores], -1).astype(np.float32),
        "image_size": SIZE,
        "skeleton": "h36m16",
        "frame_rate_hz": 25.0,
    }
    np.savez(path, **(arrays | changes))
    return path


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """Options of a small run: a target with one good and one bad file, source motion, a lifter to start from.

    One thread: a sum over two may round otherwise than over one, and the killed run must end as the whole one.
    """
    folder = tmp_path_factory.mktemp("inputs")
    (folder / "target").mkdir()
    (folder / "motion").mkdir()
    keypoint_file(folder / "target" / "person.npz", frames=90, unseen=10)
    (folder / "target" / "broken.npz").write_text("not an archive")
    source_motion(folder / "motion")
    (folder / "motion" / "dancer.bvh").write_text(bvh_text("CMU", 100.0, frames=100, turn_deg=20.0))
    (folder / "motion" / "torn.bvh").write_text("HIERARCHY of nothing")
    LifterCheckpoint(random_lifter(channels=16), LifterMetadata(name="random")).save(folder / "start.pt")
    return {
        "--target": folder / "target", "--source": folder / "motion", "--start": folder / "start.pt",
        "--steps": STEPS, "--batch": 16, "--threads": 1,
    }  # fmt: skip


def words(options):
    return [str(word) for pair in options.items() for word in pair]


def call(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["adaptpose-train", *map(str, arguments)])
    command.main()


@pytest.fixture(scope="module")
def finished(inputs, tmp_path_factory):
    """A run from beginning to end, in this process."""
    out = tmp_path_factory.mktemp("runs") / "whole"
    with pytest.MonkeyPatch.context() as patch:
        call(patch, *words(inputs | {"--out": out}))
    return RunFolder(out)


def weights(run):
    return LifterCheckpoint.load(run.checkpoint).network.state_dict()


def same(first, second):
    """To the bit."""
    return all(torch.equal(value, second[name]) for name, value in first.items())


class TestWholeRun:
    def test_leaves_everything_a_run_has(self, finished):
        for path in (finished.checkpoint, finished.onnx, finished.report, finished.config, finished.state,
                     finished.skipped, finished.target_windows):  # fmt: skip
            assert path.stat().st_size > 0, path
        assert list(finished.tensorboard.glob("events*"))
        assert not list(finished.path.glob("*.part-*"))
        assert finished.finished

    def test_skipped_files_are_listed_by_name_and_reason(self, finished):
        left_out = json.loads(finished.skipped.read_text())
        assert [(one["of"], one["name"]) for one in left_out["skipped"]] == [
            ("target", "broken.npz"), ("source", "torn.bvh"),
        ]  # fmt: skip
        assert all(one["reason"] for one in left_out["skipped"])
        assert [(one["of"], one["text"].split(":")[0]) for one in left_out["notes"]] == [
            ("target", "person"),
            ("target", "Recipe default"),
            ("target", "One track is too few to hold one out (10 are needed)"),
            ("source", "dancer"),
        ]
        assert "10 of 90 frames left out" in left_out["notes"][0]["text"]
        assert "on the tracks that it was adapted to" in left_out["notes"][2]["text"]
        assert "unit taken as centimetres" in left_out["notes"][3]["text"]

    def test_the_report_has_them_too(self, finished):
        report = finished.report.read_text()
        left_out = json.loads(finished.skipped.read_text())
        for words in ("broken.npz", "source: torn.bvh", *(one["text"] for one in left_out["notes"])):
            assert words in report

    def test_they_are_said_at_the_end(self, inputs, tmp_path, monkeypatch, capsys):
        monkeypatch.setattr(from_run, "_SOURCE_NOTES", 0)
        call(monkeypatch, *words(inputs | {"--out": tmp_path / "run", "--steps": 1}))
        said = capsys.readouterr().out
        for start in ("skipped   broken.npz: ", "skipped   torn.bvh (source): ", "note      person: 10 of 90 frames"):
            assert start in said
        # Hundreds of BVH files have a note each: the report sends the reader to the list.
        report = RunFolder(tmp_path / "run").report.read_text()
        assert "Notes on source files, 1 more of them, are in skipped.json." in report
        assert "dancer: unit" not in report

    def test_the_lifter_learned_and_says_what_it_is(self, finished, inputs):
        adapted = LifterCheckpoint.load(finished.checkpoint)
        assert adapted.metadata.name == "random; adapted to target"
        assert not same(LifterCheckpoint.load(inputs["--start"]).network.state_dict(), weights(finished))

    def test_the_sdk_lifts_with_it_as_the_checkpoint_does(self, finished):
        lifter, network = Lifter(finished.path), LifterCheckpoint.load(finished.checkpoint).network
        windows = np.load(finished.target_windows)["windows"]
        assert windows.shape == (80, 27, 16, 2)
        with torch.no_grad():
            expected = network(torch.from_numpy(windows)).numpy()
        np.testing.assert_allclose(lifter.lift_windows(windows), expected, atol=1e-5)
        assert lifter.metadata.checkpoint_sha256

    def test_report_opens_offline(self, finished):
        page = finished.report.read_text()
        assert "expects of itself" not in page  # this lifter does not tell how sure it is
        assert "<script src=" not in page
        assert '<link rel="stylesheet" href="http' not in page

    def test_settings_are_kept(self, finished, inputs):
        config = json.loads(finished.config.read_text())
        assert config["source"] == [str(inputs["--source"])]
        for name in ("target", "start"):
            assert config[name] == str(inputs[f"--{name}"])
            assert Path(config[name]).is_absolute()
        assert (config["steps"], config["batch"], config["seed"]) == (STEPS, 16, 0)

    def test_it_is_not_overwritten(self, finished, inputs, monkeypatch, capsys):
        before = finished.onnx.read_bytes()
        with pytest.raises(SystemExit) as stop:
            call(monkeypatch, *words(inputs | {"--out": finished.path}))
        assert stop.value.code == 2
        assert f"{finished.path} holds a finished run. Go on with --resume" in capsys.readouterr().err
        assert finished.onnx.read_bytes() == before


def training_process(*arguments):
    return subprocess.Popen(
        [sys.executable, "-m", "training.commands.command", *map(str, arguments)],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def test_a_killed_run_resumes_to_the_same_lifter(finished, inputs, tmp_path, monkeypatch, capsys):
    """SIGKILL once the first state is on disk; --resume gives the lifter of the run that was not stopped."""
    run = RunFolder(tmp_path / "killed")
    # The settings of `finished`, but for a state after every step. The process is stopped while it adapts.
    process = training_process(*words(inputs | {"--out": run.path, "--save-every": 1}))
    try:
        deadline = time.monotonic() + 120
        while not run.state.exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
    finally:
        process.kill()
        said = process.communicate()[0]
    assert run.state.exists(), said
    assert process.returncode == -signal.SIGKILL, said
    assert not run.onnx.exists()
    with pytest.raises(
        BadModelFile, match=rf"its run is not finished\. Finish it with adaptpose-train --resume {run.path}"
    ):
        Lifter(run.path)
    call(monkeypatch, "--resume", run.path)
    capsys.readouterr()
    assert run.finished
    assert same(weights(finished), weights(run))
    metadata, whole = (LifterCheckpoint.load(one.checkpoint).metadata for one in (run, finished))
    assert metadata == whole


def test_a_run_started_by_relative_names_resumes_from_another_folder(finished, inputs, tmp_path, monkeypatch, capsys):
    """Ctrl-C after its second state says where it is and how to go on; it ends as the run named absolutely."""
    folder, step = inputs["--target"].parent, DefaultStep.step

    def interrupted(self, number, random):
        if number == 5:
            raise KeyboardInterrupt
        return step(self, number, random)

    relative = {name: Path(inputs[name]).relative_to(folder) for name in ("--target", "--source", "--start")}
    monkeypatch.chdir(folder)
    options = words(inputs | relative | {"--out": tmp_path / "run", "--save-every": 2})
    with monkeypatch.context() as patch:
        patch.setattr(DefaultStep, "step", interrupted)
        with pytest.raises(SystemExit) as stop:
            call(patch, *options)
    assert stop.value.code == 130
    run = RunFolder(tmp_path / "run")
    said = capsys.readouterr().err
    assert said.endswith(f"interrupted. The run is in {run.path}: go on with adaptpose-train --resume {run.path}\n")
    assert json.loads(run.config.read_text())["target"] == str(inputs["--target"])
    monkeypatch.chdir(tmp_path)
    call(monkeypatch, "--resume", "run")
    assert same(weights(finished), weights(run))


@pytest.fixture(scope="module")
def lifter_with_feet(tmp_path_factory):
    """A checkpoint of 20 joints."""
    torch.manual_seed(0)
    network = TemporalLifter((3, 3, 3), 16, 20, 3, 0.0, "person", tells_more=True).eval()
    path = tmp_path_factory.mktemp("feet") / "feet.pt"
    LifterCheckpoint(network, LifterMetadata(name="feet", skeleton="h36m20", input_channels=3, tells_more=True)).save(
        path
    )
    return path


@pytest.mark.parametrize("skeleton", ["h36m16", "halpe26"])
def test_a_lifter_with_feet_is_adapted_whole(inputs, lifter_with_feet, tmp_path, monkeypatch, skeleton):
    """To keypoints with feet and without. The run holds all of it: lifter, graph, report, and it can be continued."""
    place = np.random.default_rng(0).uniform(400, 800, (1, 26, 2))
    for folder, frames in (("target", 90), ("more", 70)):
        changes = {}
        if skeleton != "h36m16":
            sway = np.sin(np.arange(frames) / frames * 9)[:, None, None]
            keypoints = np.concatenate([place + 20 * sway, np.full((frames, 26, 1), 0.9)], -1)
            changes = {"keypoints": keypoints.astype(np.float32)}
        (tmp_path / folder).mkdir()
        keypoint_file(tmp_path / folder / f"{folder}.npz", frames=frames, skeleton=skeleton, **changes)
    target = tmp_path / "target"
    options = inputs | {"--target": target, "--start": lifter_with_feet, "--out": tmp_path / "run"}
    call(monkeypatch, *words(options))
    run = RunFolder(tmp_path / "run")
    network = LifterCheckpoint.load(run.checkpoint).network
    assert network.joints == 20
    with np.load(run.target_windows) as arrays:
        windows = arrays["windows"]
    assert np.isnan(windows[:, :, 16:]).all() == (skeleton == "h36m16")
    with torch.no_grad():
        expected = network(torch.from_numpy(windows)).numpy()
    np.testing.assert_allclose(Lifter(run.path).lift_windows(windows), expected, atol=1e-5)
    page = run.report.read_text()
    for part in ("error that the lifter expects of itself", "Expected error", "Least sure of", "--height"):
        assert part in page
    (entry,) = json.loads(run.history.read_text())["targets"]
    assert entry["measured"]["this target"]["after"]["expected_error_mm"] > 0
    more = {"--target": tmp_path / "more", "--continue": run.path, "--out": tmp_path / "further"}
    call(monkeypatch, *words({name: value for name, value in (inputs | more).items() if name != "--start"}))
    assert LifterCheckpoint.load(RunFolder(tmp_path / "further").checkpoint).network.joints == 20


def test_the_generator_has_no_feet(inputs, lifter_with_feet, tmp_path, monkeypatch, capsys):
    with pytest.raises(SystemExit) as stop:
        call(
            monkeypatch, *words(inputs | {"--start": lifter_with_feet, "--recipe": "paper", "--out": tmp_path / "run"})
        )
    assert stop.value.code == 2
    assert "its generator makes poses of 16 joints, this lifter has 20. Take --start fast" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_another_seed_is_another_lifter(finished, inputs, tmp_path, monkeypatch):
    call(monkeypatch, *words(inputs | {"--out": tmp_path / "run", "--seed": 1, "--steps": 1}))
    assert not same(weights(finished), weights(RunFolder(tmp_path / "run")))


@pytest.mark.parametrize("source", ["files", "model"])
def test_a_stated_height_is_that_of_all_motion_that_is_learned_from(inputs, tmp_path, monkeypatch, source):
    """Of the source, of what must not be forgotten, of the target's own motion, and of what the report measures."""
    seen = []

    def looked_at(adaptation, *_, **__):
        random = torch.Generator().manual_seed(0)
        for film in filter(None, (adaptation.source, adaptation.teacher.anchor)):
            seen.append(statures_m(film(32, random).joints_m))
        adaptation.matched.target_motion.lift(adaptation.teacher.lifter.eval(), random)
        before = adaptation.source(8, random)
        seen.append(statures_m(adaptation.matched.target_motion.mixed_in(before, 1.0, random).joints_m))

    monkeypatch.setattr("training.commands.adapt.run_adaptation", looked_at)
    monkeypatch.setattr("training.commands.adapt.write_report", lambda *_: None)
    held_out = []
    monkeypatch.setattr(
        "training.commands.adapt.report_content", lambda facts: held_out.extend(facts.held_out.values())
    )
    motion = ("model",) if source == "model" else (str(inputs["--source"]),)
    adapt(
        Adapt(
            target=inputs["--target"], source=motion, start=inputs["--start"], out=tmp_path / "run", steps=1, height=1.2
        )
    )
    assert len(seen) == (2 if source == "model" else 3)
    for statures in seen:
        torch.testing.assert_close(statures, torch.full_like(statures, 1.2))
    for windows in held_out:  # bones of real clips, and of windows of them, are not of quite the same length
        assert (statures_m(windows.joints_m) - 1.2).abs().max() < 0.03


def test_source_motion_is_seen_through_any_roll():
    """A lifter that was trained with tilted and upside-down cameras does not forget them in an adaptation."""
    standing = torch.from_numpy(STANDING).float().expand(4000, 9, 16, 3)
    seen = _filmed(lambda count, random: standing[:count], None)(4000, torch.Generator().manual_seed(0))
    upside_down = (seen.middle_pose_m[:, H36M16.index("head"), 1] > 0).float().mean()
    assert 0.03 < upside_down < 0.12


def test_a_state_of_other_settings_is_refused(finished, inputs, tmp_path, monkeypatch, capsys):
    run = RunFolder(tmp_path / "copy")
    run.path.mkdir()
    run.state.write_bytes(finished.state.read_bytes())
    run.config.write_text(finished.config.read_text().replace('"batch": 16', '"batch": 8'))
    with pytest.raises(SystemExit) as stop:
        call(monkeypatch, "--resume", run.path)
    assert stop.value.code == 2
    assert "state.pt belongs to a run with other settings" in capsys.readouterr().err


def state_without(state, constant, copy):
    """A saved state as a version wrote it that did not know a constant of the method."""
    content = torch.load(state, weights_only=True)
    config = json.loads(content["config"])
    config["method"].pop(constant, None)
    torch.save(content | {"config": json.dumps(config)}, copy)


def test_a_run_from_before_a_constant_came_resumes(finished, tmp_path, monkeypatch):
    run = RunFolder(tmp_path / "run")
    run.path.mkdir()
    state_without(finished.state, "hard_ratio_form", run.state)
    settings = json.loads(finished.config.read_text())
    assert settings.pop("people") == "all"  # newer, too
    run.config.write_text(json.dumps(settings))
    assert "people" not in torch.load(run.state, weights_only=True)["config"]
    call(monkeypatch, "--resume", run.path)
    assert same(weights(finished), weights(run))


class TestOtherFiles:
    """Target, source or start changed since the run began: going on would give a lifter of neither."""

    @pytest.fixture
    def run(self, finished, inputs, tmp_path):
        """A copy of the finished run whose inputs are copies, too."""
        folder = tmp_path / "inputs"
        shutil.copytree(inputs["--target"].parent, folder)
        settings, state = json.loads(finished.config.read_text()), torch.load(finished.state, weights_only=True)
        moved = {name: str(folder / inputs[f"--{name}"].name) for name in ("target", "start")}
        moved["source"] = [str(folder / inputs["--source"].name)]
        run = RunFolder(tmp_path / "run")
        run.path.mkdir()
        run.config.write_text(json.dumps(settings | moved))
        state["config"] = json.dumps(json.loads(state["config"]) | moved)
        torch.save(state, run.state)
        return run, folder

    def resumed(self, monkeypatch, capsys, run):
        with pytest.raises(SystemExit) as stop:
            call(monkeypatch, "--resume", run.path)
        assert stop.value.code == 2
        return capsys.readouterr().err

    def change_start(folder):
        LifterCheckpoint(random_lifter(channels=16, seed=4), LifterMetadata(name="random")).save(folder / "start.pt")

    @pytest.mark.parametrize(
        ("change", "says"),
        [
            (lambda folder: keypoint_file(folder / "target" / "person.npz", 85), "target person.npz has changed"),
            (lambda folder: keypoint_file(folder / "target" / "other.npz"), "target other.npz is new"),
            (lambda folder: (folder / "target" / "broken.npz").unlink(), "target broken.npz is gone"),
            (
                lambda folder: shutil.copy(folder / "motion" / "a.npz", folder / "motion" / "b.npz"),
                "source b.npz has changed",
            ),
            (lambda folder: (folder / "motion" / "c.npz").unlink(), "source c.npz is gone"),
            (change_start, "the lifter to start from has changed"),
        ],
    )
    def test_are_refused_by_name(self, run, monkeypatch, capsys, change, says):
        run, folder = run
        change(folder)
        said = self.resumed(monkeypatch, capsys, run)
        assert f"state.pt belongs to a run that was given other files: {says}. Put them back as they were" in said
        assert not run.checkpoint.exists()

    def test_a_state_without_hashes_goes_on_with_a_note(self, run, finished, monkeypatch, capsys):
        """As saved before they were kept, with the generator that a run of the default recipe had then."""
        run, _ = run
        state = torch.load(run.state, weights_only=True)
        later = ("inputs", "height")
        state["config"] = json.dumps({k: v for k, v in json.loads(state["config"]).items() if k not in later})
        state["parts"] |= {"generator": {}, "pose_discriminator": {}, "generator_optimiser": {}}
        torch.save(state, run.state)
        call(monkeypatch, "--resume", run.path)
        assert (
            "without hashes of target, source and start: they are taken to be as they were" in capsys.readouterr().err
        )
        assert same(weights(finished), weights(run))

    def test_a_flipped_bit_of_the_state_is_noticed(self, run, monkeypatch, capsys):
        run, _ = run
        content = bytearray(run.state.read_bytes())
        content[len(content) // 2] ^= 1
        run.state.write_bytes(content)
        assert "is not what was written" in self.resumed(monkeypatch, capsys, run)


class TestDiverged:
    """A run whose numbers are lost stops; what it saved before is sound."""

    def test_numbers_of_a_step(self, inputs, tmp_path, monkeypatch, capsys):
        run, step = RunFolder(tmp_path / "run"), DefaultStep.step

        def lost(self, number, random):
            return step(self, number, random) | ({"lifter/fake_mm": float("nan")} if number == 5 else {})

        monkeypatch.setattr(DefaultStep, "step", lost)
        with pytest.raises(SystemExit) as stop:
            call(monkeypatch, *words(inputs | {"--out": run.path, "--save-every": 2}))
        assert stop.value.code == 2
        said = capsys.readouterr().err
        assert "the training diverged: after step 5, lifter/fake_mm are not finite numbers. Start a new run" in said
        assert torch.load(run.state, weights_only=True)["step"] == 4
        assert not run.checkpoint.exists()

    @pytest.mark.parametrize(
        ("recipe", "kind", "part"),
        [
            ("default", DefaultStep, "lifter"),
            ("paper", PaperStep, "generator"),
            ("paper", PaperStep, "domain_discriminator"),
        ],
    )
    def test_weights_after_the_last_step(self, inputs, tmp_path, monkeypatch, capsys, recipe, kind, part):
        run, step = RunFolder(tmp_path / "run"), kind.step

        def losing(self, number, random):
            values = step(self, number, random)
            with torch.no_grad():
                next(self.parts()[part].parameters()).view(-1)[0] = float("inf")
            return values

        monkeypatch.setattr(kind, "step", losing)
        with pytest.raises(SystemExit):
            call(monkeypatch, *words(inputs | {"--out": run.path, "--steps": 1, "--recipe": recipe}))
        assert "the training diverged: after step 1, weights are not finite" in capsys.readouterr().err
        assert not run.state.exists()
        assert not run.checkpoint.exists()


class TestWrongCalls:
    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"--target": None}, "no target: name a folder of videos with --target VIDEOS"),
            ({"--target": "nowhere"}, "nowhere"),
            ({"--device": "tpu"}, "'tpu' is not a known device. Known: cpu, openvino, cuda, cuda:N, tensorrt, auto."),
            ({"--start": "nowhere.pt"}, "no checkpoint at {cwd}/nowhere.pt"),
            ({"--source": "nowhere"}, "source motion {cwd}/nowhere does not exist"),
            ({"--detector": "yolo"}, "'yolo' is not a known detector. Known: movenet, movenet-fast, mediapipe, "),
            ({"--boxes": "yolo"}, "'yolo' is not a known detector"),
            ({"--skeleton": "coco19"}, "'coco19' is not a known skeleton. Known: h36m16, "),
            ({"--steps": 0}, "--steps is 0; it must be 1 or more, and 10^9 at most."),
            ({"--batch": 1}, "--batch is 1; it must be 4 or more, and 10^6 at most."),
            ({"--resume": "nowhere"}, "nowhere holds no config.json: it is not the folder of a run"),
        ],
    )
    def test_one_message_and_code_2(self, inputs, tmp_path, monkeypatch, capsys, changes, message):
        monkeypatch.chdir(tmp_path)
        options = {name: value for name, value in (inputs | changes).items() if value is not None}
        with pytest.raises(SystemExit) as stop:
            call(monkeypatch, *words(options))
        assert stop.value.code == 2
        error = capsys.readouterr().err
        assert message.format(cwd=tmp_path) in error
        assert "Traceback" not in error
        assert "person.npz" not in error  # it is said before the target is looked at
        assert not (tmp_path / "runs").exists()  # nothing is made before all of it is found

    @pytest.mark.parametrize(
        ("option", "value"), [("--recipe", "mine"), ("--steps", "many"), ("--colour", "red"), ("--source-up", "x")]
    )
    def test_words_that_are_no_settings(self, inputs, monkeypatch, capsys, option, value):
        with pytest.raises(SystemExit) as stop:
            call(monkeypatch, *words(inputs | {option: value}))
        assert stop.value.code == 2
        assert option in capsys.readouterr().err

    @pytest.mark.parametrize(
        "module", ["torch", "roma", "lightning_fabric", "tensorboard", "plotly", "onnx", "onnxscript"]
    )
    def test_an_sdk_only_installation_is_told_what_to_install(self, inputs, tmp_path, monkeypatch, capsys, module):
        find_spec = importlib.util.find_spec
        monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == module else find_spec(name))
        with pytest.raises(SystemExit) as stop:
            call(monkeypatch, *words(inputs | {"--out": tmp_path / "run"}))
        assert stop.value.code == 2
        said = f"error: adaptpose-train needs the package '{module}'. Install it with: pip install 'adaptpose[train]'"
        assert said in capsys.readouterr().err
        assert not (tmp_path / "run").exists()

    def test_nothing_in_the_target(self, inputs, tmp_path, monkeypatch, capsys):
        keypoint_file(tmp_path / "short.npz", frames=3)
        with pytest.raises(SystemExit) as stop:
            call(monkeypatch, *words(inputs | {"--target": tmp_path, "--out": tmp_path / "run"}))
        assert stop.value.code == 2
        error = capsys.readouterr().err
        assert "can be adapted to" in error
        assert "short.npz" in error

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"keypoints": np.full((80, 16, 2), np.nan, np.float32)}, "person.npz"),
            ({"skeleton": "coco19"}, "'coco19'"),
            ({"skeleton": "coco17"}, "(T, 17, 2 or 3)"),
        ],
    )
    def test_keypoints_that_can_not_be_used(self, inputs, tmp_path, monkeypatch, capsys, changes, message):
        keypoint_file(tmp_path / "person.npz", **changes)
        with pytest.raises(SystemExit) as stop:
            call(monkeypatch, *words(inputs | {"--target": tmp_path, "--out": tmp_path / "run"}))
        assert stop.value.code == 2
        assert message in capsys.readouterr().err

    @pytest.mark.skipif("CUDAExecutionProvider" in onnxruntime.get_available_providers(), reason="CUDA is here")
    def test_a_device_that_is_not_there(self, inputs, tmp_path, monkeypatch, capsys):
        if torch.cuda.is_available():
            pytest.skip("CUDA is here")
        with pytest.raises(SystemExit) as stop:
            call(monkeypatch, *words(inputs | {"--device": "cuda", "--out": tmp_path / "run"}))
        assert stop.value.code == 2
        assert "device 'cuda' is not there" in capsys.readouterr().err

    def test_a_failing_write_in_the_middle_loses_nothing(self, inputs, tmp_path, monkeypatch, capsys):
        """The disk fills up at the third state: one message, the second state stands, and the run can go on.

        In so short a run, every step leaves a candidate, and with it a state.
        """
        run, saved = RunFolder(tmp_path / "run"), []
        save = torch.save

        def filling(content, file):
            saved.append(content)
            if len(saved) == 3:
                raise OSError(28, "No space left on device")
            save(content, file)

        monkeypatch.setattr(torch, "save", filling)
        with pytest.raises(SystemExit) as stop:
            call(monkeypatch, *words(inputs | {"--out": run.path, "--save-every": 2}))
        monkeypatch.setattr(torch, "save", save)
        assert stop.value.code == 2
        said = capsys.readouterr().err
        assert "No space left on device" in said
        assert f"go on with adaptpose-train --resume {run.path}" in said
        assert torch.load(run.state, weights_only=True)["step"] == 2
        assert not list(run.path.glob("*.part-*"))
        call(monkeypatch, "--resume", run.path)
        assert run.finished


@pytest.mark.parametrize("recipe", ["default", "paper"])
def test_a_lifter_of_single_cropped_frames(inputs, tmp_path, recipe):
    """Root-centred keypoints from end to end; the SDK lifts with the result as the network, wherever people are."""
    start = tmp_path / "cropped.pt"
    metadata = LifterMetadata(receptive_field=1, normalisation="root-centred")
    LifterCheckpoint(random_lifter((1, 1, 1), channels=8), metadata).save(start)
    config = Adapt(
        target=inputs["--target"], source=(str(inputs["--source"]),), start=start, out=tmp_path / "run", recipe=recipe,
        steps=2, batch=8, threads=1,
    )  # fmt: skip
    run = adapt(config).folder
    windows = torch.from_numpy(np.load(run.target_windows)["windows"])
    assert windows.shape[1:] == (1, 16, 2)
    assert not windows[:, :, 0].any()
    torch.testing.assert_close(windows.flatten(1).norm(dim=1), torch.ones(len(windows)), rtol=0, atol=0.01)

    adapted, lifter = LifterCheckpoint.load(run.checkpoint), Lifter(run.path)
    assert adapted.metadata.normalisation == lifter.metadata.normalisation == "root-centred"
    pixels = np.load(inputs["--target"] / "person.npz")["keypoints"][:, :, :2]
    centred = pixels - pixels[:, :1]
    centred /= np.linalg.norm(centred.reshape(-1, 32), axis=1)[:, None, None]
    with torch.no_grad():
        expected = adapted.network(torch.from_numpy(centred[:, None])).numpy()
    for seen in (pixels, pixels * 0.5 + 100):
        found = lifter(seen, image_size=SIZE, skeleton="h36m16", fps=25.0)
        np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize(
    ("module", "arguments", "says"),
    [
        ("training.commands.command", [], "--target"),
        ("training.commands.command", ["pretrain"], "--channels"),
        ("training.commands.evaluate_command", [], "--model"),
    ],
)
def test_help_is_light(module, arguments, says):
    """It must answer at once: nothing heavy is imported for it."""
    heavy = ["torch", "cv2", "onnxruntime", "mediapipe", "mmpose", "supervision", "plotly", "scipy"]
    code = (
        f"import sys, {module} as command\nsys.argv = ['x', *{arguments!r}, '--help']\n"
        "try:\n    command.main()\nexcept SystemExit as stop:\n    assert stop.code == 0\n"
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert says in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(("given", "expected"), [(None, "PASSIVE"), ("ACTIVE", "ACTIVE")])
def test_waiting_threads_sleep_unless_told_otherwise(monkeypatch, given, expected):
    """It must stand in the environment before torch is loaded: OpenMP reads it once."""
    monkeypatch.setenv("OMP_WAIT_POLICY", given or "")
    if given is None:
        monkeypatch.delenv("OMP_WAIT_POLICY")
    with pytest.raises(SystemExit):
        call(monkeypatch, "--help")
    assert os.environ["OMP_WAIT_POLICY"] == expected


def test_without_a_source_motion_is_drawn_from_the_model(inputs, tmp_path, monkeypatch):
    """The report then shows the error on the model's held-out motion, and on no other."""
    monkeypatch.setattr("training.motion_model.source_motion.MODEL_CLIPS", 8)
    options = {name: value for name, value in inputs.items() if name != "--source"}
    call(monkeypatch, *words(options | {"--out": tmp_path / "run"}))
    run = RunFolder(tmp_path / "run")
    assert json.loads(run.config.read_text())["source"] == ["model"]
    page = run.report.read_text()
    assert "Held-out motion of the motion model: MPJPE" in page
    assert "Held-out source motion" not in page


def test_with_files_the_report_shows_both(finished):
    page = finished.report.read_text()
    assert "Held-out motion of the motion model: MPJPE" in page
    assert "Held-out source motion: MPJPE" in page
