"""Measures the time of an adaptation step, and the memory for an hour of target video.

    python -m benchmarks.adapting [--threads 2] [--hours 1.0]

The target is artificial: two people at 30 frames per second for the given time, as tracks with 33 joints. The values of
its 2D do not matter for speed. Source, networks and losses are those of adaptpose-train. That command sets
OMP_WAIT_POLICY=PASSIVE: set it here too. Memory is the peak of the process.
"""

from __future__ import annotations

import os
import platform
import resource
import statistics
import time
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
import tyro

from sdk.keypoint_files import KeypointTrack
from sdk.lifting.model_metadata import LifterMetadata
from training.adaptation.adaptation import new_adaptation
from training.adaptation.lifter_teacher import LifterTeacher
from training.cameras.random_cameras import CameraRanges, film
from training.lifter.lifter import TemporalLifter
from training.motion.source_windows import SourceWindows
from training.motion_model.model_file import load_motion_model
from training.motion_model.source_motion import MODEL_CLIPS, model_clips
from training.settings.method import RECIPES
from training.target.target_windows import TargetWindows, target_sequences


@dataclass(frozen=True)
class Adapting:
    """Time steps of adaptation. The lifter's weights are random, because speed does not depend on them."""

    recipe: Literal["default", "paper"] = "default"
    """Recipe of the adaptation."""
    channels: int = 256
    """Width of the lifter."""
    batch: int = 256
    """Generated windows per step."""
    threads: int = 2
    """CPU threads of torch."""
    steps: int = 60
    """Steps to time. Ten steps before them are not timed."""
    hours: float = 1.0
    """Hours of target video."""


def main() -> None:
    """Print machine, times and memory."""
    settings = tyro.cli(Adapting)
    torch.set_num_threads(settings.threads)
    print(
        f"{platform.platform()}, {os.cpu_count()} logical cores, {settings.threads} threads, torch {torch.__version__}"
    )
    metadata = LifterMetadata()
    target = TargetWindows(target_sequences(_people(settings.hours), metadata), metadata.receptive_field)
    source = SourceWindows(model_clips(load_motion_model(), 0, MODEL_CLIPS), metadata.receptive_field, (0.024, 0.08))
    teacher = LifterTeacher(
        TemporalLifter(channels=settings.channels),
        (1.0, 1.0),
        RECIPES[settings.recipe],
        steps=10**6,
        batch=settings.batch,
        device=torch.device("cpu"),
    )
    adaptation = new_adaptation(
        teacher, lambda count, random: film(source.sample(count, random), CameraRanges(), random), target
    )
    random = torch.Generator().manual_seed(0)
    past_warm_up = 10**5
    times, cpu_times = [], []
    for step in range(settings.steps + 10):
        began, began_cpu = time.perf_counter(), time.process_time()
        adaptation.step(past_warm_up + step, random)
        times.append((time.perf_counter() - began) * 1000)
        cpu_times.append((time.process_time() - began_cpu) * 1000)
    counted = sorted(times[10:])
    print(
        f"step, {settings.recipe} recipe, {settings.batch} windows, {settings.channels} channels: "
        f"best {counted[0]:.0f}, median {statistics.median(counted):.0f}, worst {counted[-1]:.0f} ms of {len(counted)}"
    )
    print(f"its processor time, over all threads: median {statistics.median(cpu_times[10:]):.0f} ms")
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory with {settings.hours:g} h of target ({len(target)} windows): {peak_mb:.0f} MB")


def _people(hours: float) -> list[KeypointTrack]:
    frames = round(hours * 3600 * 30)
    random = np.random.default_rng(0)
    shape = random.uniform(200, 800, (1, 33, 2))
    return [
        KeypointTrack(
            name=f"made up#{person}",
            keypoints_px=(shape + random.normal(0, 3, (frames, 33, 2))).astype(np.float32),
            scores=np.ones((frames, 33), np.float32),
            timestamps_s=np.arange(frames) / 30,
            frame_indices=np.arange(frames),
            skeleton="mediapipe33",
            image_size=(1920, 1080),
            frame_rate_hz=30.0,
        )
        for person in range(2)
    ]


if __name__ == "__main__":
    main()
