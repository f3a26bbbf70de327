"""A queue of limited length between two threads of a stream, with a policy for when it is full."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from typing import Generic, Literal, TypeVar, get_args

from sdk.errors import BadSetting, UnknownPolicy

QueuePolicy = Literal["latest", "all"]
"""What a full queue does: `latest` drops the oldest entry (live use), `all` makes the sender wait (recordings)."""

T = TypeVar("T")


class QueueEnd(Exception):
    """No more entries will come. `FrameQueue.get` raises it at the end and after `close`."""


class FrameQueue(Generic[T]):
    """Passes entries in order from one thread to another.

    Attributes:
        dropped: Number of entries that a full queue with policy `latest` dropped.
    """

    def __init__(self, size: int, policy: QueuePolicy) -> None:
        """Start empty.

        Raises:
            UnknownPolicy: there is no such policy.
            BadSetting: the size is no whole number from 1.
        """
        if isinstance(size, bool) or not isinstance(size, int) or size < 1:
            raise BadSetting(f"a queue holds a whole number of entries, 1 or more, not {size!r}.")
        self.policy = check_policy(policy)
        self.dropped = 0
        self._size = size
        self._entries: deque[T] = deque()
        self._ended = False
        self._closed = False
        self._error: BaseException | None = None
        self._changed = threading.Condition()

    def __len__(self) -> int:
        return len(self._entries)

    def put(self, entry: T) -> bool:
        """Add an entry. Returns False if the receiver is gone."""
        with self._changed:
            if self.policy == "latest":
                while len(self._entries) >= self._size:
                    self._entries.popleft()
                    self.dropped += 1
            else:
                self._changed.wait_for(lambda: self._closed or len(self._entries) < self._size)
            if self._closed:
                return False
            self._entries.append(entry)
            self._changed.notify_all()
            return True

    def end(self, error: BaseException | None = None) -> None:
        """Say that no more entries come. An error reaches the receiver after all earlier entries."""
        with self._changed:
            self._ended, self._error = True, error
            self._changed.notify_all()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until `get` would return at once. Returns False on timeout."""
        with self._changed:
            return self._changed.wait_for(self._ready, timeout_s)

    def get(self) -> T:
        """The oldest entry. Waits for one.

        Raises:
            QueueEnd: at the end. If `end` got an error, that is raised instead, once.
        """
        with self._changed:
            self._changed.wait_for(self._ready)
            if self._entries:
                entry = self._entries.popleft()
                self._changed.notify_all()
                return entry
            error, self._error = self._error, None
            raise error or QueueEnd

    def __iter__(self) -> Iterator[T]:
        """Every entry as it comes, to the end. If `end` got an error, it is raised there."""
        while True:
            try:
                entry = self.get()
            except QueueEnd:
                return
            yield entry
            del entry  # not held while the next one is waited for

    def close(self) -> None:
        """Drop all entries and wake both sides, because the receiver goes away."""
        with self._changed:
            self._closed = self._ended = True
            self._error = None
            self._entries.clear()
            self._changed.notify_all()

    def _ready(self) -> bool:
        return bool(self._entries) or self._ended


def check_policy(policy: str) -> QueuePolicy:
    """Return the policy.

    Raises:
        UnknownPolicy: for another word.
    """
    if policy not in get_args(QueuePolicy):
        raise UnknownPolicy(policy, get_args(QueuePolicy))
    return policy  # type: ignore[return-value]
