"""All that `adaptpose-reproduce` does, in order: data, cost, runs row by row and seed by seed, tables, figures."""

from __future__ import annotations

import dataclasses
import json
import platform
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from sdk.errors import BadDataset, BadModelFile
from sdk.files.output_files import check_output_folder, naming
from sdk.version import __version__
from training.files.atomic_file import replacing
from training.protocols.notes import REHEARSAL as REHEARSAL_NOTE
from training.reproduction.catalog import Catalog
from training.reproduction.cost import Job, costs, in_words
from training.reproduction.detections import Detections
from training.reproduction.experiments import EXPERIMENTS
from training.reproduction.figures import draw_figure, figure_jobs
from training.reproduction.published import comparison
from training.reproduction.rehearsal import rehearsed
from training.reproduction.runs import Runs
from training.reproduction.tables import BASELINE, TABLES, Table
from training.reproduction.writing import Facts, write_tables
from training.runs.device import open_device
from training.runs.resuming import resumable
from training.runs.run_folder import RunExists
from training.settings.reproduce import ALL_FIGURES, ALL_TABLES, AS_PUBLISHED, OURS, REHEARSAL, Reproduce, Sizes
from training.settings.settings_check import BadSetting

_FACTS = "reproduction.json"


def reproduce(settings: Reproduce, report: Callable[[str], None] = print) -> list[Path]:
    """Do what is missing of the wanted tables and figures, and write them. Tables are written again after each run.

    Args:
        settings: From the command line.
        report: Gets lines for people.

    Returns:
        The files that hold tables and figures; none with `estimate`.

    Raises:
        BadSetting: settings that do not go together.
        BadDataset, BadTarget, BadMotion: data that can't be used, or none for anything that is wanted.
        RunExists: the folder holds runs of other sizes or other data.
        KeyboardInterrupt: on Ctrl-C; the message says how to go on.
        UnknownDevice, DeviceUnavailable, BadOutput, Diverged: as named.
    """
    everything = not settings.table and not settings.figure
    tables = [TABLES[number] for number in sorted(set(ALL_TABLES if everything else settings.table))]
    figures = sorted(set(ALL_FIGURES if everything else settings.figure))
    _check(settings)
    settings = dataclasses.replace(settings, seeds=settings.seeds or ((0,) if settings.rehearse else (0, 1, 2)))
    check_output_folder(settings.out)
    device = open_device(settings.device, settings.threads).device
    with resumable(f"What was measured is in {settings.out}: the same command goes on there."):
        if settings.rehearse:
            settings = rehearsed(settings, _data_sets(tables, figures), report)
        catalog = _catalog(settings)
        sizes = _sizes(settings)
        runs = Runs(settings.out, catalog, sizes, device)
        missing = {name: why for name, one in EXPERIMENTS.items() if (why := catalog.missing(one))}
        jobs = _jobs(tables, figures, settings, missing)
        if not jobs:
            reasons = "; ".join(sorted({why for why in missing.values()}))
            raise BadDataset(f"nothing that is wanted can be done with the data at hand: {reasons}.")
        waiting = [job for job in jobs if not runs.done(job.experiment, job.run, job.seed)]
        if not settings.estimate:
            _claim(settings, catalog, sizes)
        if waiting and not settings.rehearse:
            report(in_words(costs(runs, waiting, settings.estimate_steps), settings.device))
        if settings.estimate:
            return []
        return _do(settings, tables, figures, jobs, runs, missing, report)


def _do(
    settings: Reproduce,
    tables: Sequence[Table],
    figures: Sequence[int],
    jobs: Sequence[Job],
    runs: Runs,
    missing: dict[str, str],
    report: Callable[[str], None],
) -> list[Path]:
    results: dict[Job, dict] = {}
    facts = Facts(
        tuple(settings.seeds),
        tuple(settings.recipes),
        settings.rehearse or runs.catalog.miniature,
        missing,
        _about(settings, runs),
    )
    for number, job in enumerate(jobs, 1):
        before = runs.done(job.experiment, job.run, job.seed)
        report(f"{number} of {len(jobs)}: {job.experiment}, {job.run}, seed {job.seed}" + ", done before" * before)
        results[job] = runs.errors(job.experiment, job.run, job.seed)
        if tables:
            write_tables(settings.out, tables, results, facts)
    written = []
    if tables:
        report(write_tables(settings.out, tables, results, facts))
        written = [settings.out / name for name in ("tables.md", "tables.json", "comparison.md")]
        with replacing(written[-1]) as part:
            head = f"**{REHEARSAL_NOTE}.**\n\n" if facts.rehearsal else ""
            part.write_text(head + comparison(results, settings.seeds), encoding="utf-8")
    for figure in figures:
        lacking = sorted({why for job in figure_jobs(figure) if (why := missing.get(job[0]))})
        if lacking:
            report(f"figure {figure} {lacking[0]}")
            continue
        written.append(draw_figure(figure, runs, settings.seeds[0], settings.out, rehearsal=facts.rehearsal))
    return written


