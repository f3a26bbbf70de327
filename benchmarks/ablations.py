"""The paper's ablations, its tables 5 to 8, on a cross-domain split.

    python benchmarks/ablations.py --clips CLIPS.npz --target-2d TRAIN_2D.npz --test TEST.npz --out runs/ablations

Every row is measured by benchmarks/cross_domain.py, three seeds each; runs that several tables share are done once. The
tables are written anew after each run, into OUT/tables.md or the file that --write names. Stopped, it goes on when
called again: a finished run is not redone, one that was stopped half-way goes on from its last state.

Where the paper leaves a row open: rows without the domain discriminator (DD) have a 2D discriminator on the source in
its place, and the target is not lifted either, so that nothing of it is seen. Rows without bone generation (BG) keep
bones' directions and lengths, rows without camera generation (Cam) the source's cameras.
"""

from __future__ import annotations

import dataclasses
import json
import statistics
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import tyro

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # a script sees its own folder only
from benchmarks.cross_domain import SOURCE_PEOPLE, CrossDomain, measure
from sdk.command_line import run_command
from training.atomic_file import replacing
from training.config import RECIPES, Method
from training.run_folder import RunExists

_PAPER = RECIPES["paper"]
_NO_BONES: dict[str, Any] = {"bone_rotation": "none", "bone_lengths": False}
_NO_CAMERA: dict[str, Any] = {"camera": "none"}
_NO_DOMAIN: dict[str, Any] = {"real_2d": "source", "reprojection": 0.0}
_NO_SELECTION: dict[str, Any] = {"selection": None}
_SHARED = ("source_people", "channels", "pretrain_steps", "steps", "batch")
_FILES = ("clips", "target_2d", "test")


@dataclass(frozen=True)
class Variant:
    """What a row changes.

    Attributes:
        changes: Fields of the paper's `Method`.
        filter_widths: Of the lifter.
    """

    changes: dict[str, Any] = dataclasses.field(default_factory=dict)
    filter_widths: tuple[int, ...] = (3, 3, 3)

    @property
    def method(self) -> Method:
        """All constants."""
        return dataclasses.replace(_PAPER, **self.changes)


VARIANTS = {
    "paper": Variant(),
    "bones": Variant(_NO_CAMERA | _NO_DOMAIN | _NO_SELECTION),
    "camera": Variant(_NO_BONES | _NO_DOMAIN | _NO_SELECTION),
    "bones-camera": Variant(_NO_DOMAIN | _NO_SELECTION),
    "camera-domain-selection": Variant(_NO_BONES),
    "bones-camera-domain": Variant(_NO_SELECTION),
    "bg1": Variant({"bone_rotation": "bg1"}),
    "bg2": Variant({"bone_rotation": "bg2"}),
    "deterministic": Variant({"camera": "deterministic"}),
    "quaternion": Variant({"camera_rotation": "quaternion"}),
    "euler": Variant({"camera_rotation": "euler"}),
    "1-frame": Variant({}, (1, 1, 1)),
}
"""Every run by its name; `paper` is in all four tables."""


@dataclass(frozen=True)
class Ablations:
    """Measure the rows of the paper's tables 5, 6, 7 and 8."""

    clips: Path
    """Source motion: npz of joint positions in metres, z up, clips named PERSON_NUMBER."""
    target_2d: Path
    """The target's keypoints: all that adaptation sees of it."""
    test: Path
    """The labelled test file."""
    out: Path
    """Folder of all runs, each in a folder NAME-SEED of its own; called again, it goes on there."""
    write: Path | None = None
    """Markdown file for the tables; OUT/tables.md if not given."""
    tables: tuple[Literal[5, 6, 7, 8], ...] = (5, 6, 7, 8)
    """Which of the paper's tables."""
    seeds: tuple[int, ...] = (0, 1, 2)
    """Of training, adaptation and all they draw."""
    source_people: tuple[str, ...] = SOURCE_PEOPLE
    """Whose clips are the source."""
    channels: int = 256
    """Width of the lifter."""
    pretrain_steps: int = 8000
    """Steps of training on the source."""
    steps: int | None = None
    """Steps of adaptation; the paper recipe's own if not given."""
    batch: int = 256
    """Windows a step."""
    threads: int = 2
    """CPU threads of torch."""
    device: str = "cpu"
    """cpu, cuda, cuda:N or auto."""


@dataclass(frozen=True)
class Row:
    """A row of a table.

    Attributes:
        labels: First cells.
        run: Name of the run it shows.
        when: `after` adaptation, or `before`: the baseline it started from.
    """

    labels: tuple[str, ...]
    run: str
    when: str = "after"


