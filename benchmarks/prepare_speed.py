"""Measures `adaptpose-data prepare` on a data set of Human3.6M's size: poses a second, and the memory it takes.

Run: python -m benchmarks.prepare_speed --poses 1500000

Writes drawn motion in official CDF files, as long as the real takes (2,600 frames before each of 4 cameras), one take
a subject and copies of it under other names, then prepares it in a process of its own. 1.5 million poses need 2 GB of
disk for the files and the result; --scratch names the place.
"""

from __future__ import annotations

import resource
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import tyro

from training.datasets.miniature.human36m import CAMERAS, SUBJECTS, write_human36m

FRAMES = 2600
"""Of a take: 1,559,752 poses are 150 takes before 4 cameras."""


@dataclass(frozen=True)
class PrepareSpeed:
    """Poses a second and memory of a preparation."""

    poses: int = 1_500_000
    """Poses, rounded up to whole takes."""
    scratch: Path | None = None
    """Folder for the files; removed at the end. Default: the system's."""


def main(options: PrepareSpeed) -> None:
    with tempfile.TemporaryDirectory(dir=options.scratch) as scratch:
        files, out = Path(scratch) / "files", Path(scratch) / "data"
        takes = -(-options.poses // (FRAMES * len(CAMERAS)))
        each = tuple(f"Walking {number}" for number in range(-(-takes // len(SUBJECTS))))
        write_human36m(files, frames=FRAMES, takes=each[:1], growing=0)
        for path in list(files.rglob(f"{each[0]}.*")):
            for name in each[1:]:
                shutil.copyfile(path, path.with_name(path.name.replace(each[0], name)))
        size = sum(path.stat().st_size for path in files.rglob("*.cdf")) / 1e9
        command = [
            sys.executable,
            "-m",
            "training.commands.data_command",
            "prepare",
            "h36m",
            str(files),
            "--out",
            str(out),
        ]
        started = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        taken_s = time.perf_counter() - started
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        poses = FRAMES * len(CAMERAS) * len(each) * len(SUBJECTS)
        made = sum(path.stat().st_size for path in out.rglob("*.npz")) / 1e9
        busy_s = used.ru_utime + used.ru_stime
        print(f"{poses:,} poses, {size:.2f} GB of CDF files to {made:.2f} GB")
        print(f"{taken_s:.1f} s, {poses / taken_s:,.0f} poses a second")
        print(f"{busy_s:.1f} s of processor, {poses / busy_s:,.0f} poses a second")
        print(f"most memory {used.ru_maxrss / 1e6:.2f} GB")
        shutil.rmtree(out)


if __name__ == "__main__":
    main(tyro.cli(PrepareSpeed))
