"""Workers of a Ray cluster: one Ray task for each task. Ray decides where it runs, and does lost ones again."""

from __future__ import annotations

import logging
import os
import socket
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

from sdk.errors import BadSetting, MissingDependency
from sdk.runtime.threads import limit_threads
from sdk.workers.progress import WorkProgress
from sdk.workers.tasks import MOST_ATTEMPTS, Outcome, R, Task, TaskFunction, W, lost, run_task

_LOOK_EVERY_S = 5.0
_DEFAULT_PORT = 6379
_CONNECT_S = 10.0
_WAITING_PER_CPU = 2
"""So many tasks a CPU are handed over at once: none waits for work, and no node holds a hundred thousand of them."""


def run_on_ray(
    function: TaskFunction[W, R],
    tasks: Sequence[Task[W]],
    address: str,
    workers: int | None,
    threads: int,
    progress: WorkProgress,
) -> Iterator[Outcome[R]]:
    """The outcomes of all tasks, in the order in which they are done; see `run_in_processes`.

    Every node needs this package, the sources, and the folder of the results (a shared disk).

    Args:
        function: What to do.
        tasks: Any number.
        address: `auto` for the cluster that this machine belongs to, HOST or HOST:PORT of its head, or `local` to start
            one on this machine.
        workers: Most tasks at once; None for as many as the cluster has CPUs for.
        threads: CPUs of each task, 1 or more.
        progress: Is told what is lost.

    Raises:
        MissingDependency: Ray is not installed.
        BadSetting: no cluster answers at the address.
    """
    try:
        import ray
    except ImportError as error:
        raise MissingDependency("ray", "ray", f"--address {address}") from error
    named = address if address in ("auto", "local") or ":" in address else f"{address}:{_DEFAULT_PORT}"
    try:
        if named == "local":
            _take_our_niceness()
        else:
            _require_listener(_address_of_auto() if named == "auto" else named)
        ray.init(
            address=named,
            num_cpus=workers * threads if named == "local" and workers else None,
            log_to_driver=False,
            logging_level=logging.ERROR,
            include_dashboard=False if named == "local" else None,
        )
    except Exception as error:  # Ray raises ConnectionError, ValueError, RuntimeError, and plain Exception
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        # Ray 2.60 finds a cluster's token by itself for `auto` only, and its error does not speak of it.
        asked = named != "local" and not isinstance(error, _NothingListens)
        token = "If it asks for a token, set RAY_AUTH_MODE=token. " if asked else ""
        raise BadSetting(
            f"--address {address}: no Ray cluster answers: {reason.rstrip('.')}. {token}Start one with ray start "
            "--head, or leave --address out and use --workers."
        ) from error
    remote: Any = ray.remote(num_cpus=threads, max_retries=MOST_ATTEMPTS - 1)(_run)
    waiting, running = deque(tasks), dict[Any, Task[W]]()
    stopped = False
    try:
        while running or (waiting and not stopped):
            cpus = int(ray.cluster_resources().get("CPU", 1))
            most = min(workers or cpus, _WAITING_PER_CPU * cpus)
            while waiting and not stopped and len(running) < most:
                task = waiting.popleft()
                running[remote.remote(function, task, threads)] = task
            done, _ = ray.wait(list(running), timeout=_LOOK_EVERY_S)
            for reference in done:
                task = running.pop(reference)
                try:
                    outcome = ray.get(reference)
                except ray.exceptions.RayError as error:
                    gone = isinstance(error, ray.exceptions.WorkerCrashedError | ray.exceptions.OutOfMemoryError)
                    outcome = lost(task.name) if gone else Outcome(task.name, error=f"Ray: {error}")
                stopped = stopped or outcome.stops
                yield outcome
            progress.at_work({})
    finally:
        ray.shutdown()


def _take_our_niceness() -> None:
    """Let workers of a local cluster be as urgent as this process. Ray's own choice is niceness 15."""
    if hasattr(os, "nice"):
        os.environ.setdefault("RAY_worker_niceness", str(os.nice(0)))


class _NothingListens(ConnectionError):
    pass


def _address_of_auto() -> str | None:
    """HOST:PORT of the cluster that `auto` means; None if this release of Ray does not tell."""
    try:
        from ray._private.services import get_ray_address_from_environment
    except ImportError:
        return None
    found: str | None = get_ray_address_from_environment("auto", None)
    return found


def _require_listener(address: str | None) -> None:
    """Refuse an address where nothing listens. Ray would try for a quarter of an hour, deaf to Ctrl-C and SIGTERM.

    Raises:
        _NothingListens: also where there is no such host or port.
    """
    if address is None:
        return
    host, _, port = address.rpartition("://")[2].rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), _CONNECT_S):
            pass
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise _NothingListens(f"nothing listens at {address} ({reason})") from error


def _run(function: TaskFunction[W, R], task: Task[W], threads: int) -> Outcome[R]:
    limit_threads(threads)
    return run_task(function, task)
