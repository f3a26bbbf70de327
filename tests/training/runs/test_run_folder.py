"""Run folders: nothing is overwritten, settings come back as they were."""

import dataclasses
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from sdk.errors import AdaptPoseError, BadModelFile, BadOutput, BadTarget
from training.runs.run_folder import RunExists, RunFolder, choose_run, make_run
from training.settings.adapt import Adapt
from training.settings.method_choice import run_method
from training.settings.settings_check import BadSetting, check_adapt

FULL = Adapt(
    steps=1000,
    target=Path("videos/ski"), out=Path("runs/ski"), source=("model", "motion"), source_up="y", image_size=(1920, 1080),
    fps=29.97, source_fps=60.0, recipe="paper", seed=3, detector="onnx:a.onnx", boxes="mediapipe",
)  # fmt: skip


def test_settings_come_back_as_they_were(tmp_path):
    for name, config in (("a", FULL), ("b", Adapt(target=Path("x")))):
        run = RunFolder(tmp_path / name / "run")
        make_run(run, config)
        found, resumed = choose_run(Adapt(resume=run.path))
        assert found == run
        assert dataclasses.replace(resumed, resume=None) == config
        for field in dataclasses.fields(Adapt):
            assert type(getattr(dataclasses.replace(resumed, resume=None), field.name)) is type(
                getattr(config, field.name)
            ), field.name


def test_files_are_named_so_that_they_are_found_from_everywhere(tmp_path, monkeypatch):
    """Kept absolute; resumed from another folder, they are as they were kept, to the letter: the state goes by them."""
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    run, config = choose_run(dataclasses.replace(FULL, start=Path("a.pt"), boxes="onnx:b.onnx"))
    assert run.path == Path("runs/ski")
    assert (config.target, config.source, config.start) == (
        tmp_path / "videos" / "ski", ("model", str(tmp_path / "motion")), tmp_path / "a.pt",
    )  # fmt: skip
    assert (config.detector, config.boxes) == (f"onnx:{tmp_path}/a.onnx", f"onnx:{tmp_path}/b.onnx")
    make_run(run, config)
    monkeypatch.chdir(tmp_path / "elsewhere")
    _, resumed = choose_run(Adapt(resume=Path("../runs/ski")))
    assert dataclasses.replace(resumed, resume=None) == config


def test_a_run_that_was_kept_with_relative_names_goes_on_with_them(tmp_path, monkeypatch):
    """Its state knows them so."""
    monkeypatch.chdir(tmp_path)
    make_run(RunFolder(tmp_path / "run"), FULL)
    assert choose_run(Adapt(resume=tmp_path / "run"))[1].target == Path("videos/ski")


def test_home_is_found(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert choose_run(Adapt(target=Path("~/ski"), out=tmp_path / "run"))[1].target == tmp_path / "ski"


class TestResume:
    @pytest.fixture
    def run(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        _, config = choose_run(FULL)
        run = RunFolder(tmp_path / "run")
        make_run(run, config)
        return run

    @pytest.mark.parametrize(
        "changes",
        [{}, {"target": Path("videos/ski")}, {"recipe": "paper", "detector": "onnx:a.onnx", "seed": 3}],
        ids=str,
    )
    def test_all_settings_come_from_the_run(self, run, changes):
        _, resumed = choose_run(Adapt(resume=run.path, **changes))
        assert (resumed.target, resumed.steps, resumed.seed) == (Path("videos/ski").absolute(), FULL.steps, 3)

    @pytest.mark.parametrize(
        ("changes", "says"),
        [
            ({"steps": 7}, "--steps 7 is not what the run in {run} was started with (1000)"),
            ({"target": Path("other")}, "--target {cwd}/other is not what the run in {run} was started with"),
            ({"seed": 9}, "--seed 9 is not what the run in {run} was started with (3)"),
            ({"batch": 17}, "--batch 17 is not what"),
        ],
    )
    def test_others_are_refused_with_the_way_to_have_them(self, run, changes, says):
        with pytest.raises(BadSetting) as error:
            choose_run(Adapt(resume=run.path, **changes))
        assert says.format(run=run.path, cwd=Path.cwd()) in str(error.value)
        assert f"--start {run.checkpoint}" in str(error.value)

    def test_where_and_how_fast_it_is_computed_may_change(self, run):
        _, resumed = choose_run(Adapt(resume=run.path, device="cuda:1", threads=3, save_every=7))
        assert (resumed.device, resumed.threads, resumed.save_every) == ("cuda:1", 3, 7)
        assert resumed.seed == 3

    def test_the_kept_settings_stay(self, run):
        before = run.config.read_bytes()
        make_run(*choose_run(Adapt(resume=run.path, threads=3)))
        assert run.config.read_bytes() == before


def test_no_target():
    with pytest.raises(BadTarget, match=r"no target: name a folder of videos with --target VIDEOS, or .*--resume RUN"):
        choose_run(Adapt())


@pytest.mark.parametrize("there", [True, False])
def test_resuming_what_is_no_run(tmp_path, there):
    folder = tmp_path / "run"
    if there:
        folder.mkdir()
    with pytest.raises(BadModelFile, match=r"run holds no config\.json: it is not the folder of a run"):
        choose_run(Adapt(resume=folder))


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '{"colour": 1}', "null", "\x00"])
def test_damaged_settings(tmp_path, text):
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(BadModelFile, match=r"config\.json is damaged or of another version"):
        choose_run(Adapt(resume=tmp_path))


