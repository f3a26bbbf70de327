"""The table of runs, by hand."""

from benchmarks.summary import as_markdown


def result(recipe, seed, number, start="source-27x256"):
    errors = {"mpjpe_mm": number, "pa_mpjpe_mm": number - 10}
    source = {"validation/mpjpe_mm": 30.0, "validation/pa_mpjpe_mm": 25.0}
    return {
        "recipe": recipe, "seed": seed, "start": f"{start}-seed{seed}", "before": errors | {"mpjpe_mm": 120.0},
        "after": errors, "last": errors, "best": errors, "source_before": source, "source_after": source,
        "minutes": 2.0 + seed,
    }  # fmt: skip


def cells(line):
    return [cell.strip() for cell in line.split("|")[1:-1]]


def test_seeds_are_averaged_and_their_spread_is_said():
    table = as_markdown([result("default", 1, 64.0), result("default", 0, 60.0), result("paper", 0, 90.0)])
    rows = [cells(line) for line in table.splitlines()[2:]]
    assert [row[:2] for row in rows] == [["default", "0, 1"], ["paper", "0"]]
    assert rows[0][2:4] == ["120.0 (0.0) / 52.0 (4.0)", "62.0 (4.0) / 52.0 (4.0)"]
    assert rows[1][3] == "90.0 / 80.0"
    assert [row[-1] for row in rows] == ["2.5", "2.0"]


def test_runs_from_another_lifter_are_another_row():
    table = as_markdown([result("default", 0, 60.0), result("default", 0, 58.0, start="wide cameras")])
    assert len(table.splitlines()) == 4
