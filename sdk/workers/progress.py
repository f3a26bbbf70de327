"""Progress of many videos: bars on a terminal, lines that say the same in a log file."""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

LINE_EVERY_S = 30.0
"""Without a terminal: a line at least this often while nothing is finished."""
_LONGEST_LIST = 8


class WorkProgress:
    """Shows what is done, what is left and how fast it goes. Use it as a context manager.

    Args:
        total: Number of tasks.
        console: Where to print; None for stderr.
        noun: What the tasks are, in the plural.
    """

    def __init__(self, total: int, console: Console | None = None, noun: str = "videos") -> None:
        self._console = console or Console(stderr=True)
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[unit]}"),
            TimeRemainingColumn(),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._total, self._noun = total, noun
        self._done = self._worked = 0
        self._all = self._bar.add_task(f"all {noun}", total=total, unit=noun)
        self._video: TaskID | None = None
        self._name, self._started, self._last_line = "", 0.0, time.monotonic()
        self._began = time.monotonic()

    def __enter__(self) -> WorkProgress:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def start(self, name: str) -> None:
        """A task begins in this process."""
        self._name = name
        self._started = self._last_line = time.monotonic()
        self._video = self._bar.add_task(name, total=None, unit="frames")

    def count(self, frames: int, total: int | None) -> None:
        """Report the finished frames of the task in this process, and the total if it is known."""
        assert self._video is not None
        self._bar.update(self._video, completed=frames, total=total)
        if total:
            self._bar.update(self._all, completed=self._done + min(1.0, frames / total))
        now = time.monotonic()
        if not self._console.is_terminal and now - self._last_line >= LINE_EVERY_S:
            self._last_line = now
            of = f" of {total}" if total else ""
            self._line(f"{self._name}: {frames}{of} frames, {frames / (now - self._started):.1f} a second")

    def at_work(self, since_s: Mapping[str, float]) -> None:
        """Tell now and then what workers are at. `since_s` has the monotonic time at which each task began."""
        now = time.monotonic()
        if self._console.is_terminal or now - self._last_line < LINE_EVERY_S:
            return
        self._last_line = now
        longest = sorted(since_s.items(), key=lambda item: item[1])[:_LONGEST_LIST]
        named = ", ".join(f"{name} ({now - since:.0f} s)" for name, since in longest)
        self._line(f"[{self._done}/{self._total}] at work{': ' + named if named else ''}{self._left()}")

    def again(self, name: str) -> None:
        """A task's worker ended without a word, and the task will be done again."""
        self._line(f"{name}: its worker ended without a word; it is done again")

    def finish(self, outcome: str, name: str | None = None, *, worked: bool = True) -> None:
        """A task is done.

        Args:
            outcome: The result in a few words.
            name: Of the task; None for the one that was started in this process.
            worked: Whether it took work; what was there already says nothing about the speed.
        """
        self._done += 1
        self._worked += worked
        self._last_line = time.monotonic()
        if self._video is not None:
            self._bar.refresh()  # its last count, before it goes
            self._bar.remove_task(self._video)
            self._video = None
        self._bar.update(self._all, completed=self._done)
        first, *others = outcome.splitlines() or [""]  # the whole reason stands at the end
        if first.endswith(":") and others:
            first += f" {others[0].strip()}"
        self._line(f"[{self._done}/{self._total}] {name or self._name}: {first}{self._left()}")

    def _left(self) -> str:
        """What is left, the time for it and the rate that this follows from."""
        left, took_s = self._total - self._done, time.monotonic() - self._began
        if not (left and self._worked and took_s > 0):
            return ""
        a_minute = 60 * self._worked / took_s
        return f" ({left} left, about {duration_text(60 * left / a_minute)} at {a_minute:.3g} {self._noun} a minute)"

    def _line(self, text: str) -> None:
        self._bar.console.print(text, markup=False, highlight=False, soft_wrap=True)


def duration_text(seconds: float) -> str:
    """In seconds, minutes or hours."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