@pytest.mark.skipif(os.name == "nt", reason="no pipes in folders")
def test_settings_that_are_a_pipe_are_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "config.json")
    keeper = os.open(tmp_path / "config.json", os.O_RDWR)  # a reader would wait; it gets something to read
    os.write(keeper, b"{" * 100)
    ender = threading.Timer(1.0, os.close, [keeper])
    ender.start()
    with pytest.raises(BadModelFile, match=r"config\.json is a pipe, device or socket"):
        choose_run(Adapt(resume=tmp_path))
    ender.join()


def test_settings_of_another_version_are_named(tmp_path):
    (tmp_path / "config.json").write_text('{"target": "x", "colour": 1, "weight": 2}')
    with pytest.raises(BadModelFile, match=r"it has settings that this version does not know: colour, weight\."):
        choose_run(Adapt(resume=tmp_path))


@pytest.mark.parametrize(("finished", "word"), [(True, "a finished run"), (False, "an interrupted run")])
def test_an_existing_run_is_not_overwritten(tmp_path, finished, word):
    run = RunFolder(tmp_path / "run")
    make_run(run, FULL)
    if finished:
        run.report.write_text("done")
    assert run.finished == finished
    with pytest.raises(RunExists) as error:
        choose_run(dataclasses.replace(FULL, out=run.path))
    assert f"{run.path} holds {word}. Go on with --resume {run.path}, or name another folder with --out." in str(
        error.value
    )


@pytest.mark.parametrize("name", ["state.pt", "lifter.pt"])
def test_what_another_training_left_is_not_overwritten(tmp_path, name):
    (tmp_path / name).write_text("hours of work")
    with pytest.raises(RunExists, match=rf"holds {name} of another training\. Name another folder with --out\."):
        choose_run(dataclasses.replace(FULL, out=tmp_path))


def test_a_run_begun_by_another_process_meanwhile(tmp_path):
    """Both found the folder free; the one that comes second with its videos stops."""
    first, second = (choose_run(dataclasses.replace(FULL, out=tmp_path / "run", seed=seed)) for seed in (1, 2))
    make_run(*first)
    before = first[0].config.read_bytes()
    with pytest.raises(RunExists, match="holds an interrupted run"):
        make_run(*second)
    assert first[0].config.read_bytes() == before


BEGIN = """
import sys, time
from pathlib import Path
from training.runs.run_folder import RunFolder, make_run
from training.runs import run_folder
from training.settings.adapt import Adapt
run_folder._require_free = lambda run: None  # both looked before either had begun
out, seed, go = Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
(go.parent / f"ready{seed}").touch()
while not go.exists():
    time.sleep(0.001)
try:
    make_run(RunFolder(out), Adapt(target=Path("x"), out=out, seed=seed))
except FileExistsError:
    sys.exit(3)
"""


def test_of_runs_begun_at_the_same_instant_one_gets_the_folder(tmp_path):
    """Each a process of its own that has found the folder free."""
    go = tmp_path / "go"
    processes = [
        subprocess.Popen([sys.executable, "-c", BEGIN, str(tmp_path / "run"), str(seed), str(go)]) for seed in range(4)
    ]
    try:
        deadline = time.monotonic() + 120
        while len(list(tmp_path.glob("ready*"))) < 4 and time.monotonic() < deadline:
            time.sleep(0.02)
        go.touch()
        codes = [process.wait(60) for process in processes]
    finally:
        for process in processes:
            process.kill()
    assert sorted(codes) == [0, 3, 3, 3]
    settings = json.loads((tmp_path / "run" / "config.json").read_text())
    assert settings["seed"] == codes.index(0)
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["config.json"]


def test_where_there_are_no_hard_links_it_is_exclusive_too(tmp_path, monkeypatch):
    def refused(*_):
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr("os.link", refused)
    run = RunFolder(tmp_path / "run")
    make_run(run, FULL)
    before = run.config.read_bytes()
    monkeypatch.setattr("training.runs.run_folder._require_free", lambda _: None)
    with pytest.raises(FileExistsError):
        make_run(run, dataclasses.replace(FULL, seed=9))
    assert run.config.read_bytes() == before
    assert [path.name for path in run.path.iterdir()] == ["config.json"]


