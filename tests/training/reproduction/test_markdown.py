"""Tables in Markdown as they must be read."""

from __future__ import annotations

from training.reproduction.markdown import markdown_table, mean_and_range


def test_a_table_by_hand() -> None:
    table = markdown_table(("method", "MPJPE"), [("A1", "61.0"), ("A2", "-")], numbers=(1,))
    assert table == "| method | MPJPE |\n| --- | ---: |\n| A1 | 61.0 |\n| A2 | - |"


def test_a_cell_says_how_many_seeds_are_missing() -> None:
    assert mean_and_range([1.0, 2.0, 4.5], 3) == "2.5 (3.5)"
    assert mean_and_range([1.0, 2.0], 3) == "1.5 (1.0, 2 of 3 seeds)"
    assert mean_and_range([], 3) == ""
