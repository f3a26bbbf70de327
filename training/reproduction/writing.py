"""Tables as text: our numbers by protocol, the paper's beside them, and what must be said of both."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training.files.atomic_file import replacing
from training.protocols.known import find_protocol
from training.protocols.notes import REHEARSAL
from training.reproduction.cost import Job
from training.reproduction.experiments import EXPERIMENTS
from training.reproduction.markdown import markdown_table, mean_and_range
from training.reproduction.tables import Table

Results = Mapping[Job, Mapping[str, Any]]
"""Of each run that is done, what `Runs.errors` gives."""
NOTHING = "-"


@dataclass(frozen=True)
class Facts:
    """What the tables are of.

    Attributes:
        seeds: Seeds that each row should have.
        recipes: Recipes that have rows.
        rehearsal: Whether the data is drawn.
        missing: What an experiment lacks, by its name.
        about: Lines for the head: sizes, data, machine, versions.
    """

    seeds: tuple[int, ...]
    recipes: tuple[str, ...]
    rehearsal: bool
    missing: Mapping[str, str]
    about: tuple[str, ...]


def write_tables(out: Path, tables: Sequence[Table], results: Results, facts: Facts) -> str:
    """Write OUT/tables.md and OUT/tables.json, and return the text."""
    cells = {table.number: table_cells(table, results, facts) for table in tables}
    text = as_markdown(tables, cells, facts, results)
    content = {
        "rehearsal": facts.rehearsal,
        "note": REHEARSAL if facts.rehearsal else "",
        "about": list(facts.about),
        "seeds": list(facts.seeds),
        "tables": {str(number): rows for number, rows in cells.items()},
    }
    for name, written in (("tables.md", text), ("tables.json", json.dumps(content, indent=1, ensure_ascii=False))):
        with replacing(out / name) as part:
            part.write_text(written, encoding="utf-8")
    return text


def table_cells(table: Table, results: Results, facts: Facts) -> list[dict[str, Any]]:
    """Rows by protocol: `labels`, `protocol`, and for each column its `ours` (one a seed) and `paper`."""
    rows = []
    for protocol in _protocols(table, results):
        of_paper = protocol == EXPERIMENTS[table.experiment].protocols[0]
        for row in table.rows_of(facts.recipes):
            columns = []
            for at, column in enumerate(table.columns):
                experiment = column.experiment or row.experiment or table.experiment
                found = [results.get(Job(experiment, row.run, seed)) for seed in facts.seeds]
                when = "last" if table.last else "chosen"
                measured = [one[when][protocol][column.error] for one in found if one and protocol in one[when]]
                paper = row.paper[at] if of_paper and row.paper else None
                columns.append(
                    {"head": column.head, "ours": measured, "paper": paper, "why": facts.missing.get(experiment)}
                )
            rows.append({"labels": list(row.labels), "protocol": protocol, "columns": columns})
    return rows


def as_markdown(
    tables: Sequence[Table], cells: Mapping[int, list[dict[str, Any]]], facts: Facts, results: Results
) -> str:
    """The tables, each with its protocols named."""
    head = ["# The paper's experiments"]
    if facts.rehearsal:
        head.append(f"**{REHEARSAL}.**")
    head.append("\n".join(f"- {line}" for line in facts.about))
    head.append(
        f"Mean over {len(facts.seeds)} seeds ({', '.join(map(str, facts.seeds))}); in brackets the largest minus the "
        "smallest. Errors in mm, PCK and AUC in percent. *Paper*: the paper's number, under the protocol it is of. "
        "Figures of different protocols can't be compared."
    )
    parts = head
    for table in tables:
        rehearsal = " (REHEARSAL)" if facts.rehearsal else ""
        heads = [*table.labels, "Protocol"]
        for column in table.columns:
            heads += [column.head, f"{column.head}, paper"]
        rows = []
        for row in cells[table.number]:
            shown = []
            for column in row["columns"]:
                shown.append(mean_and_range(column["ours"], len(facts.seeds)) or column["why"] or NOTHING)
                shown.append(NOTHING if column["paper"] is None else f"{column['paper']:.1f}")
            rows.append([*row["labels"], row["protocol"], *shown])
        first = len(table.labels) + 1
        shown_table = markdown_table(heads, rows, numbers=range(first, len(heads)))
        parts.append(f"## Table {table.number}. {table.title}{rehearsal}\n\n{shown_table}")
        notes = _notes(table, results)
        if notes:
            parts.append("\n".join(f"- {note}" for note in notes))
    return "\n\n".join(parts) + "\n"


def _protocols(table: Table, results: Results) -> list[str]:
    """The protocols that anything of a table was scored by; the paper's first, and always there."""
    known = EXPERIMENTS[table.experiment].protocols
    experiments = {name for row in table.rows for name in table.experiments(row)}
    scored = {
        protocol for job, found in results.items() if job.experiment in experiments for protocol in found["chosen"]
    }
    return [name for name in known if name == known[0] or name in scored]


def _notes(table: Table, results: Results) -> list[str]:
    """What each protocol of a table is, and which part of it was scored."""
    experiments = {name for row in table.rows for name in table.experiments(row)}
    notes = []
    for name in _protocols(table, results):
        counts = {
            (found["chosen"][name]["poses"], found["chosen"][name]["expected"])
            for job, found in results.items()
            if job.experiment in experiments and name in found["chosen"]
        }
        note = f"{name}: {find_protocol(name).about}"
        wrong = sorted((poses, expected) for poses, expected in counts if expected not in (None, poses))
        if wrong:
            note += f" Here {wrong[0][0]} poses, not {wrong[0][1]}: the figures are not those of the protocol."
        notes.append(note)
    return notes
