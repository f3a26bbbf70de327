"""The paper's tables 1 to 9: our rows in the paper's layout, with the paper's numbers.

Rows of ours: the baseline (the lifter trained on the source), AdaptPose by recipe, and where the paper has PoseAug, our
control in its manner. Other people's rows are in docs/reproduce.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

BASELINE = "baseline"


@dataclass(frozen=True)
class Column:
    """A column of errors.

    Attributes:
        head: As in the paper.
        error: Field of `ProtocolErrors`.
        experiment: Whose; None: the table's.
    """

    head: str
    error: str
    experiment: str | None = None


@dataclass(frozen=True)
class Row:
    """A row of a table.

    Attributes:
        labels: First cells.
        run: `baseline`, a name in `settings.ablations.VARIANTS`, `default`, or `poseaug`.
        paper: The paper's numbers, one a column; None where it has none.
        experiment: Where it is another than the table's.
    """

    labels: tuple[str, ...]
    run: str
    paper: tuple[float | None, ...] = ()
    experiment: str | None = None


@dataclass(frozen=True)
class Table:
    """A table of the paper.

    Attributes:
        number: Its number.
        title: Its caption.
        experiment: Name in `EXPERIMENTS`.
        labels: Heads of the first columns.
        columns: The errors.
        rows: The rows.
        last: Whether rows show the lifter after the last step, as ablations do: the choice by self-consistency sees the
            target, which some rows may not. Otherwise the chosen one.
    """

    number: int
    title: str
    experiment: str
    labels: tuple[str, ...]
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    last: bool = False

    def experiments(self, row: Row) -> list[str]:
        """Names of the experiments that a row needs."""
        return list(dict.fromkeys(column.experiment or row.experiment or self.experiment for column in self.columns))

    def rows_of(self, recipes: Sequence[str]) -> list[Row]:
        """Its rows, without those of recipes that are not wanted."""
        return [row for row in self.rows if self.last or row.run not in ("paper", "default") or row.run in recipes]


_PA, _P = Column("PA-MPJPE", "pa_mpjpe_mm"), Column("MPJPE", "mpjpe_mm")
_ABLATED = (Column("PMPJPE", "pa_mpjpe_mm"), _P)
_PCK, _AUC = Column("PCK", "pck_percent"), Column("AUC", "auc_percent")
_OURS, _DEFAULT, _POSEAUG = "Ours", "Ours, default recipe", "PoseAug (our control)"

TABLES = {
    table.number: table
    for table in (
        Table(
            1,
            "Cross-scenario learning on H3.6M. Source: S1. Target: S5, S6, S7, S8",
            "h36m-s1",
            ("Method", "3D"),
            (_PA, _P),
            (
                Row(("Baseline", "S1"), BASELINE),
                Row((_POSEAUG, "S1"), "poseaug", (None, 56.7)),
                Row((_OURS, "S1"), "paper", (34.0, 42.5)),
                Row((_DEFAULT, "S1"), "default"),
            ),
        ),
        Table(
            2,
            "Cross-dataset evaluation on 3DHP dataset. Source: H3.6M-target: 3DHP",
            "3dhp",
            ("Method", "CD"),
            (_PCK, _AUC, _P),
            (
                Row(("Baseline", "X"), BASELINE, (None, None, 96.4)),
                Row((_POSEAUG, "X"), "poseaug", (82.9, 46.5, 92.6)),
                Row((_OURS, "X"), "paper", (88.4, 54.2, 77.2)),
                Row((_DEFAULT, "X"), "default"),
            ),
        ),
        Table(
            3,
            "Cross-dataset evaluation on 3DPW dataset. Source: H3.6M-target: 3DPW",
            "3dpw",
            ("Method", "CD"),
            (_PA, _P),
            (
                Row(("Baseline", "X"), BASELINE),
                Row((_POSEAUG, "X"), "poseaug", (58.5, 94.1)),
                Row((_OURS, "X"), "paper", (46.5, 81.2)),
                Row((_DEFAULT, "X"), "default"),
            ),
        ),
        Table(
            4,
            "Cross-dataset evaluation on Ski dataset. Source: H3.6M-target: Ski",
            "ski",
            ("Method", "CD"),
            (_PA, _P),
            (
                Row(("Pavllo et al. (baseline)", "X"), BASELINE, (88.1, 106.0)),
                Row((_POSEAUG, "X"), "poseaug", (83.5, 105.4)),
                Row((_OURS, "X"), "paper", (83.0, 99.4)),
                Row((_DEFAULT, "X"), "default"),
            ),
        ),
        Table(
            5,
            "Ablation study on supervision elements of the proposed model. Source: H3.6M-target: 3DHP",
            "3dhp",
            ("Index", "BG", "Cam", "DD", "Select"),
            _ABLATED,
            (
                Row(("Baseline", "", "", "", ""), BASELINE, (66.5, 96.4)),
                Row(("A1", "X", "", "", ""), "bones", (61.7, 90.1)),
                Row(("A2", "", "X", "", ""), "camera", (62.0, 88.2)),
                Row(("A3", "X", "X", "", ""), "bones-camera", (61.8, 88.1)),
                Row(("A4", "", "X", "X", "X"), "camera-domain-selection", (59.3, 86.5)),
                Row(("A5", "X", "X", "X", ""), "bones-camera-domain", (54.0, 78.6)),
                Row(("AdaptPose", "X", "X", "X", "X"), "paper", (53.6, 77.2)),
            ),
            last=True,
        ),
        Table(
            6,
            "Ablation study on bone generation strategies",
            "3dhp",
            ("Method",),
            _ABLATED,
            (
                Row(("BG1",), "bg1", (59.3, 85.1)),
                Row(("BG2",), "bg2", (56.2, 80.0)),
                Row(("BG3",), "paper", (53.6, 77.2)),
            ),
            last=True,
        ),
        Table(
            7,
            "Ablation study on camera generation strategies",
            "3dhp",
            ("Method", "Representation"),
            _ABLATED,
            (
                Row(("Deterministic", "Axis-Angle"), "deterministic", (58.0, 82.8)),
                Row(("Probabilistic", "Axis-Angle"), "paper", (53.6, 77.2)),
                Row(("Probabilistic", "Quaternion"), "quaternion", (58.7, 83.5)),
                Row(("Probabilistic", "Euler-Angle"), "euler", (60.9, 85.3)),
            ),
            last=True,
        ),
        Table(
            8,
            "Ablation study on temporal information",
            "3dhp",
            ("Input",),
            (_PCK, _AUC, _P),
            (
                Row(("1 frame",), "paper", (84.6, 50.3, 86.4), "3dhp-1-frame"),
                Row(("27 frames",), "paper", (88.4, 54.2, 77.2)),
            ),
            last=True,
        ),
        Table(
            9,
            "Experiment on 2D detection. Source: Human3.6M, target: 3DHP (PA: after Procrustes alignment)",
            "3dhp",
            ("Method",),
            (
                Column("detected 2D PA", "pa_mpjpe_mm", "3dhp-detected"),
                Column("detected 2D MPJPE", "mpjpe_mm", "3dhp-detected"),
                Column("GT 2D PA", "pa_mpjpe_mm", "3dhp"),
                Column("GT 2D MPJPE", "mpjpe_mm", "3dhp"),
            ),
            (
                Row(("Pavllo et al. (baseline)",), BASELINE, (86.9, 127.1, 66.5, 96.4)),
                Row((_POSEAUG,), "poseaug", (87.2, 125.7, 59.0, 92.6)),
                Row((_OURS,), "paper", (83.4, 120.5, 53.6, 77.2)),
                Row((_DEFAULT,), "default"),
            ),
        ),
    )
}
