"""Checks that runs with one seed give the same bytes. Each run has its own process, on busy cores, with dirty memory.

    python -m benchmarks.same_bytes [--runs 20] [--at-once 4] [--steps 60] [--recipe default] [--source SOURCE]

The target is artificial: a person who sways. Several runs share the cores at a time. Each run has another hash seed,
and malloc fills new memory with another byte (MALLOC_PERTURB_, glibc): memory that is read before it was written then
gives another result. A run is that of adaptpose-train, from the target's file to the exported lifter. The SHA-256 of
its result files are compared. The exit code is 1 if they differ.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import time
import zipfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import tyro

from sdk import SKELETONS

COMPARED = ("state.pt", "lifter.pt", "lifter.onnx")
"""Files to compare. The state has all networks of the last step; the lifter may be the one from the start."""
BODY = SKELETONS["h36m16"]
STANDING_PX = {
    "pelvis": (0, 0), "hip": (30, 0), "knee": (35, 100), "ankle": (35, 200), "spine": (0, -60), "thorax": (0, -120),
    "head": (0, -170), "shoulder": (40, -120), "elbow": (60, -60), "wrist": (65, 0),
}  # fmt: skip


@dataclass(frozen=True)
class SameBytes:
    """Repeat one adaptation."""

    runs: int = 20
    """Number of processes, all with seed 0."""
    at_once: int = 4
    """Processes at the same time. With twice the number of cores, all of them wait for each other."""
    steps: int = 60
    """Steps of adaptation."""
    batch: int = 64
    """Generated windows per step."""
    recipe: Literal["default", "paper"] = "default"
    """Recipe of the adaptation."""
    source: str = "model"
    """Source motion, as for adaptpose-train; `sway` for artificial clips, which halves the time of a run."""
    threads: int = 1
    """CPU threads of each process. Two threads may round sums differently from one, but always in the same way."""


def main() -> int:
    """Print the hashes of each file, and how often each came."""
    settings = tyro.cli(SameBytes)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        found = repeat(settings, Path(name))
    print(f"{settings.runs} runs of {settings.steps} steps, {settings.at_once} at a time: {found_differences(found)}")
    print(f"{time.monotonic() - began:.0f} s on the clock")
    return 0 if len(set(found)) == 1 else 1


def repeat(settings: SameBytes, folder: Path) -> list[tuple[str, ...]]:
    """The hashes of `COMPARED` after each run.

    Raises:
        subprocess.CalledProcessError: a run failed. Its output is on stderr.
    """
    write_target(folder / "target")
    source = write_source(folder / "source") if settings.source == "sway" else settings.source

    def run(number: int) -> tuple[str, ...]:
        out = folder / f"run{number}"
        command: list[object] = [sys.executable, "-m", "training.commands.command"]
        command += ["--target", folder / "target", "--out", out, "--source", source]
        for option in ("steps", "batch", "recipe", "threads"):
            command += [f"--{option}", getattr(settings, option)]
        environment = os.environ | {"MALLOC_PERTURB_": str(1 + 37 * number % 255), "PYTHONHASHSEED": str(number)}
        done = subprocess.run(
            [*map(str, command)],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode:
            print(done.stdout, file=sys.stderr)
            done.check_returncode()
        return tuple(digest(out / name) for name in COMPARED)

    with ThreadPoolExecutor(settings.at_once) as pool:
        return list(pool.map(run, range(settings.runs)))


def digest(path: Path) -> str:
    """The SHA-256 of a file. For a state, that of its tensors, because it also has the run's duration."""
    if path.name != "state.pt":
        return hashlib.sha256(path.read_bytes()).hexdigest()
    found = hashlib.sha256()
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if "/data/" in name:
                found.update(name.rpartition("/")[2].encode() + archive.read(name))
    return found.hexdigest()


def found_differences(found: list[tuple[str, ...]]) -> str:
    """One line for each file: equal, or the number of runs for each hash."""
    said = []
    for name, hashes in zip(COMPARED, zip(*found, strict=True), strict=True):
        counts = Counter(hashes).most_common()
        listed = ", ".join(f"{count} x {digest[:12]}" for digest, count in counts)
        said.append(f"\n  {name}: {'equal' if len(counts) == 1 else 'DIFFERENT'} ({listed})")
    return "".join(said)


def write_target(folder: Path, frames: int = 90) -> None:
    """A keypoint file of one person who sways, in pixels of a 1280 x 720 image."""
    folder.mkdir()
    body = [STANDING_PX[joint.rpartition("_")[2]] for joint in BODY.joints]
    sides = np.array([[-1 if joint.startswith("right") else 1, 1] for joint in BODY.joints])
    sway = 30 * np.sin(np.arange(frames) / 8)[:, None, None] * np.array([1.0, 0.2])
    keypoints_px = np.array(body) * sides + [640, 400] + sway
    scored = np.concatenate([keypoints_px, np.ones((frames, len(BODY), 1))], -1).astype(np.float32)
    np.savez(folder / "person.npz", keypoints=scored, image_size=(1280, 720), skeleton=BODY.name, frame_rate_hz=25.0)


def write_source(folder: Path) -> Path:
    """Three clips of 4 s at 50 Hz of a person who swings the arms, in metres."""
    folder.mkdir()
    standing_m = np.zeros((len(BODY), 3), np.float32)
    standing_m[:, :2] = [
        np.multiply(STANDING_PX[joint.rpartition("_")[2]], (-1 if joint.startswith("right") else 1, 1))
        for joint in BODY.joints
    ]
    standing_m *= 1.7 / 370
    time_s = np.arange(200)[:, None] / 50
    for name, speed in (("a", 3.0), ("b", 5.0), ("c", 7.0)):
        joints = np.repeat(standing_m[None], 200, 0)
        for wrist, phase in (("left_wrist", 0.0), ("right_wrist", 2.0)):
            joints[:, BODY.index(wrist), 2:] += 0.3 * np.sin(speed * time_s + phase)
        np.savez(folder / f"{name}.npz", **{name: joints}, frame_rate_hz=50.0)
    return folder


if __name__ == "__main__":
    sys.exit(main())
