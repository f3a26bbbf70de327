"""A disk that fills up: every file stays whole, with what reached it before."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import ezc3d
import pytest
from pybvh import read_bvh_file
from trc import TRCData

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="limits of a file's size are POSIX's")

# A limit of the file's size is met as a full disk is: first by a write that takes less than it was given.
PROGRAM = """
import resource, signal, sys
from pathlib import Path
from sdk.errors import BadOutput
from sdk.skeletons.skeleton import COCO17
from sdk.writers import base
from sdk.writers.factory import open_writer
from tests.sdk.writers.walking import person, result, rigid_pose
base.INTERVAL_S = 0.0
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
written = 0
try:
    with open_writer(Path(sys.argv[1]), COCO17, (64, 48), 25.0) as writer:
        for t in range(40):
            writer.write(result(t, t / 25, person(1, rigid_pose(t))))
            written += 1
except BadOutput as error:
    assert "can't be written" in str(error), error
    writer.close()
    print(written)
"""


@pytest.mark.parametrize(
    ("suffix", "limit"), [(".json", 20_000), (".csv", 30_000), (".trc", 8_000), (".bvh", 8_000), (".c3d", 8_000)]
)
def test_files_stay_whole(tmp_path: Path, suffix: str, limit: int) -> None:
    command = [sys.executable, "-c", PROGRAM, tmp_path / f"poses{suffix}", str(limit)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    written = int(done.stdout)
    assert 5 < written < 40
    (path,) = tmp_path.iterdir()
    assert rows_of(path) == written


def rows_of(path: Path) -> int:
    """How many poses are in a file, by somebody else's reader."""
    if path.suffix == ".json":
        return len(json.loads(path.read_text()))
    if path.suffix == ".csv":
        with open(path, newline="", encoding="utf-8") as file:
            head, *rows = csv.reader(file)
        assert {len(row) for row in rows} == {len(head)}
        return len(rows)
    if path.suffix == ".trc":
        markers = TRCData()
        markers.load(str(path))
        assert markers["NumFrames"] == len(markers["Time"])
        return markers["NumFrames"]
    if path.suffix == ".c3d":
        return ezc3d.c3d(str(path))["data"]["points"].shape[2]
    return len(read_bvh_file(path, world_up="+y").joint_angles)
