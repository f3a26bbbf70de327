"""The values of a run over its steps: kept for resuming, shown as a progress bar, logged to TensorBoard."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
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

_POINTS = 500
"""Most points of a curve: as many as a screen shows."""


class History:
    """Values of all steps by name; NaN where a step has no value."""

    def __init__(self) -> None:
        self._steps: list[int] = []
        self._values: dict[str, list[float]] = {}

    def add(self, step: int, values: Mapping[str, float]) -> None:
        """Add the values of a step."""
        for name in values:
            self._values.setdefault(name, [float("nan")] * len(self._steps))
        self._steps.append(step)
        for name, numbers in self._values.items():
            numbers.append(values.get(name, float("nan")))

    def curves(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Steps and values by name, averaged over equal stretches. A curve has about 500 points at most."""
        stretches = np.array_split(np.array(self._steps), min(_POINTS, max(len(self._steps), 1)))
        lengths = np.cumsum([len(stretch) for stretch in stretches])[:-1]
        steps = np.array([stretch.mean() for stretch in stretches if len(stretch)])
        result = {}
        for name, numbers in self._values.items():
            parts = np.split(np.array(numbers), lengths)
            means = np.array([np.nan if np.isnan(part).all() else np.nanmean(part) for part in parts if len(part)])
            known = ~np.isnan(means)
            result[name] = (steps[known], means[known])
        return result

    def state_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {"steps": list(self._steps), "values": {name: list(numbers) for name, numbers in self._values.items()}}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        self._steps, self._values = list(state["steps"]), {k: list(v) for k, v in state["values"].items()}


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
"""Values to show on the bar, with their labels. TensorBoard gets all values."""
_LINE_EVERY_SHARE = 0.05
"""Without a terminal: one plain line for each such share of the steps."""


class TrainingProgress:
    """Shows values by name while training runs; see `training_progress`."""

    def __init__(self, bar: Progress, task: TaskID, writer: SummaryWriter, steps: int) -> None:
        self._bar, self._task, self._writer, self._steps = bar, task, writer, steps
        self._latest: dict[str, float] = {}
        self._line_every = max(1, round(steps * _LINE_EVERY_SHARE))

    def update(self, step: int, values: Mapping[str, float]) -> None:
        """Report the values of a step."""
        self._latest.update(values)
        if step % _LOG_EVERY == 0 or step == self._steps:
            with naming(Path(self._writer.log_dir)):
                for name, value in values.items():
                    self._writer.add_scalar(name, value, step)
        text = "  ".join(f"{word} {self._latest[name]:.3g}" for name, word in _SHOWN.items() if name in self._latest)
        self._bar.update(self._task, completed=step, numbers=text)
        if not self._bar.console.is_terminal and (step % self._line_every == 0 or step == self._steps):
            self._bar.console.print(f"{self._bar.tasks[0].description} {step}/{self._steps}  {text}", soft_wrap=True)


class NoProgress:
    """Shows and logs nothing: for all processes of a training but the first."""

    def update(self, step: int, values: Mapping[str, float]) -> None:
        """As `TrainingProgress.update`."""


@contextmanager
def training_progress(
    title: str, steps: int, start: int, log_folder: Path, *, shown: bool = True
) -> Iterator[TrainingProgress | NoProgress]:
    """A progress bar on the terminal (plain lines elsewhere) and a TensorBoard log, closed on the way out.

    Args:
        title: Title of the bar.
        steps: Steps of the whole run.
        start: Steps done in an earlier session. Later entries of the log are dropped, because they will come again.
        log_folder: Folder for TensorBoard's files.
        shown: False: nothing is shown or logged.

    Raises:
        BadOutput: the log can't be written. `update` can raise it too.
    """
    if not shown:
        yield NoProgress()
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # from tensorboard's own imports
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
    """Keep the writer's thread from printing a traceback if the disk is full: `update` raises the same error anyway."""
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
