"""`adaptpose-data`: prepares the data sets of the paper, shows what is in them, checks them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import tyro
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from sdk.commands.command_line import require_packages, run_command
from sdk.errors import BadDataset
from training.datasets.about import ABOUT
from training.datasets.prepared import PreparedDataset


@dataclass(frozen=True)
class Prepare:
    """Bring your copy of a data set into one layout: official files, or those that others made of them.

    Interrupted, it goes on when the same command is given again. Needs: pip install 'adaptpose[datasets]'
    """

    data_set: tyro.conf.Positional[Literal["h36m", "3dhp", "3dpw", "ski"]]
    """Human3.6M, MPI-INF-3DHP, 3DPW or Ski-Pose PTZ-Camera."""
    folder: tyro.conf.Positional[Path]
    """Folder with its files, also in folders below."""
    out: Path
    """Folder to write to: DATA of all other commands."""
    layout: str | None = None
    """Kind of files, where the folder holds several; the error names them."""


@dataclass(frozen=True)
class Check:
    """Project 3D onto 2D, and measure bones: do they keep their length, are left and right alike."""

    data: tyro.conf.Positional[Path]
    """A folder of adaptpose-data prepare."""


@dataclass(frozen=True)
class Show:
    """Print what is in a prepared data set, and draw a sheet of its poses, cameras and viewpoints (figures 6 and 7)."""

    data: tyro.conf.Positional[Path]
    """A folder of adaptpose-data prepare."""
    out: Path | None = None
    """The sheet, a .png. Default: sheet.png in DATA."""


def prepare_command(config: Prepare) -> None:
    """Prepare, and print counts beside the published ones."""
    from training.datasets.preparation import prepare

    console = Console(stderr=True)
    bar = Progress(
        TextColumn("preparing"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[poses]:,} poses"),
        console=console,
        disable=not console.is_terminal,
    )
    with bar:
        task = bar.add_task("preparing", total=None, poses=0)

        def show(done: int, of: int, poses: int) -> None:
            bar.update(task, completed=done, total=of, poses=poses)

        try:
            made = prepare(config.data_set, config.folder, config.out, layout=config.layout, progress=show)
        except KeyboardInterrupt:
            raise KeyboardInterrupt("Give the same command again: it goes on where it was.") from None
    about = ABOUT[config.data_set]
    print(f"made of   {made.layout.name} in {config.folder}")
    print(f"sequences {made.written} written, {made.kept} kept from before")
    print_counts(made.data)
    for line in made.layout.missing[:20]:
        print(f"missing   {line}")
    if len(made.layout.missing) > 20:
        print(f"missing   and {len(made.layout.missing) - 20} more: see dataset.json")
    if made.layout.missing:
        print(f"          ask for it at {about.ask}. Licence: {about.licence}")
    for line in made.layout.left_out[:5]:
        print(f"left out  {line}")
    if len(made.layout.left_out) > 5:
        print(f"left out  and {len(made.layout.left_out) - 5} more: see dataset.json")
    noted: dict[str, list[str]] = {}
    for facts in made.data.facts:
        for note in facts.notes:
            noted.setdefault(note, []).append(facts.name)
    for note, names in noted.items():
        print(f"note      {note}: {names[0]}" + (f" and {len(names) - 1} more" if len(names) > 1 else ""))
    for line in made.differences:
        console.print(f"DIFFERENT {line}; {about.counted_by}", style="bold red", soft_wrap=True, highlight=False)
    if made.data.miniature:
        print("miniature drawn motion in the official layout: counts are not compared")
    print(f"data      {config.out}")
    print(f"next      adaptpose-data check {config.out}    adaptpose-data show {config.out}")


def print_counts(data: PreparedDataset) -> None:
    """A table of the splits, published counts beside ours."""
    table = Table(
        "split", "sequences", "poses", "published", "valid", "published ", title=f"{data.data_set}, {data.joint_order}"
    )
    for split in dict.fromkeys([*data.counts, *data.published]):
        ours, theirs = data.counts.get(split, {}), data.published.get(split, {})
        table.add_row(
            split,
            *(f"{ours.get('sequences', 0):,}", f"{ours.get('poses', 0):,}"),
            f"{theirs['poses']:,}" if "poses" in theirs else "",
            f"{ours.get('valid', 0):,}",
            f"{theirs['valid']:,}" if "valid" in theirs else "",
        )
    Console().print(table)


def check_command(config: Check) -> None:
    """Print the figures; what is suspicious is an error at the end."""
    from training.datasets.checking import bone_name, check_dataset, mirrored_bones
    from training.datasets.prepared import open_prepared

    data = open_prepared(config.data)
    checks = check_dataset(data)
    console = Console()
    table = Table(
        "split", "sequences", "valid frames", "2D, median px", "worst sequence px", title=f"3D on 2D, {data.data_set}"
    )
    for split in data.counts:
        of_split = [check for check in checks if check.split == split]
        medians = [check.median_px for check in of_split if np.isfinite(check.median_px)]
        table.add_row(
            split,
            f"{len(of_split):,}",
            f"{sum(check.frames for check in of_split):,}",
            f"{np.median(medians):.3f}" if medians else "no camera",
            f"{max(medians):.3f}" if medians else "",
        )
    console.print(table)
    known = [check for check in checks if np.isfinite(check.lengths_m).all()]
    if known:
        lengths, spread = (np.array([getattr(check, name) for check in known]) for name in ("lengths_m", "spread"))
        pairs = dict(mirrored_bones(data.skeleton))
        bones = Table(
            "bone", "mm", "changes within a sequence", "left beside right", title="Bones, mean of the sequences"
        )
        for at in range(len(data.skeleton.bones)):
            twin = pairs.get(at)
            beside = "" if twin is None else f"{(lengths[:, at] / lengths[:, twin]).mean() - 1:+.1%}"
            bones.add_row(
                bone_name(data.skeleton, at),
                f"{lengths[:, at].mean() * 1000:.0f}",
                f"{spread[:, at].mean():.1%}",
                beside,
            )
        console.print(bones)
    if data.miniature:
        print("miniature drawn motion in the official layout")
    faults = [(check.name, line) for check in checks for line in check.faults(data.skeleton)]
    for name, line in faults[:30]:
        print(f"SUSPICIOUS {name}: {line}")
    if faults:
        raise BadDataset(f"{len({name for name, _ in faults})} of {len(checks)} sequences are suspicious.")
    print("nothing suspicious")


def show_command(config: Show) -> None:
    """Print the facts, and draw."""
    require_packages("matplotlib", extra="datasets", purpose="adaptpose-data show")

    from sdk.files.output_files import check_output_path
    from training.datasets.prepared import open_prepared
    from training.files.atomic_file import replacing
    from training.report.dataset_sheet import draw_sheet, sample_dataset

    data = open_prepared(config.data)
    path = check_output_path(config.out or config.data / "sheet.png", ".png")
    print_counts(data)
    print(f"made of   {data.origin}")
    print(f"joints    {data.joint_order}: {data.joint_definition}")
    rates = sorted({f"{facts.frame_rate_hz:g}" if facts.frame_rate_hz else "not told" for facts in data.facts})
    print(f"rate      {', '.join(rates)} frames a second")
    for split in data.counts:
        of_split = data.select(split)
        subjects = list(dict.fromkeys(facts.subject for facts in of_split))
        cameras = sorted({facts.camera_name for facts in of_split} - {""})
        text = f"{split:<9} {len(subjects)} subjects: {', '.join(subjects[:12])}{' ...' if len(subjects) > 12 else ''}"
        print(text + (f"; cameras {', '.join(cameras)}" if cameras else ""))
    places = sum(facts.root_known and facts.has_joints for facts in data.facts)
    universal = sum(facts.has_universal for facts in data.facts)
    print(f"3D        in the camera in {places} of {len(data.facts)} sequences, at the universal height in {universal}")
    for note in data.notes[:10]:
        print(f"note      {note}")
    if len(data.notes) > 10:
        print(f"note      and {len(data.notes) - 10} more: see dataset.json")
    sample = sample_dataset(data)
    with replacing(path) as part:
        draw_sheet(data, sample, part)
    print(f"sheet     {path}")


def main() -> None:
    """Console script."""
    run_command(_run)


def _run() -> None:
    config = tyro.cli(
        Annotated[Prepare, tyro.conf.subcommand("prepare")]
        | Annotated[Show, tyro.conf.subcommand("show")]
        | Annotated[Check, tyro.conf.subcommand("check")],  # type: ignore[arg-type]
        prog="adaptpose-data",
        description=__doc__,
    )
    if isinstance(config, Prepare):
        prepare_command(config)
    elif isinstance(config, Show):
        show_command(config)
    elif isinstance(config, Check):
        check_command(config)


if __name__ == "__main__":
    main()
