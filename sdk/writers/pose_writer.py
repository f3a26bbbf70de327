"""What a writer of poses is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import Protocol

from sdk.poses import PoseFrame


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
