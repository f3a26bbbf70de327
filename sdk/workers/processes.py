"""Workers on this machine: processes of `concurrent.futures`, one task at a time each."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from typing import Any

from sdk.runtime.threads import limit_threads
from sdk.workers.progress import WorkProgress
from sdk.workers.tasks import MOST_ATTEMPTS, Outcome, R, Task, TaskFunction, W, lost, run_task

_LOOK_EVERY_S = 5.0


def run_in_processes(
    function: TaskFunction[W, R], tasks: Sequence[Task[W]], workers: int, threads: int, progress: WorkProgress
) -> Iterator[Outcome[R]]:
    """The outcomes of all tasks, in the order in which they are done.

    Each worker is an executor with a single process: if it is killed, only its own task is lost, and it is known which.
    The task is done again by a new process, `MOST_ATTEMPTS` times in all. After an outcome that stops, no new task is
    begun. If this process ends, is killed or leaves the iteration, the workers end at once.

    Args:
        function: What to do; it must be found by its name in other processes.
        tasks: Any number.
        workers: How many processes.
        threads: CPU threads of each; 0 for no limit.
        progress: Is told what runs.
    """
    # Not forked: ONNX Runtime's and OpenCV's threads do not survive a fork.
    context = multiprocessing.get_context("spawn")
    ends_with_us, here = context.Pipe(duplex=False)

    def new_worker() -> ProcessPoolExecutor:
        return ProcessPoolExecutor(1, context, initializer=_begin, initargs=(ends_with_us, threads))

    waiting = deque(_Begun(task, 1) for task in tasks)
    slots = [new_worker() for _ in range(min(workers, len(tasks)))]
    free = list(range(len(slots)))
    running: dict[Future[Outcome[R]], _Begun] = {}
    stopped = False
    try:
        while running or (waiting and not stopped):
            while free and waiting and not stopped:
                one, slot = waiting.popleft(), free.pop()
                try:
                    future = slots[slot].submit(run_task, function, one.task)
                except BrokenProcessPool:  # killed while it had nothing to do
                    slots[slot] = new_worker()
                    future = slots[slot].submit(run_task, function, one.task)
                running[future] = replace(one, slot=slot, since_s=time.monotonic())
            done, _ = wait(running, timeout=_LOOK_EVERY_S, return_when=FIRST_COMPLETED)
            progress.at_work({one.task.name: one.since_s for one in running.values()})
            for future in done:
                one = running.pop(future)
                free.append(one.slot)
                try:
                    outcome = replace(future.result(), attempts=one.attempt)
                except BrokenProcessPool:
                    slots[one.slot].shutdown()
                    slots[one.slot] = new_worker()
                    if one.attempt < MOST_ATTEMPTS:
                        progress.again(one.task.name)
                        waiting.append(_Begun(one.task, one.attempt + 1))
                        continue
                    outcome = lost(one.task.name)
                stopped = stopped or outcome.stops
                yield outcome
    finally:
        if running:  # they end in the middle; where all is done, workers clean up behind them
            here.close()
        for worker in slots:
            worker.shutdown(cancel_futures=True)
        here.close()
        ends_with_us.close()


@dataclass(frozen=True)
class _Begun:
    task: Task[Any]
    attempt: int
    slot: int = 0
    since_s: float = 0.0


def _begin(ends_with: Connection, threads: int) -> None:
    """Prepare a worker: no more threads than its share; Ctrl-C is for the first process, with which this one ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(ends_with,), daemon=True).start()
    limit_threads(threads)


def _end_with(connection: Connection) -> None:
    """End this process as soon as nobody holds the other end, also if the other process was killed."""
    try:
        connection.poll(None)
    finally:
        os._exit(1)