def _jobs(tables: Sequence[Table], figures: Sequence[int], settings: Reproduce, missing: dict[str, str]) -> list[Job]:
    """Runs that are wanted and can be done: all of one seed, then of the next; baselines before what needs them."""
    wanted: dict[tuple[str, str], None] = {}
    for table in tables:
        for row in table.rows_of(settings.recipes):
            for experiment in table.experiments(row):
                wanted |= {(experiment, BASELINE): None, (experiment, row.run): None}
    found = [Job(*one, seed) for seed in settings.seeds for one in wanted if one[0] not in missing]
    drawn = {one: None for figure in figures for one in figure_jobs(figure) if one[0] not in missing}
    return list(dict.fromkeys([*found, *(Job(*one, settings.seeds[0]) for one in drawn)]))


def _data_sets(tables: Sequence[Table], figures: Sequence[int]) -> list[str]:
    """Names of the data sets that tables and figures need."""
    experiments = [name for table in tables for row in table.rows for name in table.experiments(row)]
    experiments += [name for figure in figures for name, _ in figure_jobs(figure)]
    parts = [part for name in experiments for part in (EXPERIMENTS[name].source, EXPERIMENTS[name].target)]
    return list(dict.fromkeys(part.data_set for part in parts))


def _check(settings: Reproduce) -> None:
    if any(not 0 <= seed < 2**63 for seed in settings.seeds):
        raise BadSetting(f"--seeds {' '.join(map(str, settings.seeds))}: they must be 0 or more, and below 2^63.")
    if settings.estimate_steps is not None and settings.estimate_steps < 1:
        raise BadSetting(f"--estimate-steps is {settings.estimate_steps}; it must be 1 or more.")
    if not settings.recipes:
        raise BadSetting("--recipes names none; it must be paper, default, or both.")
    if settings.rehearse and (settings.data or settings.detections or settings.as_published):
        raise BadSetting(
            "--rehearse draws its own data, in tiny sizes: leave out --data, --detections, --as-published."
        )
    if not settings.rehearse and not settings.data:
        raise BadSetting(
            "--data names no prepared data set. Make one with: adaptpose-data prepare h36m|3dhp|3dpw|ski FOLDER --out "
            "DATA. Or try everything on drawn data: --rehearse"
        )


def _catalog(settings: Reproduce) -> Catalog:
    detections = None
    if settings.detections is not None:
        detections = Detections(settings.detections, settings.detections_skeleton, settings.detections_from)
    return Catalog(settings.data, detections)


def _sizes(settings: Reproduce) -> Sizes:
    if settings.rehearse:
        return REHEARSAL
    return AS_PUBLISHED if settings.as_published else OURS


def _claim(settings: Reproduce, catalog: Catalog, sizes: Sizes) -> None:
    """Write what the folder is of, or check that it is of the same. Another data set may be added.

    Raises:
        RunExists: sizes, or a data set, are others than those of the runs in the folder.
    """
    path = settings.out / _FACTS
    now = {"sizes": json.loads(json.dumps(dataclasses.asdict(sizes))), "data": catalog.fingerprint()}
    then = {"sizes": now["sizes"], "data": {}}
    if path.exists():
        try:
            then = json.loads(path.read_text(encoding="utf-8"))
            other = [name for name, what in now["data"].items() if then["data"].get(name, what) != what]
            other += [] if then["sizes"] == now["sizes"] else [f"sizes {then['sizes']['name']}"]
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise BadModelFile(f"{path} is damaged ({error}). Name another folder with --out.") from error
        if other:
            raise RunExists(
                f"{settings.out} holds runs of other data or sizes ({', '.join(other)}): their figures would be mixed. "
                "Name another folder with --out."
            )
    with naming(settings.out):
        settings.out.mkdir(parents=True, exist_ok=True)
    with replacing(path) as part:
        part.write_text(json.dumps({**now, "data": {**then["data"], **now["data"]}}, indent=1), encoding="utf-8")


def _about(settings: Reproduce, runs: Runs) -> tuple[str, ...]:
    sizes, data = runs.sizes, runs.catalog.data
    return (
        f"Sizes: {sizes.name}; {sizes.channels} channels, batches of {sizes.batch} on the source.",
        *(
            f"{one.data_set}: {one.joint_definition}. Made of {one.origin}."
            for several in data.values()
            for one in several
        ),
        f"adaptpose {__version__}, torch {torch.__version__}, {settings.device}, {platform.platform()}.",
    )
