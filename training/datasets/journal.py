"""What a preparation has done so far, a line each, so that an interrupted one goes on where it was."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sdk.errors import BadDataset
from sdk.files.input_files import shown
from sdk.files.output_files import naming
from training.datasets.prepared import VERSION, sequence_path
from training.datasets.sequence import SequenceFacts, facts_of

JOURNAL_FILE = "progress.jsonl"


class Journal:
    """Finished sequences and units of a data set that is being prepared, on disk.

    A unit counts as finished as long as its input files have the size and time of change that they had then, and its
    sequences are there. A line that was cut off by a crash is as if it had not been written.
    """

    def __init__(self, folder: Path, data_set: str, layout: str) -> None:
        """Open or begin the journal of a folder.

        Raises:
            BadDataset: the folder holds another data set, or one made of other files.
            BadOutput: it can't be written.
        """
        self._folder, self._path = folder, folder / JOURNAL_FILE
        self._inputs: dict[str, Any] = {}
        self._facts: dict[str, list[SequenceFacts]] = {}
        self._finished: set[str] = set()
        header = {"data_set": data_set, "layout": layout, "version": VERSION}
        if self._path.is_file():
            self._read(header)
        else:
            with naming(self._path):
                folder.mkdir(parents=True, exist_ok=True)
            self._append(header)

    def _read(self, header: dict[str, Any]) -> None:
        lines = self._path.read_bytes().split(b"\n")
        try:
            begun = json.loads(lines[0])
        except ValueError:
            begun = None
        if begun != header:
            raise BadDataset(
                f"{shown(self._folder)} was begun as {shown(str(begun))}, which is not {header}. Name another --out."
            )
        for line in lines[1:]:
            try:
                entry = json.loads(line)
                unit, inputs = str(entry["unit"]), entry["inputs"]
                facts = facts_of(entry["facts"]) if "facts" in entry else None
            except (ValueError, LookupError, TypeError, RecursionError):  # cut off; BadDataset is a ValueError
                continue
            if self._inputs.get(unit) != inputs:
                self._inputs[unit], self._facts[unit] = inputs, []
                self._finished.discard(unit)
            if facts is None:
                self._finished.add(unit)
            else:
                self._facts[unit] = [kept for kept in self._facts[unit] if kept.name != facts.name] + [facts]
        if lines[-1]:
            self._append(None)  # ends a line that was cut off

    def done(self, unit: str, inputs: Sequence[Path]) -> tuple[list[SequenceFacts], bool]:
        """Sequences of a unit that are written, and whether these are all."""
        if self._inputs.get(unit) != _identity(inputs):
            return [], False
        there = [facts for facts in self._facts[unit] if sequence_path(self._folder, facts.name).is_file()]
        return there, unit in self._finished and len(there) == len(self._facts[unit])

    def add(self, unit: str, inputs: Sequence[Path], facts: SequenceFacts | None) -> None:
        """Note a sequence that is written, or with None that the unit is finished.

        Raises:
            BadOutput: the disk is full.
        """
        entry: dict[str, Any] = {"unit": unit, "inputs": _identity(inputs)}
        self._append(entry if facts is None else {**entry, "facts": dataclasses.asdict(facts)})

    def _append(self, entry: dict[str, Any] | None) -> None:
        with naming(self._path), open(self._path, "a", encoding="utf-8") as file:
            file.write(("" if entry is None else json.dumps(entry)) + "\n")


def _identity(inputs: Sequence[Path]) -> list[list[Any]]:
    """Name, size and time of change of files, as JSON gives them back."""
    return [[path.name, path.stat().st_size, path.stat().st_mtime_ns] for path in inputs]
