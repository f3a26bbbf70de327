"""The folder of a recording's results: it appears whole or not at all, and says what it was made of."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sdk.errors import BadOutput, BadTarget
from sdk.files.input_files import check_regular_file, printable, shown
from sdk.files.output_files import naming, part_beside, remove_abandoned_parts
from sdk.prediction.summary import PredictionSummary, summary_from_json, summary_to_json

SUMMARY = "summary.json"
"""File in each folder of results: what was found, and the identity."""
KEYPOINTS = "keypoints.npz"
"""File in the folder of a recording in which was only detected."""
LISTS = "predictions*.json"
"""Files beside these folders: lists of the recordings, one a shard."""
_IDENTITY = "identity"
_PART = re.compile(r"\.(?P<stem>.+)\.part-[0-9a-f]{8}-\d+(?:\.older)?(?P<suffix>\.[^.]*)?")
"""Name of a hidden folder: see `part_beside`."""


def read_result(folder: Path, identity: str) -> PredictionSummary | None:
    """The summary of results that are there already.

    Args:
        folder: The folder of the recording.
        identity: Of content, models and settings. Results of another identity do not count.

    Returns:
        None if the work is to be done.

    Raises:
        BadTarget: the folder holds something else.
    """
    if not folder.exists():
        return None
    try:
        check_regular_file(folder / SUMMARY, BadTarget)
        values = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
        known = values[_IDENTITY]
        summary = summary_from_json(values)
    except (BadTarget, OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadTarget(
            f"{shown(folder)} is no folder of results, so it is not replaced: move it, or name another --save folder."
        ) from error
    there = all((folder / name).is_file() for name in summary.files)
    return summary if known == identity and there else None


@contextmanager
def new_result(folder: Path) -> Iterator[Path]:
    """A hidden folder beside it to write into, which takes its place when the block ends without an error.

    A killed process leaves the hidden folder; see `remove_abandoned_results`.

    Raises:
        BadOutput: the disk is full, or the place can't be written to.
    """
    part = part_beside(folder)
    with naming(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(part, ignore_errors=True)  # in a container a killed process' number may be ours
        part.mkdir()
    try:
        yield part
        with naming(folder):
            older = part.with_name(f"{part.stem}.older{part.suffix}")
            if folder.exists():
                os.replace(folder, older)
            os.replace(part, folder)
            shutil.rmtree(older, ignore_errors=True)
    except BadOutput as error:
        # A writer names its file in the hidden folder, and the rows that it keeps there: both are gone after this.
        cause: BaseException | None = error
        while isinstance(cause, BadOutput):
            cause = cause.__cause__
        if not isinstance(cause, OSError):
            raise
        raise BadOutput(f"{shown(folder)} can't be written: {cause.strerror or cause}.") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def remove_abandoned_results(save: Path, names: Iterable[str]) -> None:
    """Remove the hidden folders that killed processes of this machine left of these recordings.

    Each folder is looked at once, however many recordings it has.

    Args:
        save: Folder of all results.
        names: Of the recordings.
    """
    inside: defaultdict[Path, set[str]] = defaultdict(set)
    for name in names:
        inside[(save / name).parent].add((save / name).name)
    for parent, known in inside.items():
        if not parent.is_dir():
            continue
        parts = (_PART.fullmatch(path.name) for path in parent.iterdir())
        for name in {f"{part['stem']}{part['suffix'] or ''}" for part in parts if part} & known:
            remove_abandoned_parts(parent / name)


def write_summary(folder: Path, summary: PredictionSummary, identity: str) -> None:
    """Write the file that `read_result` reads.

    Raises:
        BadOutput: the disk is full.
    """
    write_json(folder / SUMMARY, {_IDENTITY: identity, **summary_to_json(summary)})


def write_json(path: Path, values: object) -> None:
    """Write JSON for people and programs; the file appears whole or not at all.

    Raises:
        BadOutput: the disk is full, or the place can't be written to.
    """
    with naming(path):
        part = part_beside(path)
        try:
            part.write_text(printable(json.dumps(values, indent=2, ensure_ascii=False)) + "\n", encoding="utf-8")
            os.replace(part, path)
        finally:
            part.unlink(missing_ok=True)
