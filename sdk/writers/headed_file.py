"""A file whose head says how much is in it, true on the disk after every flush."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path


class HeadedFile(ABC):
    """An open binary file: a head that is as long whatever it says, then rows."""

    def __init__(self, path: Path) -> None:
        """Open the file and write its head; an older one of that name is replaced."""
        self._rows = 0
        self._file = open(path, "wb")  # noqa: SIM115  # until close
        self.flush()

    def flush(self) -> None:
        """Bring everything to the disk, with a head that fits it."""
        self._file.seek(0)
        self._file.write(self._head())
        self._file.seek(0, 2)
        self._file.flush()

    def close(self) -> None:
        """Flush and close."""
        self.flush()
        self._file.close()

    def _add(self, row: bytes) -> None:
        self._file.write(row)
        self._rows += 1

    @abstractmethod
    def _head(self) -> bytes:
        """Of a file with as many rows as there are now."""
