"""Tests every reader of keypoint files, data sets and source motion with damaged and with generated files.

Run: python -m benchmarks.fuzzing --inputs 10000, and again with --files generated

Each input is a small valid file with some damage, or a hostile one made from a grammar (`broken_files/`). A reader must
return valid tracks (or sequences), or raise one of our errors. All else (another exception, a warning, a crash, an
answer that takes long or much memory) is a failure and is listed.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import tyro

from benchmarks.broken_files import hostile_archives, hostile_text, samples
from benchmarks.broken_files.damage import damaged
from sdk.commands.command_line import run_command
from sdk.errors import AdaptPoseError
from sdk.keypoint_files.limits import FARTHEST_PX
from sdk.keypoint_files.reading import collect_keypoints

KNOWN: dict[str, Any] = {"image_size": samples.SIZE, "frame_rate_hz": 25.0}
SLOW_S = 5.0
MOST_BYTES = 1 << 30
"""An input that raises the peak memory by more is a failure."""
MOST_ADDRESSED_BYTES = 12 << 30
"""Limit of the process' memory, so that a bad input ends the benchmark and not the machine."""


@dataclass
class Answers:
    """Answers of a reader to all inputs.

    Attributes:
        counts: How many inputs were `read`, `refused`, or a `failure`.
        failures: Description of each failure.
        slowest_s: Longest time of an input.
    """

    counts: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    slowest_s: float = 0.0


def fuzz(
    write: Callable[[Path], Path], inputs: int, seed: int, read: Callable[[Path], tuple[str, str]] | None = None
) -> Answers:
    """Give a reader damaged copies of the file that `write` makes; `read` is `ask` where none is given."""
    answers, chance = Answers(), random.Random(seed)
    with tempfile.TemporaryDirectory() as scratch:
        path = write(Path(scratch))
        files = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
        kept = {file: file.read_bytes() for file in files}
        assert (read or ask)(path) == ("read", ""), "the whole file must be read"
        for number in range(inputs):
            victim = chance.choice(files)
            victim.write_bytes(damaged(victim, kept[victim], chance))
            _count(answers, path, f"seed {seed}, input {number}", read or ask)
            victim.write_bytes(kept[victim])
    return answers


def fuzz_generated(name: str, inputs: int, seed: int, first: int = 0) -> Answers:
    """Give a reader hostile files. Each input has a random generator of its own, so that one can be made again."""
    answers, generate = Answers(), _generator(name)
    with tempfile.TemporaryDirectory() as scratch:
        for number in range(first, first + inputs):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # zipfile's, of a name that comes twice
                path = generate(Path(scratch), random.Random(f"{name} {seed} {number}"))
            _count(answers, path, f"generated, seed {seed}, input {number}", ask)
            for file in path.iterdir() if path.is_dir() else [path]:
                file.unlink()
    return answers


def _generator(name: str) -> Callable[[Path, random.Random], Path]:
    if name in hostile_text.GENERATORS:
        return hostile_text.GENERATORS[name]
    if name == "Sports2D TRC":
        return lambda folder, chance: hostile_text.trc(folder, chance, samples.MARKERS)
    if name == "DeepLabCut CSV":
        return lambda folder, chance: hostile_text.deeplabcut_csv(folder, chance, samples.BODY_PARTS)
    if name == "DeepLabCut HDF5":
        return lambda folder, chance: hostile_archives.deeplabcut_hdf5(folder, chance, samples.BODY_PARTS)
    with tempfile.TemporaryDirectory() as scratch:
        path = samples.SAMPLES[name](Path(scratch))
        whole = path.read_bytes()
    return lambda folder, chance: hostile_archives.archive(
        folder, chance, path.name, whole, samples.person(17)[..., :2]
    )


def _count(answers: Answers, path: Path, which: str, read: Callable[[Path], tuple[str, str]]) -> None:
    """Read one input and note the answer, its time and its memory."""
    held = _most_held_bytes()
    started = time.process_time()  # processor time: the machine may be busy
    answer, detail = read(path)
    taken_s = time.process_time() - started
    if taken_s > SLOW_S:
        answer, detail = "failure", f"took {taken_s:.1f} s"
    elif _most_held_bytes() - held > MOST_BYTES:
        answer, detail = "failure", f"took {(_most_held_bytes() - held) / 1e9:.1f} GB"
    answers.slowest_s = max(answers.slowest_s, taken_s)
    answers.counts[answer] += 1
    if answer == "failure":
        answers.failures.append(f"{which}: {detail}")


def _most_held_bytes() -> int:
    """The most memory that this process has held so far; 0 where the system is not Linux."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM")), 0)


def ask(path: Path) -> tuple[str, str]:
    """`read`, `refused` or `failure`, with the reason."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            tracks = collect_keypoints(path, **KNOWN).tracks
        except AdaptPoseError as error:
            message = str(error)
            return ("refused", message) if 10 < len(message) < 5000 else ("failure", f"a message of {len(message)}")
        except BaseException as error:
            return "failure", f"{type(error).__name__}: {str(error)[:200]}"
    for track in tracks:
        if not np.abs(track.keypoints_px).max() <= FARTHEST_PX * 2 or track.scores.min() < 0 or track.scores.max() > 1:
            return "failure", f"{track.name} has keypoints or scores that are impossible"
    return "read", ""


@dataclass(frozen=True)
class Fuzzing:
    """Count the answers of every reader to damaged or generated files."""

    inputs: int = 10_000
    """Number of inputs for each reader."""
    seed: int = 0
    readers: tuple[str, ...] = ()
    """Names of the readers to test; all if none is given."""
    files: Literal["damaged", "generated"] = "damaged"
    """Damaged copies of a valid file, or files made from a grammar."""


def main() -> None:
    """Console script."""
    run_command(lambda: _fuzz_all(tyro.cli(Fuzzing)))


def _fuzz_all(options: Fuzzing) -> None:
    if sys.platform == "linux":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MOST_ADDRESSED_BYTES, MOST_ADDRESSED_BYTES))
    writers: dict[str, Any] = dict(samples.SAMPLES)
    try:
        import h5py

        if options.files == "damaged":
            import tables  # noqa: F401

        writers["DeepLabCut HDF5"] = samples.deeplabcut_hdf5
    except ImportError:
        print("DeepLabCut HDF5: left out, it needs pandas, tables and h5py")
    readers: dict[str, Any] = {}
    if options.files == "generated":
        writers |= hostile_text.GENERATORS
    else:
        try:
            import cdflib  # noqa: F401
            import h5py  # noqa: F401

            from benchmarks.broken_files.data_sets import DATA_SETS
            from benchmarks.broken_files.motion_files import MOTION

            others = DATA_SETS | MOTION
            readers = {name: read for name, (_, read) in others.items()}
            writers |= {name: write for name, (write, _) in others.items()}
        except ImportError:
            print("data sets and motion: left out, they need the extras datasets and train")
    print("| reader | inputs | read | refused | failures | slowest |\n|---|---|---|---|---|---|")
    for name, write in writers.items():
        if options.readers and name not in options.readers:
            continue
        if options.files == "generated":
            answers = fuzz_generated(name, options.inputs, options.seed)
        else:
            answers = fuzz(write, options.inputs, options.seed, readers.get(name))
        counts = answers.counts
        print(
            f"| {name} | {options.inputs} | {counts['read']} | {counts['refused']} | {counts['failure']} "
            f"| {answers.slowest_s * 1000:.0f} ms |",
            flush=True,
        )
        for failure in answers.failures[:10]:
            print(f"  {failure}")


if __name__ == "__main__":
    main()
