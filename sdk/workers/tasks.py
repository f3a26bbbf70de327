"""One task, such as a video, and what came of it. Errors are values here: one bad video must not stop ten thousand."""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sdk.errors import AdaptPoseError, BadOutput, CannotStart

MOST_ATTEMPTS = 3
"""A task whose worker ends without a word (killed, out of memory, a crash) is done again; this often in all."""

W = TypeVar("W")
R = TypeVar("R")
FrameCounter = Callable[[int, "int | None"], None]
"""Gets the number of finished frames, and the total number if it is known."""
TaskFunction = Callable[[W, FrameCounter], R]
"""What a worker does: a function of a module, so that other processes find it. It raises for what can't be done."""


@dataclass(frozen=True)
class Task(Generic[W]):
    """One piece of work.

    Attributes:
        name: For people; unique among the tasks.
        work: Argument of the function. It is pickled.
    """

    name: str
    work: W


@dataclass(frozen=True)
class Outcome(Generic[R]):
    """What came of a task: a result, or an error.

    Attributes:
        name: Of the task.
        result: What the function returned; None after an error.
        error: Why there is no result, for people; empty if there is one.
        trace: Of an error that nobody raised on purpose.
        stops: No other task could succeed either (a full disk, a missing model): no new one is begun.
        seconds: Time in the function.
        peak_memory_bytes: Largest memory of its process so far; None where the system does not say (Windows).
        attempts: How often it was begun.
    """

    name: str
    result: R | None = None
    error: str = ""
    trace: str = ""
    stops: bool = False
    seconds: float = 0.0
    peak_memory_bytes: int | None = None
    attempts: int = 1


def run_task(function: TaskFunction[W, R], task: Task[W], count: FrameCounter | None = None) -> Outcome[R]:
    """Do a task in this process."""
    started = time.monotonic()
    result, error, trace, stops = None, "", "", False
    try:
        result = function(task.work, count or (lambda frames, total: None))
    except AdaptPoseError as reason:
        error, stops = str(reason), isinstance(reason, BadOutput | CannotStart)
    except Exception as reason:  # a bug, or what a file makes a library do: the other tasks go on
        error, trace = f"{type(reason).__name__}: {reason}", traceback.format_exc()
    seconds = time.monotonic() - started
    return Outcome(task.name, result, error, trace, stops, seconds, _peak_memory_bytes())


def lost(name: str) -> Outcome[Any]:
    """The outcome of a task whose worker ended without a word each time."""
    reason = (
        f"its worker ended without a word {MOST_ATTEMPTS} times: it was killed, ran out of memory, or crashed in a "
        "library that reads this file"
    )
    return Outcome(name, error=reason, attempts=MOST_ATTEMPTS)


def _peak_memory_bytes() -> int | None:
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
