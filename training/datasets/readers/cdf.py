"""Reads one variable of a CDF file with cdflib, which follows whatever chains and counts a damaged file has."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np


class _BoundedReads:
    """A file that is read a bounded number of times: a chain of records that leads back to itself has no end."""

    def __init__(self, file: BinaryIO, most: int) -> None:
        self._file, self._left = file, most
        self._size = file.seek(0, 2)
        file.seek(0)

    def read(self, size: int = -1) -> bytes:
        self._left -= 1
        if self._left < 0:
            raise ValueError("its records lead in circles, or are too many")
        if size > self._size:
            raise ValueError("a record is larger than the file")
        return self._file.read(size)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


_MOST_TURNS = 1_000_000
"""Of a loop of cdflib: a take has thousands of records."""


def _bounded_range(*arguments: int) -> range:
    """`range`, as cdflib uses it for counts out of the file."""
    turns = range(*arguments)
    if len(turns) > _MOST_TURNS:
        raise ValueError(f"it counts {len(turns)} records, dimensions or variables")
    return turns


@contextmanager
def _bounded_loops() -> Iterator[None]:
    """cdflib loops as often as a file says, also where the file has nothing to it: the loops get a bound."""
    from cdflib import cdfread

    cdfread.range = _bounded_range  # type: ignore[attr-defined]
    try:
        yield
    finally:
        del cdfread.range  # type: ignore[attr-defined]


def read_variable(path: Path, name: str) -> np.ndarray:
    """A variable of a CDF file as cdflib gives it.

    Raises:
        Exception: of any kind, for a damaged file.
    """
    from cdflib.cdfread import CDF

    most_reads = 10_000 + path.stat().st_size // 64

    class BoundedCDF(CDF):  # type: ignore[misc]
        def _file_or_url_or_s3_handler(self, *arguments: Any) -> Any:
            return _BoundedReads(super()._file_or_url_or_s3_handler(*arguments), most_reads)

    with _bounded_loops():
        file = BoundedCDF(path)
        if not isinstance(file._f, _BoundedReads):  # a compressed file, unpacked into another
            file._f = _BoundedReads(file._f, most_reads)
        return np.asarray(file[name])
