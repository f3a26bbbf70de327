"""The application's own step at the end of a stream."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from sdk.poses import PoseFrame


@runtime_checkable
class Processor(Protocol):
    """Looks at every result and may change it (results are frozen: `dataclasses.replace` makes a changed one).

    `PoseStream(..., processors=[...])` calls them in order, in the lifting thread; what one raises ends the stream.
    """

    def process(self, result: PoseFrame) -> PoseFrame:
        """The result that goes on, for instance with `measurements` added to its people."""
        ...
