"""Tasks in this process and in several: the same outcomes, nothing lost, nothing twice."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from sdk.errors import BadSetting
from sdk.workers.progress import WorkProgress
from sdk.workers.running import WorkerSettings, of_shard, run_tasks
from sdk.workers.tasks import MOST_ATTEMPTS, Outcome, Task
from tests.sdk.workers import toy_tasks

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")


def outcomes(function: Any, works: list[Any], **settings: Any) -> tuple[dict[str, Outcome[Any]], str]:
    """Outcomes by name, each once, and what the progress says."""
    told = io.StringIO()
    tasks = [Task(str(work), work) for work in works]
    with WorkProgress(len(tasks), Console(file=told, width=200)) as progress:
        found = list(run_tasks(function, tasks, WorkerSettings(**settings), progress))
    assert len({one.name for one in found}) == len(found)
    return {one.name: one for one in found}, told.getvalue()


@pytest.mark.parametrize("workers", [1, 2])
def test_failures_are_named_and_stop_nothing(workers: int) -> None:
    found, _ = outcomes(toy_tasks.square, list(range(12)), workers=workers)
    assert {name: one.result for name, one in found.items() if not one.error} == {
        str(n): n**2 for n in range(12) if n not in (5, 8)
    }
    assert found["5"].error == "5 holds no frames."
    assert found["5"].trace == ""
    assert found["8"].error == "KeyError: 'a bug'"
    assert 'raise KeyError("a bug")' in found["8"].trace
    assert all(one.peak_memory_bytes > 1 << 20 for one in found.values())


def test_the_task_of_a_killed_worker_is_done_again(tmp_path: Path) -> None:
    markers = [tmp_path / str(n) for n in range(3)]
    found, told = outcomes(toy_tasks.die_once, markers, workers=2)
    assert {name: (one.result, one.attempts) for name, one in found.items()} == {
        str(marker): ("again", 2) for marker in markers
    }
    assert told.count("its worker ended without a word; it is done again") == 3


def test_a_task_that_kills_each_worker_is_a_failure_and_costs_no_other() -> None:
    found, _ = outcomes(toy_tasks.die_always, ["a", "deadly", "b", "c", "d"], workers=2)
    assert {name for name, one in found.items() if one.result == name} == {"a", "b", "c", "d"}
    assert f"ended without a word {MOST_ATTEMPTS} times" in found["deadly"].error


@pytest.mark.parametrize("workers", [1, 2])
def test_nothing_is_begun_after_a_full_disk(workers: int) -> None:
    found, _ = outcomes(toy_tasks.fill_disk, list(range(40)), workers=workers)
    assert all(str(n) in found and not found[str(n)].error for n in range(3))
    assert found["3"].stops
    assert len(found) <= 3 + 2 * workers


PROGRAM = """
import signal
import sys
from pathlib import Path
from sdk.workers.progress import WorkProgress
from sdk.workers.running import WorkerSettings, run_tasks
from sdk.workers.tasks import Task
from tests.sdk.workers.toy_tasks import wait_long
if __name__ == "__main__":
    # Python leaves it ignored where the tests run in the background of a shell.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    tasks = [Task(str(n), Path(sys.argv[1])) for n in range(4)]
    try:
        list(run_tasks(wait_long, tasks, WorkerSettings(workers=2), WorkProgress(4)))
    except KeyboardInterrupt:
        sys.exit(130)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_workers_end_with_the_first_process(tmp_path: Path, number: int) -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    (tmp_path / "program.py").write_text(PROGRAM)
    (tmp_path / "at_work").mkdir()
    command = [sys.executable, str(tmp_path / "program.py"), str(tmp_path / "at_work")]
    driver = subprocess.Popen(command, env=environment, start_new_session=True)
    workers: list[int] = []
    until = time.monotonic() + 30
    while len(workers) < 2 and time.monotonic() < until:
        time.sleep(0.1)
        workers = [int(path.name) for path in (tmp_path / "at_work").iterdir()]
    assert len(workers) == 2
    os.kill(driver.pid, number)
    assert driver.wait(20) == (130 if number == signal.SIGINT else -signal.SIGKILL)
    until = time.monotonic() + 10
    while any(map(is_alive, workers)) and time.monotonic() < until:
        time.sleep(0.1)
    assert not any(map(is_alive, workers))


ALL_DONE = """
from sdk.workers.progress import WorkProgress
from sdk.workers.running import WorkerSettings, run_tasks
from sdk.workers.tasks import Task
from tests.sdk.workers.toy_tasks import hold_lock
if __name__ == "__main__":
    tasks = [Task(str(n), n) for n in range(2)]
    list(run_tasks(hold_lock, tasks, WorkerSettings(workers=2), WorkProgress(2)))
"""


def test_workers_clean_up_behind_them_when_all_is_done(tmp_path: Path) -> None:
    """Cut off, they leave semaphores, and Python warns of these at the end."""
    (tmp_path / "program.py").write_text(ALL_DONE)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    done = subprocess.run([sys.executable, str(tmp_path / "program.py")], env=environment, capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")


def is_alive(process: int) -> bool:
    """Whether it still runs; one that nobody waits for any more does not."""
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def test_shards_have_each_item_once() -> None:
    items = list(range(11))
    shards = [of_shard(items, WorkerSettings(shard=f"{part}/4")) for part in range(1, 5)]
    assert sorted(item for shard in shards for item in shard) == items
    assert {len(shard) for shard in shards} == {2, 3}
    assert of_shard(items, WorkerSettings()) == items


@pytest.mark.parametrize("shard", ["0/4", "5/4", "4", "1/", "-1/2", "one/two"])
def test_shards_that_can_not_be(shard: str) -> None:
    with pytest.raises(BadSetting, match=r"--shard is .* must be I/N with I from 1 to N"):
        of_shard([1], WorkerSettings(shard=shard))


@pytest.mark.parametrize("settings", [{"workers": 0}, {"threads": 0}, {"workers": 10**6}])
def test_numbers_that_can_not_be(settings: dict[str, int]) -> None:
    with pytest.raises(BadSetting, match="must be from 1 to 4096"):
        outcomes(toy_tasks.square, [1], **settings)


def test_progress_in_a_log_file_says_what_is_left_and_the_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    told = io.StringIO()
    progress = WorkProgress(100, Console(file=told, width=300))
    now = 160.0
    progress.finish("there already", "a.mp4", worked=False)
    progress.finish("2 people", "b [1].mp4")
    progress.finish("failed: none is a video:\n  c.mp4: no frames\n  d.mp4: no frames", "c.mp4")
    progress.at_work({"d.mp4": 150.0})
    now = 191.0
    progress.at_work({"d.mp4": 150.0})
    assert told.getvalue().splitlines() == [
        "[1/100] a.mp4: there already",
        "[2/100] b [1].mp4: 2 people (98 left, about 1.6 h at 1 videos a minute)",
        "[3/100] c.mp4: failed: none is a video: c.mp4: no frames (97 left, about 48 min at 2 videos a minute)",
        "[3/100] at work: d.mp4 (41 s) (97 left, about 74 min at 1.32 videos a minute)",
    ]
