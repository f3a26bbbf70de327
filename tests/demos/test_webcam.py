"""demos.webcam: whoever asks it to end finds a whole video."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sdk import open_video

ROOT = Path(__file__).parents[2]
PROGRAM = """
import runpy, signal, sys
import sdk
from sdk.detectors import factory
from sdk.stream import pose_stream
from sdk.video import source
from tests.sdk.live_sources import EndlessReader
from tests.sdk.stick_figures import KnowingDetector, render, walk
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the tests run in the background of a shell
signal.signal(signal.SIGHUP, signal.SIG_DFL)
track = walk(1, (60, 60), (0, 0))
reader = EndlessReader(render(0, [track[0]]))
endless = source.VideoSource("endless", reader, 25.0)
stream = sdk.PoseStream
sdk.PoseStream = lambda *_: stream(endless, KnowingDetector([(track[0],)]))
sys.argv = ["webcam", "0", "--output", sys.argv[1]]
runpy.run_module("demos.webcam", run_name="__main__")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals to another process are POSIX's")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)])
def test_whoever_asks_it_to_end_finds_a_whole_video(tmp_path: Path, number: signal.Signals, code: int) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, tmp_path / "o.mp4"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        until = time.monotonic() + 60
        while not any(path.stat().st_size for path in tmp_path.iterdir()):  # the part of the video
            assert process.poll() is None
            assert time.monotonic() < until
            time.sleep(0.05)
        time.sleep(0.5)
        process.send_signal(number)
        _, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == code, err
    assert "Traceback" not in err
    assert [path.name for path in tmp_path.iterdir()] == ["o.mp4"]
    with open_video(tmp_path / "o.mp4") as video:
        assert len(list(video)) > 0
