"""Run folders: nothing is overwritten, settings come back as they were."""

import dataclasses
import json
from pathlib import Path

import pytest

from sdk.errors import BadModelFile, BadTarget
from training.config import Adapt
from training.run_folder import RunExists, RunFolder, choose_run, make_run

FULL = Adapt(
    target=Path("videos/ski"), out=Path("runs/ski"), source=Path("motion"), source_up="y", image_size=(1920, 1080),
    fps=29.97, recipe="paper", seed=3, detector="onnx:a.onnx", boxes="mediapipe",
)  # fmt: skip


def test_settings_come_back_as_they_were(tmp_path):
    run = RunFolder(tmp_path / "a" / "run")
    for config in (FULL, Adapt(target=Path("x"))):
        make_run(run, config)
        found, resumed = choose_run(Adapt(resume=run.path))
        assert found == run
        assert dataclasses.replace(resumed, resume=None) == config
        for field in dataclasses.fields(Adapt):
            assert type(getattr(dataclasses.replace(resumed, resume=None), field.name)) is type(
                getattr(config, field.name)
            ), field.name


def test_resume_takes_all_other_settings_from_the_run(tmp_path):
    run = RunFolder(tmp_path / "run")
    make_run(run, FULL)
    _, resumed = choose_run(Adapt(resume=run.path, target=Path("other"), steps=7, seed=9))
    assert (resumed.target, resumed.steps, resumed.seed) == (FULL.target, FULL.steps, 3)


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
