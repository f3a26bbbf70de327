"""What a user is told when training stops before its end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sdk.errors import BadOutput


@contextmanager
def resumable(way_on: str) -> Iterator[None]:
    """Add the way on to the message of what stops the block: Ctrl-C, or a disk that is full.

    Args:
        way_on: A sentence.
    """
    try:
        yield
    except KeyboardInterrupt as stop:
        raise KeyboardInterrupt(way_on) from stop
    except BadOutput as error:
        raise BadOutput(f"{error} {way_on}") from error
