"""The paper's experiments from first to last on drawn data: resumed, repeated, labelled; and what their parts give."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from sdk.errors import BadDataset
from sdk.skeletons.keypoint_normalisation import normalise_screen
from training.cameras.filmed_sequences import FilmedSequences
from training.protocols.known import find_protocol
from training.reproduction import cost, reproduction, runs
from training.reproduction.catalog import Catalog
from training.reproduction.cost import Job, costs
from training.reproduction.experiments import EXPERIMENTS, Part
from training.reproduction.reproduction import reproduce
from training.reproduction.runs import Runs, method_of
from training.reproduction.tables import BASELINE, TABLES
from training.runs.run_folder import RunExists
from training.settings.method import CONTROLS
from training.settings.reproduce import AS_PUBLISHED, OURS, REHEARSAL, Reproduce
from training.settings.settings_check import BadSetting

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of tensorboard's own imports


def silent(line: str) -> None:
    """Say nothing."""


def settings(out: Path, **changes: object) -> Reproduce:
    return dataclasses.replace(Reproduce(table=(4,), out=out, recipes=("paper",), rehearse=True, threads=1), **changes)


@pytest.fixture(scope="module")
def rehearsal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Table 4, done at one go."""
    out = tmp_path_factory.mktemp("rehearsal") / "whole"
    reproduce(settings(out), silent)
    return out


