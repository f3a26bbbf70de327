"""The progress bar with the losses that matter, and the same numbers for TensorBoard."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from sdk.files.output_files import naming

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

_LOG_EVERY = 10
_SHOWN = {
    "loss": "loss",
    "loss_mm": "loss mm",
    "generator/adversarial_2d": "2D",
    "generator/adversarial_3d": "3D",
    "lifter/fake_mm": "fake mm",
    "lifter/source_mm": "source mm",
    "selection/selected": "selected",
    "validation/mpjpe_mm": "validation mm",
}
"""The numbers that matter, with the words for them on the bar; TensorBoard gets all."""
_LINE_EVERY_SHARE = 0.05
"""Without a terminal: a plain line each time this share of the steps is done."""


class TrainingProgress:
    """Shows numbers by name while training runs; see `training_progress`."""

    def __init__(self, bar: Progress, task: TaskID, writer: SummaryWriter, steps: int) -> None:
        self._bar, self._task, self._writer, self._steps = bar, task, writer, steps
        self._latest: dict[str, float] = {}
        self._line_every = max(1, round(steps * _LINE_EVERY_SHARE))

    def update(self, step: int, values: Mapping[str, float]) -> None:
        """Report the numbers after a step."""
        self._latest.update(values)
        if step % _LOG_EVERY == 0 or step == self._steps:
            with naming(Path(self._writer.log_dir)):
                for name, value in values.items():
                    self._writer.add_scalar(name, value, step)
        text = "  ".join(f"{word} {self._latest[name]:.3g}" for name, word in _SHOWN.items() if name in self._latest)
        self._bar.update(self._task, completed=step, numbers=text)
        if not self._bar.console.is_terminal and (step % self._line_every == 0 or step == self._steps):
            self._bar.console.print(f"{self._bar.tasks[0].description} {step}/{self._steps}  {text}", soft_wrap=True)


@contextmanager
def training_progress(title: str, steps: int, start: int, log_folder: Path) -> Iterator[TrainingProgress]:
    """A progress bar on the terminal (plain lines elsewhere) and a TensorBoard log, closed on the way out.

    Args:
        title: What is running.
        steps: Of the whole run.
        start: Steps done in an earlier session; the log's later entries, which will come again, are dropped.
        log_folder: Where TensorBoard's files go.

    Raises:
        BadOutput: they can't be written, also out of `update`.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # tensorboard's own imports
        from torch.utils.tensorboard import SummaryWriter

        with naming(log_folder):
            writer = SummaryWriter(str(log_folder), purge_step=start + 1)
    console = Console(stderr=True)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[numbers]}"),
        console=console,
        disable=not console.is_terminal,
    )
    with bar, _told_once():
        task = bar.add_task(title, total=steps, completed=start, numbers="")
        try:
            yield TrainingProgress(bar, task, writer, steps)
        finally:
            with naming(log_folder):
                writer.close()


@contextmanager
def _told_once() -> Iterator[None]:
    """Keep the writer's thread from printing a traceback for a full disk: `update` and the end raise the same error."""
    printing = threading.excepthook

    def print_others(failure: threading.ExceptHookArgs) -> None:
        of_tensorboard = type(failure.thread).__module__.startswith("tensorboard.")
        if not (of_tensorboard and isinstance(failure.exc_value, OSError)):
            printing(failure)

    threading.excepthook = print_others
    try:
        yield
    finally:
        threading.excepthook = printing
