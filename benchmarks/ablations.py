"""Runs the paper's ablations (tables 5 to 8) on a cross-domain split.

    python benchmarks/ablations.py --clips CLIPS.npz --target-2d TRAIN_2D.npz --test TEST.npz --out runs/ablations

Every row is measured by benchmarks/cross_domain.py with three seeds. Runs that several tables share are done once. The
tables are written again after each run, to OUT/tables.md or the file in --write. To go on after a stop, call it again:
finished runs are kept, and a stopped run goes on from its last state. Where the paper does not define a row,
training/settings/ablations.py says what was chosen.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import tyro

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # a script sees its own folder only
from benchmarks.ablation_tables import TABLES, as_markdown
from benchmarks.cross_domain import SOURCE_PEOPLE, CrossDomain, measure
from sdk.commands.command_line import run_command
from training.files.atomic_file import replacing
from training.runs.run_folder import RunExists
from training.settings.ablations import VARIANTS
from training.settings.method import Method

_SHARED = ("source_people", "channels", "pretrain_steps", "steps", "batch")
_FILES = ("clips", "target_2d", "test")


@dataclass(frozen=True)
class Ablations:
    """Measure the rows of the paper's tables 5, 6, 7 and 8."""

    clips: Path
    """Source motion: npz of joint positions in metres, z up, clips named PERSON_NUMBER."""
    target_2d: Path
    """The target's keypoints. Adaptation sees nothing else of it."""
    test: Path
    """The labelled test file."""
    out: Path
    """Folder of all runs; each has its own folder NAME-SEED. A second call goes on there."""
    write: Path | None = None
    """Markdown file for the tables; OUT/tables.md if not given."""
    tables: tuple[Literal[5, 6, 7, 8], ...] = (5, 6, 7, 8)
    """Numbers of the paper's tables to make."""
    seeds: tuple[int, ...] = (0, 1, 2)
    """Seeds of training and adaptation."""
    source_people: tuple[str, ...] = SOURCE_PEOPLE
    """People whose clips are the source."""
    channels: int = 256
    """Width of the lifter."""
    pretrain_steps: int = 8000
    """Steps of training on the source."""
    steps: int | None = None
    """Steps of adaptation; the paper recipe's own if not given."""
    batch: int | None = None
    """Windows per step; the paper recipe's own if not given."""
    threads: int = 2
    """CPU threads of torch."""
    device: str = "cpu"
    """Device to compute on: cpu, cuda, cuda:N or auto."""


def run_all(settings: Ablations, report: Callable[[str], None] = print) -> str:
    """Do all missing runs: first all runs with one seed, then with the next. Write the tables after each.

    Args:
        settings: Settings of all runs.
        report: Gets a line about each run.

    Returns:
        The tables.

    Raises:
        RunExists: a folder has a run with other settings.
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
        text = as_markdown(settings.tables, settings.seeds, results)
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
        **shared,
    )


def finished(run: CrossDomain, method: Method) -> dict | None:
    """The result of a finished run; None if it is not finished.

    Raises:
        RunExists: the result has other settings or other constants.
    """
    path = run.out / "result.json"
    if not path.exists():
        return None
    result = json.loads(path.read_text(encoding="utf-8"))
    # A constant that is missing in the result is newer than the result.
    now, then = json.loads(json.dumps(dataclasses.asdict(method))), result["method"]
    overruled = {name for name in ("steps", "batch") if getattr(run, name) is not None}  # compared as settings, below
    other = [f"{name} {then[name]}" for name in sorted(now.keys() & then.keys() - overruled) if then[name] != now[name]]
    for name in ("seed", "filter_widths", *_SHARED, *_FILES):
        if result["settings"][name] != str(getattr(run, name)):
            other.append(f"{name} {result['settings'][name]}")
    if other:
        raise RunExists(
            f"{path} is of a run with other settings ({'; '.join(other)}). Name another folder with --out, or remove "
            f"{run.out}."
        )
    return result


def main() -> None:
    """Run, and print the tables."""
    settings = tyro.cli(Ablations, description=__doc__)
    run_command(lambda: print(run_all(settings)))


if __name__ == "__main__":
    main()
