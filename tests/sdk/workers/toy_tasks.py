"""What workers are given in tests; in a module, so that other processes find it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from pathlib import Path

from sdk.errors import BadOutput, BadVideo
from sdk.workers.tasks import FrameCounter


def niceness(work: int, count: FrameCounter) -> int:
    """Of the process that does the work."""
    return os.nice(0)


def square(number: int, count: FrameCounter) -> int:
    """Squares; odd multiples of five are no videos, and 8 has a bug."""
    count(1, 1)
    if number % 10 == 5:
        raise BadVideo(f"{number} holds no frames.")
    if number == 8:
        raise KeyError("a bug")
    return number**2


def die_once(marker: Path, count: FrameCounter) -> str:
    """Killed the first time; says so the second time."""
    if not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return "again"


def die_always(name: str, count: FrameCounter) -> str:
    """Killed each time where the name says so."""
    if name.startswith("deadly"):
        os.kill(os.getpid(), signal.SIGKILL)
    return name


def fill_disk(number: int, count: FrameCounter) -> int:
    """The disk is full from 3 on."""
    if number >= 3:
        raise BadOutput("out can't be written: No space left on device.")
    return number


def hold_lock(number: int, count: FrameCounter) -> int:
    """As libraries do: a lock of multiprocessing, which the process gives back when it ends."""
    _locks.append(multiprocessing.get_context("spawn").Lock())
    return number


_locks: list[object] = []


def wait_long(folder: Path, count: FrameCounter) -> None:
    """Says which process it is, and works for a minute."""
    (folder / str(os.getpid())).touch()
    time.sleep(60)