@dataclass(frozen=True)
class Table:
    """One of the paper's tables.

    Attributes:
        title: The paper's.
        labels: Heads of the first columns.
        errors: Heads of the others, and which number of the result each shows.
        rows: In the paper's order.
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


def run_all(settings: Ablations, report: Callable[[str], None] = print) -> str:
    """Do what is not done yet, one seed of every run before the next seed, and write the tables as they fill.

    Args:
        settings: Of all runs.
        report: Told of each run.

    Returns:
        The tables.

    Raises:
        RunExists: a folder holds a run of other settings.
        BadTarget, BadMotion, BadModelFile, UnknownDevice, DeviceUnavailable, Diverged: as named.
    """
    wanted = dict.fromkeys(row.run for number in settings.tables for row in TABLES[number].rows)
    results: dict[str, list[dict]] = {name: [] for name in wanted}
    write = settings.write or settings.out / "tables.md"
    write.parent.mkdir(parents=True, exist_ok=True)
    runs = [(name, seed) for seed in settings.seeds for name in wanted]
    text = ""
    for number, (name, seed) in enumerate(runs, 1):
        run, method = settings_of(settings, name, seed), VARIANTS[name].method
        result = finished(run, method)
        report(f"{number} of {len(runs)}: {name}, seed {seed}" + (", done before" if result else ""))
        results[name].append(result or measure(run, method=method))
        text = as_markdown(settings, results)
        with replacing(write) as part:
            part.write_text(text, encoding="utf-8")
    return text


def settings_of(settings: Ablations, name: str, seed: int) -> CrossDomain:
    """The benchmark's settings for one run of a variant."""
    shared = {field: getattr(settings, field) for field in (*_SHARED, "threads", "device")}
    files = {field: getattr(settings, field).expanduser().absolute() for field in _FILES}
    return CrossDomain(
        **files,
        out=settings.out / f"{name}-{seed}",
        recipe=name,
        seed=seed,
        filter_widths=VARIANTS[name].filter_widths,
        points=4,  # each is measured on the test file, which takes longer than its share of the adaptation
        **shared,
    )


def finished(run: CrossDomain, method: Method) -> dict | None:
    """The result of a finished run; None if it is not finished.

    Raises:
        RunExists: the result is that of other settings, or of other constants.
    """
    path = run.out / "result.json"
    if not path.exists():
        return None
    result = json.loads(path.read_text(encoding="utf-8"))
    # A constant that the result does not name came later, and was then not thought of.
    now, then = json.loads(json.dumps(dataclasses.asdict(method))), result["method"]
    other = [f"{name} {then[name]}" for name in now if name in then and then[name] != now[name]]
    for name in ("seed", "filter_widths", *_SHARED, *_FILES):
        if result["settings"][name] != str(getattr(run, name)):
            other.append(f"{name} {result['settings'][name]}")
    if other:
        raise RunExists(
            f"{path} is of a run with other settings ({'; '.join(other)}). Name another folder with --out, or remove "
            f"{run.out}."
        )
    return result


def as_markdown(settings: Ablations, results: dict[str, list[dict]]) -> str:
    """The asked tables, rows and columns as in the paper."""
    seeds = len(settings.seeds)
    about = (
        f"Mean over {seeds} seeds ({', '.join(map(str, settings.seeds))}); in brackets the largest minus the smallest. "
        "MPJPE and PMPJPE (after Procrustes alignment) in mm, PCK (within 150 mm) and AUC in percent."
    )
    parts = [about]
    for number in settings.tables:
        table = TABLES[number]
        heads = (*table.labels, *table.errors)
        rule = ["---"] * len(table.labels) + ["---:"] * len(table.errors)
        lines = [f"## {table.title}", "", _line(heads), _line(rule)]
        for row in table.rows:
            shown = [_cell([one[row.when][name] for one in results[row.run]], seeds) for name in table.errors.values()]
            lines.append(_line((*row.labels, *shown)))
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"


def _cell(values: Sequence[float], seeds: int) -> str:
    if not values:
        return "-"
    some = "" if len(values) == seeds else f", {len(values)} of {seeds} seeds"
    return f"{statistics.fmean(values):.1f} ({max(values) - min(values):.1f}{some})"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Run, print the tables."""
    settings = tyro.cli(Ablations, description=__doc__)
    run_command(lambda: print(run_all(settings)))


if __name__ == "__main__":
    main()
