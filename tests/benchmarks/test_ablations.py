"""The ablations' tables: every row is the variant the paper names, numbers by hand, resumed without doing it twice."""

import dataclasses
import json

import pytest

from benchmarks import ablations, cross_domain
from benchmarks.ablation_tables import TABLES, as_markdown
from benchmarks.ablations import Ablations, run_all, settings_of
from training.adaptation.paper_step import PaperStep
from training.runs.run_folder import RunExists
from training.settings.ablations import VARIANTS
from training.settings.method import RECIPES, Method

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of tensorboard's own imports


@pytest.fixture
def settings(files, tmp_path):
    return Ablations(
        **files, out=tmp_path / "runs", source_people=("02",), channels=8, pretrain_steps=2, steps=2, batch=8,
        seeds=(0,), threads=1, tables=(8,),
    )  # fmt: skip


def measured(monkeypatch, settings):
    """Numbers by hand in place of hours of training; what was asked for is noted."""
    asked = []

    def stand_in(run, method):
        asked.append((run.out.name, method))
        number = len(run.recipe) + 10 * run.seed
        errors = {"mpjpe_mm": number + 50.0, "pa_mpjpe_mm": number, "pck_percent": 80.0, "auc_percent": 40.0}
        result = {
            "before": errors | {"mpjpe_mm": 99.0}, "last": errors, "method": dataclasses.asdict(method),
            "settings": {name: str(value) for name, value in dataclasses.asdict(run).items()},
        }  # fmt: skip
        run.out.mkdir(parents=True)
        (run.out / "result.json").write_text(json.dumps(result))
        return result

    monkeypatch.setattr(ablations, "measure", stand_in)
    return asked


def rows(text, title):
    """The cells of a table's rows."""
    table = text[text.index(title) :].split("\n\n")[1]
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()]


def test_tables_as_in_the_paper(monkeypatch, settings):
    settings = dataclasses.replace(settings, tables=(5, 6, 7, 8), seeds=(0, 1, 2))
    asked = measured(monkeypatch, settings)
    text = run_all(settings, report=lambda _: None)
    assert len(asked) == len(set(asked)) == len(VARIANTS) * 3  # what tables share is done once
    assert (settings.out / "tables.md").read_text() == text

    # A name of n letters gives n, n + 10 and n + 20: a mean of n + 10, a spread of 20.
    table = rows(text, "Table 5")
    assert table[0] == ["Index", "BG", "Cam", "DD", "Select", "PMPJPE", "MPJPE"]
    assert table[2] == ["Baseline", "", "", "", "", "15.0 (20.0)", "99.0 (0.0)"]
    assert [row[:5] for row in table[3:]] == [
        ["A1", "X", "", "", ""], ["A2", "", "X", "", ""], ["A3", "X", "X", "", ""], ["A4", "", "X", "X", "X"],
        ["A5", "X", "X", "X", ""], ["AdaptPose", "X", "X", "X", "X"],
    ]  # fmt: skip
    assert table[-1][5:] == ["15.0 (20.0)", "65.0 (20.0)"]
    assert rows(text, "Table 6")[2:] == [
        ["BG1", "13.0 (20.0)", "63.0 (20.0)"], ["BG2", "13.0 (20.0)", "63.0 (20.0)"],
        ["BG3", "15.0 (20.0)", "65.0 (20.0)"],
    ]  # fmt: skip
    assert [row[:2] for row in rows(text, "Table 7")] == [
        ["Method", "Representation"], ["---", "---"], ["Deterministic", "Axis-Angle"], ["Probabilistic", "Axis-Angle"],
        ["Probabilistic", "Quaternion"], ["Probabilistic", "Euler-Angle"],
    ]  # fmt: skip
    assert rows(text, "Table 8") == [
        ["Input", "PCK", "AUC", "MPJPE"], ["---", "---:", "---:", "---:"],
        ["1 frame", "80.0 (0.0)", "40.0 (0.0)", "67.0 (20.0)"],
        ["27 frames", "80.0 (0.0)", "40.0 (0.0)", "65.0 (20.0)"],
    ]  # fmt: skip


