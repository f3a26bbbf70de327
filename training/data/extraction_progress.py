"""Progress over the target's videos: a bar for each and one for all, or plain lines where there is no terminal."""

from __future__ import annotations

import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

LINE_EVERY_S = 30.0
"""Without a terminal: at the most one line in this time while a video runs."""


class ExtractionProgress:
    """Shows which video runs, its frames, and the time left; use as a context manager.

    Args:
        videos: How many there are.
        console: None for stderr.
    """

    def __init__(self, videos: int, console: Console | None = None) -> None:
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
        self._videos, self._done = videos, 0
        self._all = self._bar.add_task("all videos", total=videos, unit="videos")
        self._video: TaskID | None = None
        self._name, self._started, self._last_line = "", 0.0, 0.0

    def __enter__(self) -> ExtractionProgress:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def start(self, name: str) -> None:
        """A video begins."""
        self._name = name
        self._started = self._last_line = time.monotonic()
        self._video = self._bar.add_task(name, total=None, unit="frames")

    def count(self, frames: int, total: int | None) -> None:
        """So many frames of it are done, of `total` if that is known."""
        assert self._video is not None
        self._bar.update(self._video, completed=frames, total=total)
        if total:
            self._bar.update(self._all, completed=self._done + min(1.0, frames / total))
        now = time.monotonic()
        if not self._console.is_terminal and now - self._last_line >= LINE_EVERY_S:
            self._last_line = now
            of = f" of {total}" if total else ""
            self._line(f"{self._name}: {frames}{of} frames, {frames / (now - self._started):.1f} a second")

    def finish(self, outcome: str) -> None:
        """The video is done: what came of it, in a few words."""
        assert self._video is not None
        self._done += 1
        self._bar.refresh()  # its last count, before it goes
        self._bar.remove_task(self._video)
        self._bar.update(self._all, completed=self._done)
        self._line(f"[{self._done}/{self._videos}] {self._name}: {outcome}")

    def _line(self, text: str) -> None:
        self._bar.console.print(text, markup=False, highlight=False, soft_wrap=True)
