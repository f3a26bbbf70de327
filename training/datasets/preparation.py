"""Turns the files of a data set into a prepared one: what they are is found, then sequence by sequence written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sdk.errors import BadDataset
from sdk.files.input_files import shown
from sdk.files.output_files import check_output_folder
from training.datasets.about import ABOUT
from training.datasets.journal import Journal
from training.datasets.miniature.writing import MARK
from training.datasets.prepared import DATA_SETS, PreparedDataset, write_index, write_sequence
from training.datasets.readers.finding import find_layouts
from training.datasets.readers.layout import Layout
from training.datasets.sequence import SequenceFacts


@dataclass(frozen=True)
class Preparation:
    """What a preparation did.

    Attributes:
        data: The prepared data set.
        layout: The kind of files it was made of.
        written: Sequences written now.
        kept: Sequences that an earlier, interrupted preparation had written.
        differences: Counts that are not the published ones, a line each; of miniature data none.
    """

    data: PreparedDataset
    layout: Layout
    written: int
    kept: int
    differences: tuple[str, ...]


def prepare(
    data_set: str,
    folder: Path,
    out: Path,
    *,
    layout: str | None = None,
    progress: Callable[[int, int, int], None] = lambda units, of, poses: None,
) -> Preparation:
    """Prepare a data set; see `training.datasets.prepared` for what is written.

    An interrupted one goes on when it is called again: finished sequences are not read again.

    Args:
        data_set: `h36m`, `3dhp`, `3dpw` or `ski`.
        folder: Official files, or those that others made of them.
        out: Folder to write to.
        layout: Which kind of files, if the folder holds several; the error names them.
        progress: Called with units done, units in all and poses written.

    Raises:
        BadDataset: nothing known in the folder, several kinds, or a file that is damaged.
        BadOutput: the folder can't be written to.
    """
    if data_set not in DATA_SETS:
        raise BadDataset(f"{data_set!r} is not a data set. Known: {', '.join(DATA_SETS)}.")
    if not folder.is_dir():
        raise BadDataset(
            f"{shown(folder)} is {'a file' if folder.exists() else 'not there'}; name the data set's folder."
        )
    if out.resolve() == folder.resolve() or folder.resolve() in out.resolve().parents:
        raise BadDataset(f"{shown(out)} is in {shown(folder)}, which is read. Name another --out.")
    check_output_folder(out)
    found = _chosen(data_set, folder, find_layouts(data_set, folder), layout)
    journal = Journal(out, data_set, found.name)
    miniature = (folder / MARK).is_file()
    facts: list[SequenceFacts] = []
    write_index(_dataset(out, found, facts, miniature), complete=False)
    written = kept = poses = 0
    for at, unit in enumerate(found.units):
        progress(at, len(found.units), poses)
        there, finished = journal.done(unit.key, unit.inputs)
        facts += there
        kept += len(there)
        if finished:
            continue
        for sequence in unit.sequences({fact.name for fact in there}):
            if any(sequence.facts.name == fact.name for fact in facts):
                raise BadDataset(
                    f"{shown(folder)} has two sequences {sequence.facts.name}. Name a folder with one copy."
                )
            write_sequence(out, sequence)
            journal.add(unit.key, unit.inputs, sequence.facts)
            facts.append(sequence.facts)
            written, poses = written + 1, poses + sequence.facts.count
            progress(at, len(found.units), poses)
        journal.add(unit.key, unit.inputs, None)
    progress(len(found.units), len(found.units), poses)
    data = _dataset(out, found, facts, miniature)
    write_index(data, complete=True)
    return Preparation(data, found, written, kept, () if miniature else tuple(differences(data)))


def _chosen(data_set: str, folder: Path, layouts: list[Layout], wanted: str | None) -> Layout:
    about = ABOUT[data_set]
    names = [layout.name for layout in layouts]
    if not layouts:
        raise BadDataset(
            f"{shown(folder)} holds no file of {about.title} that is known. Official: {about.files}. Also read: "
            f"{about.derived}. Ask for the data at {about.ask}. Licence: {about.licence}."
        )
    if wanted is not None and wanted not in names:
        raise BadDataset(f"{shown(folder)} has no {wanted!r}. It has: {', '.join(map(repr, names))}.")
    if wanted is None and len(layouts) > 1:
        raise BadDataset(
            f"{shown(folder)} holds several kinds of files: {', '.join(names)}. Choose with --layout NAME."
        )
    return layouts[names.index(wanted)] if wanted is not None else layouts[0]


def _dataset(out: Path, layout: Layout, facts: list[SequenceFacts], miniature: bool) -> PreparedDataset:
    notes = [*(f"missing: {line}" for line in layout.missing), *(f"left out: {line}" for line in layout.left_out)]
    if miniature:
        notes.insert(0, "miniature: drawn motion in the official layout; figures from it are a rehearsal's")
    return PreparedDataset(
        out,
        layout.data_set,
        layout.joint_order,
        layout.joint_definition,
        layout.name,
        miniature,
        tuple(facts),
        ABOUT[layout.data_set].published,
        tuple(notes),
    )


def differences(data: PreparedDataset) -> list[str]:
    """Counts that are not the published ones, a line each."""
    lines = []
    for split, numbers in data.published.items():
        for what, published in numbers.items():
            counted = data.counts.get(split, {}).get(what, 0)
            if counted != published:
                lines.append(f"{split}: {counted:,} {what}, published {published:,} ({counted - published:+,})")
    return lines
