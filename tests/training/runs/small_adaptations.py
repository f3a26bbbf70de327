"""Adaptations on the toy gap by both recipes, in one process or more: `python -m` with DEVICES FOLDER=LAST ...."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch

from tests.lifters import random_lifter
from tests.training.toy_gap import FRAME_EXTENT, film_source, film_target, target_keypoints
from training.adaptation.adaptation import new_adaptation
from training.adaptation.adaptation_loop import run_adaptation
from training.adaptation.lifter_teacher import LifterTeacher
from training.adaptation.model_choice import ModelChoice
from training.runs.device import open_device
from training.runs.processes import Processes
from training.runs.progress import History
from training.settings.method import RECIPES

HALF, STEPS = 25, 50


class _Stopped(Exception):
    """As if the process had been ended."""


def adapted(folder: Path, last: int, processes: Processes) -> dict[str, list[dict[str, float]]]:
    """Values of each step up to `last` by recipe, with the norms of all gradients; a folder with states goes on."""
    torch.set_num_threads(1)  # two that wait for each other take ten times as long on busy cores
    return {recipe: _values(recipe, folder, last, processes) for recipe in ("paper", "default")}


def _values(recipe: str, folder: Path, last: int, processes: Processes) -> list[dict[str, float]]:
    # So small that nothing is enlarged: see the test.
    method = dataclasses.replace(
        RECIPES[recipe],
        warm_up=0.1,
        target_lifted_at=(0.1, 0.6),
        learning_rate=1e-6,
        discriminator_learning_rate=1e-6,
        lifter_learning_rate=1e-6,
    )
    torch.manual_seed(0)
    start, target = random_lifter((3, 3), channels=16), target_keypoints(film_target(20, seed=3))
    teacher = LifterTeacher(
        start, FRAME_EXTENT, method, steps=STEPS, batch=16, device=torch.device("cpu"), processes=processes
    )
    adaptation: Any = new_adaptation(teacher, film_source, target)
    norms: list[float] = []
    values: list[dict[str, float]] = []
    do, clip = adaptation.step, torch.nn.utils.clip_grad_norm_

    def clipped(parameters: Any, most: float) -> None:
        norms.append(float(clip(parameters, most)))

    def step(number: int, random: torch.Generator) -> dict[str, float]:
        if number > last:
            raise _Stopped
        norms.clear()
        values.append(do(number, random) | {f"norm {i}": one for i, one in enumerate(norms)})
        return dict(values[-1])

    adaptation.step = step
    folder.mkdir(exist_ok=True)
    with patch("torch.nn.utils.clip_grad_norm_", clipped), suppress(_Stopped):
        run_adaptation(
            adaptation, ModelChoice(start, target), History(), torch.Generator().manual_seed(0), title=recipe,
            steps=STEPS, state=folder / f"{recipe}.pt", tensorboard=folder / recipe, identity=recipe, save_every=HALF,
        )  # fmt: skip
    modules = [module for network in adaptation.networks for module in network.modules()]
    assert not any(module._forward_hooks or type(module).__name__.startswith("Shared") for module in modules)
    return values


def main() -> None:
    """In each process, its values go to FOLDER/values.NUMBER."""
    fabric = open_device("cpu", 1, devices=int(sys.argv[1]))
    fabric.launch()
    for job in sys.argv[2:]:
        folder, last = job.split("=")
        values = adapted(Path(folder), int(last), Processes(fabric))
        (Path(folder) / f"values.{os.environ['LOCAL_RANK']}").write_text(json.dumps(values))


if __name__ == "__main__":
    main()
