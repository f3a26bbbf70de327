"""Tasks on a Ray cluster on this machine: the same outcomes, lost ones done again. Skipped without Ray."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import pytest

from sdk.errors import BadSetting, MissingDependency
from sdk.workers.progress import WorkProgress
from sdk.workers.running import WorkerSettings, run_tasks
from sdk.workers.tasks import Task
from tests.sdk.workers.toy_tasks import square

PROGRAM = """
import json, sys
from pathlib import Path
from sdk.workers.progress import WorkProgress
from sdk.workers.running import WorkerSettings, run_tasks
from sdk.workers.tasks import Task
from tests.sdk.workers.toy_tasks import die_always, die_once, niceness, square

def outcomes(function, works):
    settings = WorkerSettings(workers=2, address="local")
    tasks = [Task(str(work), work) for work in works]
    found = list(run_tasks(function, tasks, settings, WorkProgress(len(tasks))))
    return {one.name: one.result if not one.error else one.error for one in found}

print(json.dumps([
    outcomes(square, range(9)) | {"niceness": outcomes(niceness, [1])["1"]},
    outcomes(die_once, [Path(sys.argv[1]) / "marker"]) | outcomes(die_always, ["a", "deadly"]),
]))
"""


@pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed (adaptpose[ray])")
@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_a_cluster_gives_the_same(tmp_path: Path) -> None:
    """In a process of its own: Ray leaves threads and warnings behind."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3]), "RAY_USAGE_STATS_ENABLED": "0"}
    command = [sys.executable, "-c", PROGRAM, str(tmp_path)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    squares, killed = json.loads(done.stdout.splitlines()[-1])
    good = {str(n): n**2 for n in range(9) if n not in (5, 8)}
    assert squares.pop("niceness") == os.nice(0)  # as ours; Ray itself sets 15
    assert squares == {**good, "5": "5 holds no frames.", "8": "KeyError: 'a bug'"}
    assert killed[str(tmp_path / "marker")] == "again"
    assert killed["a"] == "a"
    assert "its worker ended without a word" in killed["deadly"]


def test_no_cluster_at_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in: whether `auto` finds a cluster depends on the machine."""

    def init(**options: object) -> None:
        raise ConnectionError(f"Could not find any running Ray instance at {options['address']}.\nStart one.")

    monkeypatch.setitem(sys.modules, "ray", SimpleNamespace(init=init))
    with socket.create_server(("127.0.0.1", 0)) as server:
        head = f"127.0.0.1:{server.getsockname()[1]}"
        settings = WorkerSettings(address=head)
        told = rf"no Ray cluster answers: Could not find .* at {head}\. .*set RAY_AUTH_MODE=token\. Start"
        with pytest.raises(BadSetting, match=rf"--address {head}: {told}"):
            list(run_tasks(square, [Task("1", 1)], settings, WorkProgress(1)))


@pytest.mark.parametrize("address", ["{closed}", "no.such.host.invalid", "127.0.0.1:port"])
def test_an_address_where_nothing_listens_is_refused_at_once(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    """Ray itself would try for a quarter of an hour, deaf to Ctrl-C."""

    def init(**options: object) -> None:
        pytest.fail(f"Ray is asked to join {options['address']}")

    monkeypatch.setitem(sys.modules, "ray", SimpleNamespace(init=init))
    with socket.create_server(("127.0.0.1", 0)) as server:
        closed = f"127.0.0.1:{server.getsockname()[1]}"
    settings = WorkerSettings(address=address.format(closed=closed))
    with pytest.raises(BadSetting, match=rf"--address {settings.address}: no Ray cluster answers: .*ray start --head"):
        list(run_tasks(square, [Task("1", 1)], settings, WorkProgress(1)))


def test_without_ray_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    settings = WorkerSettings(address="auto")
    with pytest.raises(MissingDependency, match=r"--address auto needs the package 'ray'.*adaptpose\[ray\]"):
        list(run_tasks(square, [Task("1", 1)], settings, WorkProgress(1)))
