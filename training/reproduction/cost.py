"""What a reproduction costs: some steps of each kind of run are timed, before any of them begins."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from training.evaluation.metrics import mpjpe
from training.geometry.keypoint_normalisation import normalised
from training.lifter.checkpoint import LifterCheckpoint
from training.reproduction.experiments import EXPERIMENTS, Experiment
from training.reproduction.runs import Runs, drawing, method_of
from training.reproduction.tables import BASELINE
from training.settings.method import Method

_STEPS = 10
_MOST_S = 20.0
"""Longest time for those steps; the first step, which is slower, does not count."""


@dataclass(frozen=True)
class Job:
    """One run.

    Attributes:
        experiment: Name in `EXPERIMENTS`.
        run: `baseline` or a method's name.
        seed: Its seed.
    """

    experiment: str
    run: str
    seed: int


@dataclass(frozen=True)
class Cost:
    """Cost of all runs of one kind.

    Attributes:
        kind: In words.
        runs: How many runs.
        steps: Steps of each.
        step_s: Seconds a step, the median of those timed.
        timed: How many were timed.
    """

    kind: str
    runs: int
    steps: int
    step_s: float
    timed: int

    @property
    def hours(self) -> float:
        """Of all runs of this kind, without reading data and scoring."""
        return self.runs * self.steps * self.step_s / 3600


def costs(runs: Runs, jobs: Sequence[Job], steps: int | None = None) -> list[Cost]:
    """Time steps of each kind of run: the baseline by frames, the adaptation by frames and recipe.

    Args:
        runs: Data sets, sizes and device.
        jobs: Runs that are not done yet. Baselines that several experiments share count once.
        steps: Steps to time of each kind, however long they take. None: 10, fewer where they take long.
    """
    kinds: dict[str, list[Job]] = {}
    trained = set()
    for job in jobs:
        if job.run == BASELINE:
            folder = runs.baseline_folder(EXPERIMENTS[job.experiment], job.seed)
            if folder in trained or (folder / "finished").exists():
                continue
            trained.add(folder)
        frames = 27 if EXPERIMENTS[job.experiment].filter_widths == (3, 3, 3) else 1
        recipe = job.run if job.run in (BASELINE, "default") else "paper"
        words = "training on the source" if recipe == BASELINE else f"adaptation, {recipe} recipe and its variants"
        kinds.setdefault(f"{words}, {frames} frames", []).append(job)
    found = []
    for kind, several in kinds.items():
        experiment = EXPERIMENTS[several[0].experiment]
        time_steps = _time_baseline if several[0].run == BASELINE else _time_adaptation
        total, times = time_steps(runs, experiment, several[0].run, steps)
        found.append(Cost(kind, len(several), total, sorted(times)[len(times) // 2], len(times)))
    return found


def _time_baseline(runs: Runs, experiment: Experiment, run: str, steps: int | None) -> tuple[int, list[float]]:
    network = runs.new_lifter(experiment).to(runs.device).train()
    filmed = runs.filmed(experiment, Method().speeds)
    draw, optimiser = drawing(filmed, runs.sizes.batch), torch.optim.Adam(network.parameters())
    random = torch.Generator().manual_seed(0)

    def step(number: int) -> None:
        keypoints, pose = draw(random)
        loss = mpjpe(network(normalised(keypoints, experiment.normalisation).to(runs.device)), pose.to(runs.device))
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        loss.item()

    return runs.sizes.baseline_steps(len(filmed)), _timed(step, 0, steps, runs.device)


def _time_adaptation(runs: Runs, experiment: Experiment, run: str, steps: int | None) -> tuple[int, list[float]]:
    start = LifterCheckpoint(runs.new_lifter(experiment).eval(), runs.metadata(experiment))
    adaptation, _, random, method = runs.adaptation(experiment, run, 0, start)
    past_warm_up = round(method.warm_up * method.steps) + 1

    def step(number: int) -> None:
        adaptation.step(min(number, method.steps), random)

    return method_of(run, runs.sizes).steps, _timed(step, past_warm_up, steps, runs.device)


def _timed(step: Callable[[int], None], first: int, steps: int | None, device: torch.device) -> list[float]:
    times: list[float] = []
    began = time.perf_counter()
    for number in range((steps or _STEPS) + 1):
        if steps is None and len(times) > 1 and time.perf_counter() - began > _MOST_S:
            break
        at = time.perf_counter()
        step(first + number)
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        times.append(time.perf_counter() - at)
    return times[1:]


def in_words(found: Sequence[Cost], device: str) -> str:
    """The estimate as lines of text."""
    lines = [
        f"  {cost.kind}: {cost.runs} runs of {cost.steps} steps, {cost.step_s:.3f} s a step ({cost.timed} timed): "
        f"{cost.hours:.1f} h"
        for cost in found
    ]
    total = sum(cost.hours for cost in found)
    return "\n".join([f"estimated cost on {device}, without reading data and scoring: {total:.1f} h", *lines])
