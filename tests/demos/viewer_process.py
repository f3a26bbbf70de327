"""The viewer in a process of its own, on a video of two people that its detector knows beforehand."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.sdk.linear_lifter import write_linear_lifter
from tests.sdk.stick_figures import walk, write_video

ROOT = Path(__file__).parents[2]
TUNNEL = "a public tunnel was opened"
PROGRAM = f"""
from unittest import mock
from demos import viewer
from tests.sdk.stick_figures import KnowingDetector, walk
people = list(zip(walk(50, (60, 60), (0.5, 0)), walk(50, (220, 60), (-0.5, 0)), strict=True))
def tunnel(*_):
    print({TUNNEL!r}, flush=True)
with (
    mock.patch("sdk.stream.pose_stream.open_detector", lambda spec, boxes, device: KnowingDetector(people)),
    mock.patch("viser._viser.ViserTunnel", tunnel),
):
    viewer.main()
"""


class Viewer:
    """A running viewer: where its page is, and what it printed once it has ended."""

    address: str
    printed: str
    warned: str

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line)
            if found := re.search(r"the page is at (http://\S+:\d+)$", line.strip()):
                self.address = found[1]
                return
        raise AssertionError(f"the viewer does not start: {''.join(lines)} {process.communicate()[1]}")

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2])


@contextmanager
def viewer_of(folder: Path, name: str, *words: str) -> Iterator[Viewer]:
    """A viewer that plays a video of this name, written into the folder, until the block ends.

    Args:
        folder: Where the video and the lifter are written.
        name: The video's, with its suffix.
        words: Options of the viewer's command line.
    """
    write_linear_lifter(folder / "linear.onnx")
    write_video(
        folder / "walk.mp4", list(zip(walk(50, (60, 60), (0.5, 0)), walk(50, (220, 60), (-0.5, 0)), strict=True))
    )
    (folder / "walk.mp4").rename(folder / name)
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, folder / name, "--model", folder / "linear.onnx", "--loop", *words],
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", "COLUMNS": "200"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        viewer = Viewer(process)
        yield viewer
    finally:
        process.terminate()
        printed, warned = process.communicate(timeout=30)
    viewer.printed, viewer.warned = printed, warned
