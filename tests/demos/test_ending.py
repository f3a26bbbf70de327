"""demos.viewer and demos.before_after close their stream when they are asked to end, as after Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAM = """
import os, runpy, signal, sys, time
import sdk
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the tests run in the background of a shell
signal.signal(signal.SIGHUP, signal.SIG_DFL)
number = int(sys.argv[1])
class Stream:
    def __init__(self, *_, **__): pass
    def __enter__(self):
        return self
    def __iter__(self):
        os.kill(os.getpid(), number)
        time.sleep(60)
        yield
    def __exit__(self, *_):
        print("closed", flush=True)
sdk.PoseStream = Stream
sys.argv = sys.argv[2:]
runpy.run_module("demos." + sys.argv[0], run_name="__main__")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals to another process are POSIX's")
@pytest.mark.parametrize(
    ("words", "number", "code"),
    [
        (("viewer", "0", "--port", "0"), signal.SIGTERM, 143),
        (("before_after", "walk.mp4", "--model", "fast"), signal.SIGTERM, 143),
        (("before_after", "walk.mp4", "--model", "fast"), signal.SIGHUP, 129),
    ],
)
def test_whoever_asks_it_to_end_finds_the_stream_closed(
    words: tuple[str, ...], number: signal.Signals, code: int, tmp_path: Path
) -> None:
    if words[0] == "viewer":
        pytest.importorskip("viser")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(int(number)), *words],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == code, done.stderr
    assert "closed" in done.stdout
    assert "Traceback" not in done.stderr
