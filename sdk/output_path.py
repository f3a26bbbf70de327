"""Where a result will be written, checked before the work that makes it begins."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sdk.errors import AdaptPoseError, BadOutput


def check_output_path(path: str | Path, suffix: str) -> Path:
    """Return the path, or say why no file of that kind can be written there.

    Raises:
        BadOutput: for another suffix, a folder in its place, or a missing or read-only folder around it.
    """
    path = Path(path).expanduser()
    if path.suffix.lower() != suffix:
        raise BadOutput(f"{path}: the file's name must end in {suffix}.")
    if path.is_dir():
        raise BadOutput(f"{path} is a folder; name a file in it.")
    if not path.parent.is_dir():
        raise BadOutput(f"{path}: there is no folder {path.parent}. Make it first, or name another.")
    if not os.access(path.parent, os.W_OK):
        raise BadOutput(f"{path}: no permission to write in {path.parent}.")
    return path


def check_output_folder(path: Path) -> None:
    """Do nothing if there is such a folder, or it could be made; nothing is made yet.

    Raises:
        BadOutput: a file is in its place or in that of a folder around it, or there is no permission.
    """
    there = path.absolute()
    while not there.exists() and there != there.parent:
        there = there.parent
    if not there.is_dir():
        raise BadOutput(f"{path} can't be a folder: {there} is a file. Name another.")
    if not os.access(there, os.W_OK):
        raise BadOutput(f"{path}: no permission to write in {there}. Name another.")


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Turn the system's errors (a full disk, above all) into BadOutput that names the file."""
    try:
        yield
    except AdaptPoseError:  # some are OSErrors as well
        raise
    except OSError as error:
        raise BadOutput(f"{path} can't be written: {error.strerror or error}.") from error
