"""Several adaptations side by side: one worker and one run folder each. An adaptation is minutes of one core."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import torch

from sdk.errors import AdaptPoseError
from sdk.files.output_files import check_output_folder, naming
from sdk.workers.progress import WorkProgress
from sdk.workers.running import WorkerSettings, check_device, check_workers, of_shard, run_tasks
from sdk.workers.tasks import FrameCounter, Outcome, Task
from training.runs.device import open_device
from training.runs.run_folder import RunFolder
from training.settings.adapt import Adapt
from training.settings.adapt_options import NamedRun
from training.settings.run_settings import read_settings, resumed_settings, with_absolute_paths


@dataclass(frozen=True)
class ManyResult:
    """What came of one adaptation.

    Attributes:
        helped: Whether the lifter is better than the one it started from; None if the run was finished before.
        skipped: How many files of the target were left out; the run folder's skipped.json has them.
    """

    helped: bool | None
    skipped: int

    def text(self, run: Path) -> str:
        """In a few words."""
        outcome = {
            None: "finished before",
            True: "helped",
            False: "did not help: the lifter is the one it started from",
        }
        left_out = f", {self.skipped} files left out" if self.skipped else ""
        return f"{outcome[self.helped]}{left_out}: {RunFolder(run).report}"


def adapt_many(runs: Sequence[NamedRun], workers: WorkerSettings) -> list[Outcome[ManyResult]]:
    """Adapt to each target. A second call goes on: finished runs stay, interrupted ones are resumed.

    A run that fails stops no other. What a run says is in NAME.log beside its folder, if several work at once.

    Args:
        runs: All of them; the shard of `workers` is done.
        workers: How many at once. Each takes one thread, unless the settings say a number.

    Returns:
        In the order in which they were done.

    Raises:
        BadSetting, UnknownDevice, DeviceUnavailable: the device can't be used; nothing is begun.
        AdaptPoseError: nothing more can be written.
        KeyboardInterrupt: on Ctrl-C; the same command goes on.
    """
    check_workers(workers)
    runs = of_shard(runs, workers)
    at_once = workers.address is not None or (workers.workers or 1) > 1
    tasks = []
    for run, device in zip(runs, devices_in_turn([run.config.device for run in runs], workers), strict=True):
        assert run.config.out is not None
        check_output_folder(run.config.out)
        threads = run.config.threads or (1 if at_once else 0)
        absolute = with_absolute_paths(run.config)  # workers of a cluster have another working folder
        config = dataclasses.replace(absolute, threads=threads, out=run.config.out.absolute(), device=device)
        tasks.append(Task(run.name, _Work(config, at_once)))
    outcomes: list[Outcome[ManyResult]] = []
    folders = {task.name: task.work.config.out for task in tasks}
    try:
        with WorkProgress(len(tasks), noun="adaptations") as progress:
            for outcome in run_tasks(_adapt_one, tasks, workers, progress):
                outcomes.append(outcome)
                done, folder = outcome.result, folders[outcome.name]
                assert folder is not None
                text = f"failed: {outcome.error}" if done is None else done.text(folder)
                progress.finish(text, outcome.name, worked=done is None or done.helped is not None)
    except KeyboardInterrupt as stop:
        finished = sum(not one.error for one in outcomes)
        raise KeyboardInterrupt(
            f"{finished} of {len(tasks)} adaptations are finished: the same command goes on with the others."
        ) from stop
    if stopped := next((one for one in outcomes if one.stops), None):
        raise AdaptPoseError(f"{stopped.name}: {stopped.error} The same command goes on with what is left.")
    return outcomes


def devices_in_turn(devices: Sequence[str], workers: WorkerSettings) -> list[str]:
    """The device of each adaptation: `cuda` (and `auto` where there are GPUs) is each GPU of this machine in turn.

    Args:
        devices: As each adaptation was given it.
        workers: Who does them. Several that work at once may share a GPU.

    Raises:
        UnknownDevice, DeviceUnavailable: not on this machine.
        BadSetting: Ray would be asked for a GPU.
    """
    for device in dict.fromkeys(devices):
        check_device(device, workers)
    if workers.address is not None:
        return list(devices)
    for device in dict.fromkeys(devices):
        open_device(device)
    found = torch.cuda.device_count()
    return [
        f"cuda:{number % found}" if found and device in ("cuda", "auto") else device
        for number, device in enumerate(devices)
    ]


@dataclass(frozen=True)
class _Work:
    config: Adapt
    logged: bool


def _adapt_one(work: _Work, count: FrameCounter) -> ManyResult:
    config = work.config
    assert config.out is not None
    run = RunFolder(config.out)
    with _said_in(run.path.with_name(f"{run.path.name}.log")) if work.logged else nullcontext():
        from training.commands.adapt import adapt, require_same_files

        if run.finished:
            stored = resumed_settings(read_settings(run.config), dataclasses.replace(config, out=None), run.path)
            require_same_files(run, stored)
            return ManyResult(None, 0)
        if run.config.exists():
            config = dataclasses.replace(config, resume=run.path, out=None)
        adapted = adapt(config)
    return ManyResult(adapted.helped, len(adapted.target.skipped))


@contextmanager
def _said_in(path: Path) -> Iterator[None]:
    with naming(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a", encoding="utf-8", buffering=1)
    with file, redirect_stdout(file), redirect_stderr(file):
        yield
