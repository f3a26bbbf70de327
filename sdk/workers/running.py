"""Runs tasks where the user says: in this process, in several, or on a Ray cluster. The results are the same."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sdk.errors import BadSetting
from sdk.runtime.threads import limit_threads
from sdk.workers.progress import WorkProgress
from sdk.workers.tasks import Outcome, R, Task, TaskFunction, W, run_task

_MOST_WORKERS = 4096


@dataclass(frozen=True, kw_only=True)
class WorkerSettings:
    """Who does the work. The results do not depend on it."""

    workers: int | None = None
    """How many videos at once, each in a process of its own. Default: one, in this process. With --address: at most so
    many; default: as many as the cluster has CPUs for."""
    threads: int | None = None
    """CPU threads for each video. Default: 1 with several workers or --address; else each library decides."""
    address: str | None = None
    """Work on a Ray cluster: auto (the one that this machine belongs to), HOST or HOST:PORT of its head, or local (one
    that is started here and ends with the command). Needs the extra `ray`."""
    shard: str | None = None
    """Do only a part, I/N with I from 1 to N: every N-th video from the I-th on. For Slurm, SkyPilot and the like."""


def check_workers(settings: WorkerSettings) -> None:
    """Refuse values that can't be.

    Raises:
        BadSetting: naming the option.
    """
    for option, value in (("workers", settings.workers), ("threads", settings.threads)):
        if value is not None and not 1 <= value <= _MOST_WORKERS:
            raise BadSetting(f"--{option} is {value}; it must be from 1 to {_MOST_WORKERS}.")
    if settings.shard is not None:
        parse_shard(settings.shard)


def check_device(device: str, settings: WorkerSettings) -> None:
    """Refuse a GPU for tasks of a Ray cluster: they hold CPUs, and Ray hides the GPUs from these.

    Raises:
        BadSetting: naming both options.
    """
    if settings.address is not None and device.startswith(("cuda", "tensorrt")):
        what = "an engine" if device.startswith("tensorrt") else f"--device {device}"
        raise BadSetting(
            f"{what} with --address {settings.address}: a task on a Ray cluster holds CPUs and no GPU. Leave "
            "--address out: --workers N on each machine with GPUs, and --shard I/N for its part."
        )


def parse_shard(shard: str) -> tuple[int, int]:
    """The part and the number of parts.

    Raises:
        BadSetting: it is not I/N with I from 1 to N.
    """
    match = re.fullmatch(r"(\d{1,9})/(\d{1,9})", shard)
    if match is None or not 1 <= int(match[1]) <= int(match[2]):
        raise BadSetting(
            f"--shard is {shard!r}; it must be I/N with I from 1 to N, such as 3/8. In a Slurm job array of 8: "
            "--array=1-8 and --shard $SLURM_ARRAY_TASK_ID/8."
        )
    return int(match[1]), int(match[2])


def of_shard(items: Sequence[W], settings: WorkerSettings) -> list[W]:
    """The items of this shard; all of them without one. The shards together have each item once."""
    part, parts = parse_shard(settings.shard) if settings.shard is not None else (1, 1)
    return list(items[part - 1 :: parts])


def run_tasks(
    function: TaskFunction[W, R], tasks: Sequence[Task[W]], settings: WorkerSettings, progress: WorkProgress
) -> Iterator[Outcome[R]]:
    """The outcomes of tasks, in the order in which they are done. After one that stops, no new task is begun.

    Args:
        function: A function of a module; see `TaskFunction`.
        tasks: All of them; the shard is not looked at here.
        settings: Who works.
        progress: Gets the frames of a task in this process; the caller reports what is finished.

    Raises:
        BadSetting: a setting that can't be, or no cluster at the address.
        MissingDependency: Ray is asked for and not installed.
    """
    check_workers(settings)
    if settings.address is not None:
        from sdk.workers.ray_cluster import run_on_ray

        threads = settings.threads or 1
        yield from run_on_ray(function, tasks, settings.address, settings.workers, threads, progress)
    elif (settings.workers or 1) > 1:
        from sdk.workers.processes import run_in_processes

        yield from run_in_processes(function, tasks, settings.workers or 1, settings.threads or 1, progress)
    else:
        if settings.threads:
            limit_threads(settings.threads)
        for task in tasks:
            progress.start(task.name)
            outcome = run_task(function, task, progress.count)
            yield outcome
            if outcome.stops:
                return
