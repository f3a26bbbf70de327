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
