"""What a writer of poses is, when it flushes, and files whose header counts their rows."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import Protocol

from sdk.results.pose_frame import PoseFrame


class PoseWriter(Protocol):
    """Takes results as they come; a context manager."""

    @property
    def paths(self) -> list[Path]:
        """The files that are there."""
        ...

    def write(self, frame: PoseFrame) -> None:
        """Add a result; raises BadOutput if the disk is full."""
        ...

    def close(self, *, complete: bool = True) -> None:
        """Finish the files; closing twice does no harm. `complete` is False after an error."""
        ...

    def __enter__(self) -> PoseWriter: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class ClosesItself(ABC):
    """A writer as a context manager: the end by an error closes it too."""

    @abstractmethod
    def close(self, *, complete: bool = True) -> None:
        """See `PoseWriter.close`."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close(complete=error is None)


INTERVAL_S = 1.0
"""A killed process loses at most what came after the last flush: this much."""


class FlushClock:
    """Says once a second that it is time."""

    def __init__(self) -> None:
        self._last_s = time.monotonic()

    def due(self) -> bool:
        """Whether a second passed since this was last true."""
        now_s = time.monotonic()
        if now_s - self._last_s < INTERVAL_S:
            return False
        self._last_s = now_s
        return True


_MOST_WAITING_BYTES = 1 << 20


class GrowingFile:
    """A file that grows by whole pieces before an end that stays: what does not fit on the disk leaves it as it was."""

    def __init__(self, path: Path, start: bytes, end: bytes = b"") -> None:
        """Open the file and write its start and end; an older one of that name is replaced."""
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
        """Whether it was closed."""
        return self._file.closed

    def append(self, piece: bytes) -> None:
        """Add a piece.

        Raises:
            OSError: it does not fit; the file is as if this had not been called.
        """
        self._file.seek(self._size)
        try:
            self._write(piece + self._end)
        except OSError:
            self._file.truncate(self._size)
            self._file.seek(self._size)
            self._write(self._end)  # in the room that it had before
            raise
        self._size += len(piece)

    def replace_start(self, start: bytes) -> None:
        """Replace the start by another of that length."""
        self._file.seek(0)
        self._write(start)

    def close(self) -> None:
        """Close the file; closing twice does no harm."""
        self._file.close()

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[self._file.write(view) :]


class HeadedFile(ABC):
    """An open file: a head that is as long whatever it says, then rows, which are whole on the disk."""

    def __init__(self, path: Path) -> None:
        """Open the file and write its head; an older one of that name is replaced."""
        self._rows = 0
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0
        self._file = GrowingFile(path, self._head())

    def flush(self) -> None:
        """Bring all rows to the disk, with a head that fits them.

        Raises:
            OSError: they do not fit; head and rows before them stay.
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
        """Rows so far, with those that wait to be written."""
        return self._rows + len(self._waiting)

    @abstractmethod
    def _head(self) -> bytes:
        """Of a file with the rows that are on the disk."""
