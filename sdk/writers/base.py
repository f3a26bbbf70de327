"""The protocol of a pose writer, and what writers share: flushing once a second, files that stay whole."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import Protocol

from sdk.results.pose_frame import PoseFrame


class PoseWriter(Protocol):
    """Writes the results of a stream, one by one. A context manager."""

    @property
    def paths(self) -> list[Path]:
        """The files written so far."""
        ...

    def write(self, frame: PoseFrame) -> None:
        """Write a result. Raises BadOutput if the disk is full."""
        ...

    def close(self, *, complete: bool = True) -> None:
        """Finish the files. A second call does nothing. `complete` is False after an error."""
        ...

    def __enter__(self) -> PoseWriter: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class ClosesItself(ABC):
    """Closes a writer at the end of its `with` block, also after an error."""

    @abstractmethod
    def close(self, *, complete: bool = True) -> None:
        """See `PoseWriter.close`."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close(complete=error is None)


INTERVAL_S = 1.0
"""Time between flushes. A killed process loses at most this much."""


class FlushClock:
    """Says when to flush: once a second."""

    def __init__(self) -> None:
        self._last_s = time.monotonic()

    def due(self) -> bool:
        """Whether a second has passed since this last returned True."""
        now_s = time.monotonic()
        if now_s - self._last_s < INTERVAL_S:
            return False
        self._last_s = now_s
        return True


_MOST_WAITING_BYTES = 1 << 20


class GrowingFile:
    """A file with a start, pieces, and an end. It stays whole: a piece that does not fit on the disk is not added."""

    def __init__(self, path: Path, start: bytes, end: bytes = b"") -> None:
        """Open the file and write start and end. An older file of that name is replaced."""
        self._end, self._size = end, 0
        # Without a buffer: after a full disk, one would write its rest again and again.
        self._file = open(path, "wb", buffering=0)  # noqa: SIM115  # until close
        try:
            self._write(start + end)
        except BaseException:
            self._file.close()
            raise
        self._size = len(start)

    @property
    def closed(self) -> bool:
        """Whether the file is closed."""
        return self._file.closed

    def append(self, piece: bytes) -> None:
        """Add a piece before the end.

        Raises:
            OSError: the piece does not fit on the disk. The file is as before the call.
        """
        self._file.seek(self._size)
        try:
            self._write(piece + self._end)
        except OSError:
            self._file.truncate(self._size)
            self._file.seek(self._size)
            self._write(self._end)  # it fits: the space was its own before
            raise
        self._size += len(piece)

    def replace_start(self, start: bytes) -> None:
        """Replace the start by another of the same length."""
        self._file.seek(0)
        self._write(start)

    def close(self) -> None:
        """Close the file. A second call does nothing."""
        self._file.close()

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[self._file.write(view) :]


class HeadedFile(ABC):
    """An open file: a header of fixed length that counts the rows, then the rows. On the disk, all rows are whole."""

    def __init__(self, path: Path) -> None:
        """Open the file and write its header. An older file of that name is replaced."""
        self._rows = 0
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0
        self._file = GrowingFile(path, self._head())

    def flush(self) -> None:
        """Write all waiting rows to the disk, and a header that counts them.

        Raises:
            OSError: the rows do not fit on the disk. The file is as before the call.
        """
        self._file.append(b"".join(self._waiting))
        self._rows += len(self._waiting)
        self._waiting.clear()
        self._waiting_bytes = 0
        self._file.replace_start(self._head())

    def close(self) -> None:
        """Flush and close."""
        try:
            self.flush()
        finally:
            self._file.close()

    def _add(self, row: bytes) -> None:
        self._waiting.append(row)
        self._waiting_bytes += len(row)
        if self._waiting_bytes > _MOST_WAITING_BYTES:
            self.flush()

    @property
    def _added(self) -> int:
        """Number of rows so far, with those that wait to be written."""
        return self._rows + len(self._waiting)

    @abstractmethod
    def _head(self) -> bytes:
        """The header for the rows that are on the disk."""
