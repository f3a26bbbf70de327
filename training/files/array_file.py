"""Reads arrays from .npz files. Every problem with such a file gives one clear sentence."""

from __future__ import annotations

import struct
import tokenize
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from sdk.errors import AdaptPoseError

_SINGLE_ARRAY = b"\x93NUMPY"
"""First bytes of .npy files."""
DAMAGED = (
    *(OSError, ValueError, EOFError, KeyError, NotImplementedError, MemoryError, SyntaxError, TypeError),
    *(zipfile.BadZipFile, zlib.error, tokenize.TokenError, struct.error, OverflowError, RuntimeError),
)
"""Errors of numpy and zipfile for damaged archives, and for arrays that would need pickle."""


def read_arrays(path: Path, wanted: Sequence[str], wrong: type[AdaptPoseError]) -> dict[str, np.ndarray]:
    """Read the wanted arrays of an .npz file. Pickles are never read.

    Args:
        path: The file.
        wanted: Names of arrays that must be in it; others are ignored.
        wrong: The error to raise.

    Raises:
        wrong: the file is missing, no .npz archive, or cut off, or an array is missing, damaged or holds objects.
    """
    check_archive(path, wrong)
    try:
        # Opened here, because numpy leaves damaged files open.
        with silent_numpy(), open(path, "rb") as file, np.load(file, allow_pickle=False) as archive:
            missing = [name for name in wanted if name not in archive.files]
            if missing:
                raise wrong(f"{path} lacks {_quoted(missing)}; it holds {_quoted(archive.files) or 'no array'}.")
            arrays = {}
            for name in wanted:
                try:
                    arrays[name] = archive[name]
                except DAMAGED as error:
                    raise wrong(f"{path}: the array {name!r} can't be read: {error}") from error
                if not isinstance(arrays[name], np.ndarray):  # numpy gives the bytes of what it does not know
                    raise wrong(f"{path}: {name!r} is no array.")
            return arrays
    except wrong:
        raise
    except DAMAGED as error:
        raise wrong(f"{path} can't be read: {error}") from error


@contextmanager
def silent_numpy() -> Iterator[None]:
    """No warnings: numpy's are about how a header is written (Python 2's 4L), not about the numbers."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def check_archive(path: Path, wrong: type[AdaptPoseError]) -> None:
    """Raise `wrong` unless `path` is an .npz archive with a readable table of contents."""
    if not path.is_file():
        raise wrong(f"{path} is a folder, not an .npz file." if path.is_dir() else f"there is no file {path}.")
    try:
        with open(path, "rb") as file:
            start = file.read(len(_SINGLE_ARRAY))
        archive = zipfile.is_zipfile(path)
    except OSError as error:
        raise wrong(f"{path} can't be read: {error}") from error
    if start == _SINGLE_ARRAY:
        raise wrong(f"{path} holds a single array (numpy.save); it must be an .npz file of named ones (numpy.savez).")
    if not archive:
        raise wrong(f"{path} is not an .npz file" + (", or it is cut off." if start.startswith(b"PK") else "."))


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names))