def test_a_rehearsal_is_repeated_and_resumed_with_the_same_result(
    rehearsal: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped in the middle of an adaptation, and gone on: the same figures as at one go."""
    out, steps = tmp_path / "stopped", []
    new_adaptation = runs.new_adaptation

    def stopping(*arguments: object, **others: object) -> object:
        adaptation = new_adaptation(*arguments, **others)  # type: ignore[arg-type]
        step = adaptation.step

        def step_or_stop(number: int, random: torch.Generator) -> dict[str, float]:
            steps.append(number)
            if len(steps) == 12:  # the fourth step of the second adaptation
                raise KeyboardInterrupt
            return step(number, random)

        monkeypatch.setattr(adaptation, "step", step_or_stop)
        return adaptation

    monkeypatch.setattr(runs, "new_adaptation", stopping)
    with pytest.raises(KeyboardInterrupt, match="the same command goes on there"):
        reproduce(settings(out), silent)
    assert steps[-1] == 4
    lines: list[str] = []
    reproduce(settings(out), lines.append)
    assert sum("done before" in line for line in lines) == 2
    assert steps[12] == 4  # not from 1 again
    for name in ("tables.json", "tables.md", "comparison.md"):
        assert (out / name).read_bytes() == (rehearsal / name).read_bytes()


def test_everything_of_a_rehearsal_says_so(rehearsal: Path) -> None:
    table = (rehearsal / "tables.md").read_text()
    assert "**REHEARSAL on drawn data" in table
    assert "(REHEARSAL)" in next(line for line in table.splitlines() if line.startswith("## Table 4"))
    assert json.loads((rehearsal / "tables.json").read_text())["rehearsal"] is True
    assert "REHEARSAL" in (rehearsal / "comparison.md").read_text().splitlines()[0]


def test_a_table_has_the_papers_rows_its_numbers_and_the_protocol(rehearsal: Path) -> None:
    rows = json.loads((rehearsal / "tables.json").read_text())["tables"]["4"]
    assert [row["labels"][0] for row in rows] == ["Pavllo et al. (baseline)", "PoseAug (our control)", "Ours"]
    assert {row["protocol"] for row in rows} == {"ski"}
    assert [[column["paper"] for column in row["columns"]] for row in rows] == [
        *([88.1, 106.0], [83.5, 105.4], [83.0, 99.4]),
    ]
    result = json.loads((rehearsal / "runs" / "ski-paper-0" / "result.json").read_text())
    assert rows[2]["columns"][1]["ours"] == [result["chosen"]["ski"]["mpjpe_mm"]]
    assert result["chosen"]["ski"]["poses"] == 288


def test_figures_are_drawn_from_finished_runs(rehearsal: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from xml.dom import minidom

    from training.reproduction import figures
    from training.reproduction.figures import draw_figure

    monkeypatch.setitem(figures._COMPARED, 4, ("ski",))
    made = Runs(rehearsal, Catalog([rehearsal / "data"]), REHEARSAL, torch.device("cpu"))
    drawn = draw_figure(4, made, 0, rehearsal, rehearsal=True).read_text()
    minidom.parseString(drawn)
    assert drawn.count("<svg ") == 1 + 2 * 4  # baseline and adapted, four poses each
    assert ">REHEARSAL</text>" in drawn
    assert "ski: protocol ski." in drawn


def test_a_source_is_filmed_by_its_own_cameras(rehearsal: Path) -> None:
    """Projected with intrinsics and distortion, the source's 3D gives the data set's own 2D: a tenth of a pixel."""
    catalog = Catalog([rehearsal / "data"])
    part = Part("h36m", "train", ("S1",))
    filmed = catalog.source(part)
    windows = FilmedSequences(filmed, 1, (0.02, 0.02)).at_own_speed(10**6, 50.0)
    data = catalog.data["h36m"][0]
    seen = np.concatenate(
        [
            normalise_screen(data.to_h36m16(one.keypoints_px), (one.camera.width, one.camera.height))
            for one in data.sequences("train", ["S1"])
            if one.camera
        ]
    )
    assert len(seen) == len(windows.focal)
    assert np.abs(windows.keypoints[:, 0].numpy() - seen).max() < 0.1 / 500
    assert len({tuple(lens) for lens in windows.lens.numpy().round(4).tolist()}) == 4


def test_the_target_of_table_1_is_the_other_subjects_2d(rehearsal: Path) -> None:
    catalog = Catalog([rehearsal / "data"])
    made = Runs(rehearsal, catalog, REHEARSAL, torch.device("cpu"))
    sequences, extent = catalog.target(EXPERIMENTS["h36m-s1"], made.metadata(EXPERIMENTS["h36m-s1"]))
    assert {one.name.split("_")[0] for one in sequences} == {"S5", "S6", "S7", "S8"}
    assert extent == pytest.approx((1, 1), abs=0.003)
    frames = sum(len(one.keypoints) for one in sequences)
    poses = sum(facts.count for facts in catalog.data["h36m"][0].select("train", ["S5", "S6", "S7", "S8"]))
    assert abs(frames - poses / 2) < len(sequences)  # 50 Hz to the lifter's 25


def test_table_4_is_of_root_centred_single_frames(rehearsal: Path) -> None:
    catalog = Catalog([rehearsal / "data"])
    experiment = EXPERIMENTS["ski"]
    made = Runs(rehearsal, catalog, REHEARSAL, torch.device("cpu"))
    metadata = made.baseline(experiment, 0).metadata
    assert (metadata.receptive_field, metadata.normalisation) == (1, "root-centred")
    sequences, _ = catalog.target(experiment, metadata)
    keypoints = np.concatenate([one.keypoints for one in sequences])
    assert np.abs(keypoints[:, 0]).max() == 0
    assert np.allclose((keypoints**2).sum((1, 2)), 1, atol=1e-5)


def test_other_sizes_or_data_are_not_mixed(rehearsal: Path) -> None:
    facts = rehearsal / "reproduction.json"
    kept = facts.read_text()
    try:
        changed = json.loads(kept)
        changed["sizes"]["name"] = "ours"
        facts.write_text(json.dumps(changed))
        with pytest.raises(RunExists, match="holds runs of other data or sizes"):
            reproduce(settings(rehearsal), silent)
    finally:
        facts.write_text(kept)


def test_settings_that_do_not_go_together(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match="--data names no prepared data set"):
        reproduce(settings(tmp_path, rehearse=False), silent)
    with pytest.raises(BadSetting, match="--rehearse draws its own data"):
        reproduce(settings(tmp_path, as_published=True), silent)
    with pytest.raises(BadSetting, match="--seeds -1"):
        reproduce(settings(tmp_path, seeds=(-1,)), silent)
    with pytest.raises(BadDataset, match="is no prepared data set"):
        reproduce(settings(tmp_path, rehearse=False, data=(tmp_path,)), silent)


def test_what_the_data_lacks_is_said(rehearsal: Path, tmp_path: Path) -> None:
    only = settings(tmp_path / "out", rehearse=False, data=(rehearsal / "data" / "ski",))
    with pytest.raises(BadDataset, match=r"nothing that is wanted can be done .* needs the data \(h36m\)"):
        reproduce(only, silent)
    catalog = Catalog([rehearsal / "data"])
    assert catalog.missing(EXPERIMENTS["3dpw"]) == "needs the data (3dpw)"
    assert catalog.missing(EXPERIMENTS["ski"]) is None
    assert catalog.miniature


def test_the_cost_is_told_before_anything_runs(
    rehearsal: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reproduction, "OURS", REHEARSAL)
    lines: list[str] = []
    out = tmp_path / "out"
    found = reproduce(
        settings(out, rehearse=False, data=(rehearsal / "data",), estimate=True, seeds=(0, 1)), lines.append
    )
    assert found == []
    assert not out.exists()
    text = "\n".join(lines)
    assert "training on the source, 1 frames: 2 runs of 8 steps" in text
    assert "adaptation, paper recipe and its variants, 1 frames: 4 runs of 8 steps" in text
    made = Runs(rehearsal, Catalog([rehearsal / "data"]), REHEARSAL, torch.device("cpu"))
    assert costs(made, [Job("ski", BASELINE, 0)]) == []  # it is trained
    shared = [Job(name, BASELINE, 1) for name in ("3dhp", "3dpw", "3dhp-detected")]
    assert [one.runs for one in costs(made, shared, 1)] == [1]
    monkeypatch.setattr(cost, "_MOST_S", 0.0)
    assert [one.timed for one in costs(made, shared, 7)] == [7]  # as many as asked for, however long they take
    assert [one.timed for one in costs(made, shared)] == [1]


def test_an_estimate_of_no_steps_is_refused(rehearsal: Path, tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match="--estimate-steps is 0"):
        reproduce(settings(tmp_path, estimate=True, estimate_steps=0), print)


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: f"table {table.number}")
def test_tables_are_well_formed(table) -> None:
    for row in table.rows:
        assert len(row.labels) == len(table.labels)
        assert len(row.paper) in (0, len(table.columns))
        if row.run != BASELINE:
            method_of(row.run, OURS)
        for name in table.experiments(row):
            for protocol in EXPERIMENTS[name].protocols:
                assert find_protocol(protocol).dataset == EXPERIMENTS[name].target.data_set
                assert find_protocol(protocol).normalisation == EXPERIMENTS[name].normalisation


def test_sizes_as_published() -> None:
    paper = method_of("paper", AS_PUBLISHED)
    assert (AS_PUBLISHED.channels, AS_PUBLISHED.batch, paper.batch, paper.steps) == (1024, 1024, 1024, 75_000)
    assert paper.learning_rate == 1e-4
    assert AS_PUBLISHED.baseline_steps(1_559_752) == 50 * 1523
    assert method_of("poseaug", OURS) == CONTROLS["poseaug"]
    assert method_of("bg1", AS_PUBLISHED).bone_rotation == "bg1"