@pytest.mark.parametrize("row", TABLES[5].rows[1:], ids=lambda row: row.labels[0])
def test_rows_of_table_5_have_the_parts_they_name(row):
    method = VARIANTS[row.run].method
    generates = method.bone_rotation != "none", method.camera != "none"
    assert (method.bone_lengths, *generates) == (generates[0], bool(row.labels[1]), bool(row.labels[2]))
    assert (method.real_2d == "target", method.selection is not None) == (bool(row.labels[3]), bool(row.labels[4]))
    assert method.sees_target == bool(row.labels[3])


@pytest.mark.parametrize("number", [6, 7])
def test_rows_of_tables_6_and_7_change_one_thing(number):
    for row in TABLES[number].rows:
        kinds = VARIANTS[row.run].method
        shown = (kinds.bone_rotation,) if number == 6 else (kinds.camera, kinds.camera_rotation)
        wanted = [label.lower().removesuffix("-angle") for label in row.labels]
        assert [kind.removesuffix("-angle") for kind in shown] == wanted
        changed = {f.name for f in dataclasses.fields(Method) if getattr(kinds, f.name) != getattr(Method(), f.name)}
        assert len(changed) == (row.run != "paper")


def test_the_full_row_is_the_papers_recipe_with_27_frames(settings):
    assert VARIANTS["paper"].method == RECIPES["paper"]
    assert settings_of(settings, "paper", 2).filter_widths == (3, 3, 3)
    assert settings_of(settings, "1-frame", 2).filter_widths == (1, 1, 1)
    assert settings_of(settings, "1-frame", 2).seed == 2


def test_what_is_not_finished_is_said():
    one = {"before": {}, "last": {"pck_percent": 80.0, "auc_percent": 40.0, "mpjpe_mm": 90.0}}
    text = as_markdown([8], [0, 1, 2], {"1-frame": [one, one], "paper": []})
    assert rows(text, "Table 8")[2] == ["1 frame", *(f"{n:.1f} (0.0, 2 of 3 seeds)" for n in (80, 40, 90))]
    assert rows(text, "Table 8")[3] == ["27 frames", "-", "-", "-"]


@pytest.mark.parametrize("change", [{"steps": 3}, {"channels": 16}, {"batch": 16}])
def test_results_of_other_settings_are_not_mixed_in(monkeypatch, settings, change):
    measured(monkeypatch, settings)
    run_all(settings, report=lambda _: None)
    with pytest.raises(RunExists, match=f"other settings .{next(iter(change))}"):
        run_all(dataclasses.replace(settings, **change), report=lambda _: None)


def test_results_stay_when_the_recipes_own_steps_change(monkeypatch, settings):
    asked = measured(monkeypatch, settings)
    run_all(settings, report=lambda _: None)
    for path in settings.out.glob("*/result.json"):
        result = json.loads(path.read_text())
        result["method"]["steps"] += 1  # overruled by --steps then and now
        path.write_text(json.dumps(result))
    before = len(asked)
    run_all(settings, report=lambda _: None)
    assert len(asked) == before


def test_real_runs_resume_where_they_were_stopped(monkeypatch, settings):
    """Stopped in the second of two runs, after its first step: the first is not redone, the second goes on."""
    steps, step = [], PaperStep.step

    def noted(self, number, random):
        if len(steps) == 3:
            steps.append("stopped")
            raise KeyboardInterrupt
        steps.append((self.teacher.lifter.receptive_field, number))
        return step(self, number, random)

    monkeypatch.setattr(PaperStep, "step", noted)
    with pytest.raises(KeyboardInterrupt):
        run_all(settings, report=lambda _: None)
    monkeypatch.setattr(cross_domain, "train_lifter", None)  # both baselines are kept
    said = []
    text = run_all(settings, report=said.append)
    assert said == ["1 of 2: 1-frame, seed 0, done before", "2 of 2: paper, seed 0"]
    assert steps == [(1, 1), (1, 2), (27, 1), "stopped", (27, 2)]
    for name, row in zip(("1-frame", "paper"), rows(text, "Table 8")[2:], strict=True):
        last = json.loads((settings.out / f"{name}-0" / "result.json").read_text())["last"]
        assert row[3] == f"{last['mpjpe_mm']:.1f} (0.0)"
