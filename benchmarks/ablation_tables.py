"""Defines the paper's tables 5 to 8: rows, columns, and the format of numbers.

What changes in a row is in training/settings/ablations.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from training.reproduction.markdown import markdown_table, mean_and_range


@dataclass(frozen=True)
class Row:
    """A row of a table.

    Attributes:
        labels: First cells.
        run: Name of the run that it shows.
        when: `last`: the lifter after the last step. `before`: the baseline before adaptation. The lifter chosen by
            self-consistency is not used: the choice sees the target, which some rows may not, and it hides harm.
    """

    labels: tuple[str, ...]
    run: str
    when: str = "last"


@dataclass(frozen=True)
class Table:
    """One of the paper's tables.

    Attributes:
        title: Title in the paper.
        labels: Heads of the first columns.
        errors: Heads of the other columns, and the number of the result that each shows.
        rows: Rows, in the paper's order.
    """

    title: str
    labels: tuple[str, ...]
    errors: dict[str, str]
    rows: tuple[Row, ...]


_ERRORS = {"PMPJPE": "pa_mpjpe_mm", "MPJPE": "mpjpe_mm"}
TABLES = {
    5: Table(
        "Table 5. Ablation study on supervision elements of the proposed model",
        ("Index", "BG", "Cam", "DD", "Select"),
        _ERRORS,
        (
            Row(("Baseline", "", "", "", ""), "paper", "before"),
            Row(("A1", "X", "", "", ""), "bones"),
            Row(("A2", "", "X", "", ""), "camera"),
            Row(("A3", "X", "X", "", ""), "bones-camera"),
            Row(("A4", "", "X", "X", "X"), "camera-domain-selection"),
            Row(("A5", "X", "X", "X", ""), "bones-camera-domain"),
            Row(("AdaptPose", "X", "X", "X", "X"), "paper"),
        ),
    ),
    6: Table(
        "Table 6. Ablation study on bone generation strategies",
        ("Method",),
        _ERRORS,
        (Row(("BG1",), "bg1"), Row(("BG2",), "bg2"), Row(("BG3",), "paper")),
    ),
    7: Table(
        "Table 7. Ablation study on camera generation strategies",
        ("Method", "Representation"),
        _ERRORS,
        (
            Row(("Deterministic", "Axis-Angle"), "deterministic"),
            Row(("Probabilistic", "Axis-Angle"), "paper"),
            Row(("Probabilistic", "Quaternion"), "quaternion"),
            Row(("Probabilistic", "Euler-Angle"), "euler"),
        ),
    ),
    8: Table(
        "Table 8. Ablation study on temporal information",
        ("Input",),
        {"PCK": "pck_percent", "AUC": "auc_percent", "MPJPE": "mpjpe_mm"},
        (Row(("1 frame",), "1-frame"), Row(("27 frames",), "paper")),
    ),
}


def as_markdown(tables: Sequence[int], seeds: Sequence[int], results: Mapping[str, Sequence[dict]]) -> str:
    """Tables with rows and columns as in the paper.

    Args:
        tables: Numbers of the tables.
        seeds: Seeds that each row should have.
        results: For each run, the results of its finished seeds.
    """
    about = (
        f"Mean over {len(seeds)} seeds ({', '.join(map(str, seeds))}); in brackets the largest minus the smallest. "
        "MPJPE and PMPJPE (after Procrustes alignment) in mm, PCK (within 150 mm) and AUC in percent."
    )
    parts = [about]
    for number in tables:
        table = TABLES[number]
        heads = (*table.labels, *table.errors)
        rows = []
        for row in table.rows:
            shown = [
                mean_and_range([one[row.when][name] for one in results[row.run]], len(seeds)) or "-"
                for name in table.errors.values()
            ]
            rows.append((*row.labels, *shown))
        shown_table = markdown_table(heads, rows, numbers=range(len(table.labels), len(heads)))
        parts.append(f"## {table.title}\n\n{shown_table}")
    return "\n\n".join(parts) + "\n"
