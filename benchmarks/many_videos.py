"""adaptpose-predict on many short videos: one worker, several, and Ray give the same bytes; how fast, how much memory.

    python -m benchmarks.many_videos FOLDER --out OUT --detector movenet --count 200 --workers 2

cuts COUNT clips out of the videos in FOLDER and predicts them three times, each in a folder of its own. It writes a
table, and OUT/many_videos.json with the machine. The cores should have nothing else to do.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import tyro

from sdk.video.source import find_videos, open_video


@dataclass(frozen=True)
class ManyVideos:
    """Predict many short videos with one worker, with several, and on a local Ray cluster."""

    videos: Annotated[Path, tyro.conf.Positional]
    """Folder of videos to cut clips from."""
    out: Path
    """Folder for clips and results; it must be empty or from the same call."""
    detector: str = "movenet"
    """As --detector of adaptpose-predict."""
    model: str = "fast"
    """As --model of adaptpose-predict."""
    count: int = 200
    """Number of clips."""
    frames: int = 25
    """Frames of each clip; every fifth has half as many."""
    width: int = 640
    """Width of the clips in pixels."""
    workers: int = 2
    """Workers of the second and third run."""
    ray: bool = True
    """Also run on a local Ray cluster, where Ray is installed."""
    seed: int = 0
    """Of the places at which clips begin."""


@dataclass(frozen=True)
class Measured:
    """One run over all clips.

    Attributes:
        name: What worked.
        wall_s: From the start of the command to its end: with the start of the processes and of Ray.
        start_s: What of that is no work on a clip: the start and the end of the processes and of Ray, and waiting.
        cpu_s: CPU time of the command and its processes; of Ray's there is none, they are not its children.
        peak_memory_mib: Largest memory of a worker, median and largest over the clips.
        failed: Clips without a result.
    """

    name: str
    wall_s: float
    start_s: float
    cpu_s: float
    peak_memory_mib: tuple[float, float]
    failed: int


def cut_clips(options: ManyVideos) -> Path:
    """Cut the clips: the same ones for the same options."""
    folder = options.out / "clips"
    folder.mkdir(parents=True, exist_ok=True)
    films = []
    for path in find_videos(options.videos):
        with open_video(path) as source:
            height = round(source.image_size[1] * options.width / source.image_size[0] / 2) * 2
            images = [
                cv2.resize(frame.image, (options.width, height), interpolation=cv2.INTER_AREA) for frame in source
            ]
            films.append((images, source.frame_rate_hz))
    random = np.random.default_rng(options.seed)
    for number in range(options.count):
        images, rate = films[number % len(films)]
        frames = min(options.frames // (2 if number % 5 == 4 else 1), len(images))
        start = int(random.integers(0, len(images) - frames + 1))
        path = folder / f"clip{number:04d}.mp4"
        if path.exists():
            continue
        height, width = images[0].shape[:2]
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), rate, (width, height))
        for image in images[start : start + frames]:
            writer.write(image)
        writer.release()
    return folder


def predict_all(options: ManyVideos, clips: Path, name: str, words: list[str], workers: int) -> Measured:
    """One run of the command in a new folder."""
    save = options.out / name
    if save.exists():
        raise SystemExit(f"{save} is there: results of an earlier call would not be made again. Remove {options.out}.")
    command = [sys.executable, "-m", "sdk.commands.predict_command", str(clips), "--save", str(save)]
    command += ["--model", options.model, "--detector", options.detector, "--threads", "1", *words]
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, check=False, env={**os.environ, "PYTHONPATH": os.getcwd()})
    wall_s, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    if not (save / "predictions.json").is_file():  # what could not start has said why
        return Measured(name, round(wall_s, 1), 0.0, 0.0, (0.0, 0.0), options.count)
    recordings = json.loads((save / "predictions.json").read_text())["recordings"]
    peaks = [one["peak_memory_bytes"] / 2**20 for one in recordings if one["status"] == "done"]
    worked_s = sum(one["took_s"] for one in recordings if one["status"] == "done")
    return Measured(
        name,
        round(wall_s, 1),
        round(wall_s - worked_s / workers, 1),
        round(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 1),
        (round(float(np.median(peaks)), 1), round(max(peaks), 1)),
        sum(one["status"] != "done" for one in recordings),
    )


def same_bytes(one: Path, other: Path) -> bool:
    """Whether two folders of results hold the same files, byte for byte (but for the lists of the runs)."""

    def files(folder: Path) -> dict[str, bytes]:
        return {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in folder.rglob("*")
            if path.is_file() and path.parent != folder
        }

    return files(one) == files(other)


def main(options: ManyVideos) -> None:
    clips = cut_clips(options)
    runs = [("one", ["--workers", "1"], 1), ("several", ["--workers", str(options.workers)], options.workers)]
    if options.ray and find_spec("ray") is not None:
        runs.append(("ray", ["--workers", str(options.workers), "--address", "local"], options.workers))
    measured = [predict_all(options, clips, name, words, workers) for name, words, workers in runs]
    print(f"\n{options.count} clips of up to {options.frames} frames, {options.width} pixels wide, {options.detector}")
    print(
        f"{'run':<10}{'wall s':>9}{'start s':>9}{'speed-up':>10}{'CPU s':>9}{'MiB a worker':>14}{'most':>8}"
        f"{'failed':>8}  same bytes"
    )
    for one in measured:
        same = same_bytes(options.out / measured[0].name, options.out / one.name)
        median, most = one.peak_memory_mib
        speed_up = measured[0].wall_s / one.wall_s
        print(
            f"{one.name:<10}{one.wall_s:>9.1f}{one.start_s:>9.1f}{speed_up:>10.2f}{one.cpu_s:>9.1f}{median:>14.0f}"
            f"{most:>8.0f}{one.failed:>8}  {'yes' if same else 'NO'}"
        )
    load = os.getloadavg() if hasattr(os, "getloadavg") else None
    machine = {
        "platform": platform.platform(),
        "processor": platform.processor(),
        "cores": os.cpu_count(),
        "load": load,
    }
    content = {"options": asdict(options), "machine": machine, "runs": [asdict(one) for one in measured]}
    (options.out / "many_videos.json").write_text(json.dumps(content, indent=2, default=str) + "\n")


if __name__ == "__main__":
    main(tyro.cli(ManyVideos, description=__doc__))
