"""Several adaptations in one call: the same lifters as one by one, nothing done twice, failures stop no other."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from sdk.errors import BadTarget
from sdk.lifting.model_metadata import LifterMetadata
from sdk.workers.running import WorkerSettings
from tests.lifters import random_lifter
from tests.training.commands.test_adapt import keypoint_file, source_motion
from training.commands import command
from training.commands.adapt import adapt
from training.commands.adapt_many import adapt_many, devices_in_turn
from training.lifter.checkpoint import LifterCheckpoint
from training.settings.adapt import Adapt
from training.settings.adapt_options import AdaptOptions, one_run, several_runs, worker_settings
from training.settings.settings_check import BadSetting

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of tensorboard's and plotly's own imports


@pytest.fixture
def clubs(tmp_path: Path) -> Path:
    """Three targets, of which one has nothing to adapt to."""
    for club, frames in (("north", 80), ("south", 90)):
        (tmp_path / "clubs" / club).mkdir(parents=True)
        keypoint_file(tmp_path / "clubs" / club / "person.npz", frames=frames)
    (tmp_path / "clubs" / "west").mkdir()
    (tmp_path / "motion").mkdir()
    source_motion(tmp_path / "motion")
    LifterCheckpoint(random_lifter(channels=16), LifterMetadata(name="random")).save(tmp_path / "start.pt")
    return tmp_path / "clubs"


def options(clubs: Path, **changed: object) -> AdaptOptions:
    given = {"source": (str(clubs.parent / "motion"),), "start": clubs.parent / "start.pt", "steps": 4, "batch": 16}
    targets = tuple(clubs / name for name in ("north", "west", "south"))
    values = {"target": targets, "out": clubs.parent / "runs", "threads": 1, **given, **changed}
    return AdaptOptions(**values)  # type: ignore[arg-type]


def done(options: AdaptOptions) -> dict[str, tuple[bool, str]]:
    """Whether each run finished, and what is said of it."""
    runs = several_runs(options)
    folders = {run.name: run.config.out for run in runs}
    return {
        one.name: (one.result is not None, one.error if one.result is None else one.result.text(folders[one.name]))  # type: ignore[arg-type]
        for one in adapt_many(runs, worker_settings(options))
    }


@pytest.mark.skipif(sys.platform == "win32", reason="paths")
def test_two_workers_make_what_one_makes_and_go_on(clubs: Path) -> None:
    found = done(options(clubs, workers=2))
    assert {name: finished for name, (finished, _) in found.items()} == {"north": True, "west": False, "south": True}
    assert "is empty" in found["west"][1]
    runs = clubs.parent / "runs"
    assert "adapt 4/4" in (runs / "north.log").read_text()
    alone = clubs.parent / "alone"
    adapt(one_run(options(clubs, target=(clubs / "south",), out=alone)))  # type: ignore[arg-type]
    lifter = (alone / "lifter.pt").read_bytes()
    assert (runs / "south" / "lifter.pt").read_bytes() == lifter
    assert (runs / "north" / "lifter.pt").read_bytes() != lifter

    (runs / "south" / "report.html").unlink()  # as if it had been killed
    (runs / "south" / "lifter.pt").unlink()
    keypoint_file(clubs / "west" / "person.npz", frames=70)
    found = done(options(clubs))
    assert "finished before" in found["north"][1]
    assert found["south"][0]
    assert found["west"][0]
    assert (runs / "south" / "lifter.pt").read_bytes() == lifter

    with np.load(clubs / "north" / "person.npz") as arrays:
        changed = dict(arrays)
    changed["keypoints"] = changed["keypoints"] + 1
    np.savez(clubs / "north" / "person.npz", **changed)
    finished, said = done(options(clubs, target=(clubs / "north",), seed=(0,)))["north"]
    assert not finished
    assert "given other files" in said
    finished, said = done(options(clubs, steps=5, target=(clubs / "south",)))["south"]
    assert not finished
    assert "--steps 5 is not what the run" in said


def test_targets_and_seeds_have_a_folder_each(clubs: Path) -> None:
    assert [run.name for run in several_runs(options(clubs, seed=(0, 7)))] == [
        *("north-seed0", "north-seed7", "west-seed0", "west-seed7", "south-seed0", "south-seed7")
    ]
    runs = several_runs(options(clubs))
    assert [run.config.out for run in runs] == [clubs.parent / "runs" / name for name in ("north", "west", "south")]
    assert all(type(run.config) is Adapt for run in runs)
    single = one_run(options(clubs, target=(clubs / "north",), seed=(3,)))
    assert single is not None
    assert (single.target, single.seed, single.out) == (clubs / "north", 3, clubs.parent / "runs")
    assert one_run(options(clubs)) is None


def test_what_can_not_be(clubs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    (clubs / "again" / "north").mkdir(parents=True)
    with pytest.raises(BadTarget, match="would both have the run folder"):
        several_runs(options(clubs, target=(clubs / "north", clubs / "again" / "north")))
    with pytest.raises(BadSetting, match="--resume goes on with one run"):
        several_runs(options(clubs, resume=clubs))
    with pytest.raises(BadSetting, match="--shard divides several"):
        one_run(options(clubs, target=(clubs / "north",), shard="1/2"))
    monkeypatch.setattr("sys.argv", ["adaptpose-train", "--target", str(clubs / "west"), "--workers", "0"])
    with pytest.raises(SystemExit) as stop:
        command.main()
    assert stop.value.code == 2
    assert "--workers is 0" in capsys.readouterr().err


@pytest.mark.parametrize("others", [(), (Path("ski"),)])
def test_the_address_of_a_store_is_no_target(others: tuple[Path, ...]) -> None:
    options = AdaptOptions(target=(Path("s3://user:geheim@club/season"), *others))
    with pytest.raises(
        BadTarget, match=r"--target s3://.*@club/season is an address, .* adaptpose-predict ADDRESS --keypoints-only"
    ) as refused:
        several_runs(options) if others else one_run(options)
    assert "geheim" not in str(refused.value)


class TestGpus:
    def test_several_are_taken_in_turn(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
        monkeypatch.setattr("training.commands.adapt_many.open_device", lambda device: None)
        asked = ["cuda", "cuda", "auto", "cpu", "cuda:1"]
        assert devices_in_turn(asked, WorkerSettings(workers=4)) == ["cuda:0", "cuda:1", "cuda:0", "cpu", "cuda:1"]

    def test_without_one_nothing_is_begun(
        self, clubs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr("torch.cuda.device_count", lambda: 0)
        words = ("--target", clubs / "north", clubs / "south", "--out", clubs.parent / "runs", "--workers", 2)
        monkeypatch.setattr("sys.argv", ["adaptpose-train", *map(str, words), "--device", "cuda"])
        with pytest.raises(SystemExit) as stop:
            command.main()
        assert stop.value.code == 2
        assert capsys.readouterr().err.count("sees 0 CUDA devices. Use --device cpu or auto") == 1
        assert not (clubs.parent / "runs").exists()
        assert devices_in_turn(["auto"], WorkerSettings()) == ["auto"]

    def test_a_ray_cluster_is_asked_for_none(self) -> None:
        with pytest.raises(BadSetting, match=r"--device cuda:0 with --address auto: .* holds CPUs and no GPU"):
            devices_in_turn(["cuda:0"], WorkerSettings(address="auto"))

    def test_nor_is_it_for_the_detection_of_one_adaptation(
        self, clubs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        words = ("--target", clubs / "north", "--out", clubs.parent / "run", "--address", "auto", "--device", "cuda")
        monkeypatch.setattr("sys.argv", ["adaptpose-train", *map(str, words)])
        with pytest.raises(SystemExit) as stop:
            command.main()
        assert stop.value.code == 2
        assert "--device cuda with --address auto: a task on a Ray cluster holds CPUs" in capsys.readouterr().err
        assert not (clubs.parent / "run").exists()