class TestConfigsAreNotTrusted:
    """A run folder may be somebody else's."""

    def run_with(self, tmp_path, **changes):
        run = RunFolder(tmp_path / "run")
        make_run(run, dataclasses.replace(FULL, **changes))
        return run

    @pytest.mark.parametrize("option", ["detector", "boxes"])
    @pytest.mark.parametrize("config", ["{run}/c.py", "/elsewhere/c.py", "c.py", "../c"])
    def test_a_program_that_only_the_run_names_is_not_run(self, tmp_path, monkeypatch, option, config):
        monkeypatch.chdir(tmp_path)
        spec = f"mmpose:{config.format(run=tmp_path / 'run')}:{tmp_path}/x.pth"
        run = self.run_with(tmp_path, **{option: spec})
        with pytest.raises(BadSetting) as error:
            choose_run(Adapt(resume=run.path))
        assert "a Python program that would be run. If you trust it, name it yourself" in str(error.value)
        assert str(error.value).endswith(f"adaptpose-train --resume {run.path} --{option} {spec}")

    def test_named_on_the_command_line_it_is(self, tmp_path):
        (tmp_path / "c.py").touch()
        spec = f"mmpose:{tmp_path}/c.py:{tmp_path}/x.pth"
        run = self.run_with(tmp_path, detector=spec)
        assert choose_run(Adapt(resume=run.path, detector=spec))[1].detector == spec

    def test_a_config_that_mmpose_ships_needs_no_word(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        spec = f"mmpose:rtmpose-t_8xb256-420e_coco-256x192:{tmp_path}/x.pth"
        run = self.run_with(tmp_path, detector=spec)
        assert choose_run(Adapt(resume=run.path))[1].detector == spec
        (tmp_path / "rtmpose-t_8xb256-420e_coco-256x192").touch()  # mmpose would take a file of that name first
        with pytest.raises(BadSetting, match="a Python program that would be run"):
            choose_run(Adapt(resume=run.path))


VALUES = (
    None, True, -1, 0, 3, 0.5, 1e400, float("nan"), 10**30, "", "x", "\0", "\ud800", "~nobody_here/x", "a" * 5000, [],
    [1], ["x", 1], [[]], {},
)  # fmt: skip


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(Adapt)])
def test_values_of_the_wrong_kind_are_said_to_be_wrong(tmp_path, name):
    """What stands in config.json is as its setting must be, or refused in one message; nothing else is raised."""
    run = RunFolder(tmp_path)
    make_run(run, FULL)
    values, refused = json.loads(run.config.read_text()), 0
    for value in VALUES:
        run.config.write_text(json.dumps(values | {name: value}))
        try:
            settings = choose_run(Adapt(resume=run.path))[1]
            check_adapt(settings)
            run_method(settings)
        except AdaptPoseError:
            refused += 1
            continue
        if name in ("resume", "devices", "num_nodes"):  # they are this call's
            continue
        found = getattr(settings, name)
        kept = list(map(str, found)) if isinstance(found, tuple) else str(found) if isinstance(found, Path) else found
        assert kept == value or str(kept) == str(Path(str(value))), value
        assert type(kept) in (type(value), float)
    assert refused >= 10


@pytest.mark.parametrize("text", ["[" * 100_000, '{"seed": ' + "9" * 5000 + "}", '{"a":' * 100_000])
def test_settings_too_deep_or_too_long(tmp_path, text):
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(BadModelFile, match=r"config\.json is damaged"):
        choose_run(Adapt(resume=tmp_path))


def test_places_where_no_folder_can_be(tmp_path):
    (tmp_path / "file").write_text("mine")
    for out in ("file", "file/deeper/run"):
        with pytest.raises(BadOutput, match=rf"{out} can't be a folder: .*file is a file"):
            choose_run(dataclasses.replace(FULL, out=tmp_path / out))
    with pytest.raises(BadModelFile, match=r"holds no config\.json"):
        choose_run(Adapt(resume=tmp_path / "file"))
    assert (tmp_path / "file").read_text() == "mine"


def test_default_folder_is_named_after_the_target(tmp_path, monkeypatch):
    """A finished run of that name is kept, the new one is numbered; an interrupted one asks what to do."""
    monkeypatch.chdir(tmp_path)
    config = Adapt(target=tmp_path / "my videos" / "ski.mp4")
    first, _ = choose_run(config)
    assert first.path == Path("runs/ski")
    assert not first.path.exists()  # nothing is made before there is something to adapt to
    make_run(first, config)
    with pytest.raises(RunExists, match=r"an interrupted run.*--resume runs/ski"):
        choose_run(config)
    first.report.write_text("done")
    second, _ = choose_run(config)
    assert second.path == Path("runs/ski-2")


@pytest.mark.parametrize("target", ["videos", "videos/", "./videos", "../x/videos"])
def test_default_folder_of_a_folder(tmp_path, monkeypatch, target):
    (tmp_path / "x" / "videos").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "x")
    assert choose_run(Adapt(target=Path(target)))[0].path == Path("runs/videos")


def test_settings_are_readable_json(tmp_path):
    run = RunFolder(tmp_path)
    make_run(run, FULL)
    values = json.loads(run.config.read_text())
    assert values["target"] == "videos/ski"
    assert values["image_size"] == [1920, 1080]
    assert [file.name for file in tmp_path.iterdir()] == ["config.json"]
