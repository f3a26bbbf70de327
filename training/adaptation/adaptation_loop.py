"""The loop of an adaptation: steps, saved states, and the candidates among which the result is chosen."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from torch import nn

from training.adaptation.model_choice import ModelChoice
from training.adaptation.step import Adaptation
from training.cameras.random_cameras import CameraWindows
from training.lifter.lifter import TemporalLifter
from training.runs.progress import History, training_progress
from training.runs.resuming import HasState, load_state, require_finite, save_state

CANDIDATES = 8
"""Candidates for the result of a run: lifters at equal distances, the last one after the last step."""


def candidate_steps(steps: int) -> list[int]:
    """The steps after which the lifter is a candidate, in a run of `steps` steps."""
    return sorted({max(1, round(steps * i / CANDIDATES)) for i in range(1, CANDIDATES + 1)})


def run_adaptation(
    adaptation: Adaptation,
    choice: ModelChoice,
    history: History,
    random: torch.Generator,
    *,
    title: str,
    steps: int,
    state: Path,
    tensorboard: Path,
    identity: str,
    save_every: int,
    held_out: CameraWindows | None = None,
    on_candidate: Callable[[int, TemporalLifter], None] | None = None,
) -> None:
    """Do all steps. If there is a saved state, go on from it.

    With several processes, each is given the same arguments and does the same steps; the first one writes.

    Args:
        adaptation: Does each step, in the processes of its teacher.
        choice: Gets the averaged lifter at `candidate_steps`.
        history: Gets the values of each step.
        random: Source of all randomness in the steps.
        title: Title of the progress bar.
        steps: Steps of the whole run.
        state: File to save the state to and to go on from.
        tensorboard: Folder of the TensorBoard log.
        identity: Identifies the run. A saved state with another identity is refused.
        save_every: Steps between saved states. A state is also saved at every candidate.
        held_out: Held-out source motion that the result is calibrated on (`Adaptation.calibrate`). None: it is not.
        on_candidate: Called with step and averaged lifter (on the CPU, in evaluation mode) before the state is saved.

    Raises:
        Diverged: values or weights are no longer finite.
        BadModelFile: the saved state is damaged or belongs to another run.
        BadOutput: state or log can't be written.
    """
    parts: dict[str, HasState] = {**adaptation.parts(), "history": history, "choice": choice}
    done = load_state(state, parts, random, identity) if state.exists() else 0
    candidates, processes = set(candidate_steps(steps)), adaptation.teacher.processes
    with (
        processes.spread(adaptation.networks),
        training_progress(title, steps, done, tensorboard, shown=processes.first) as progress,
    ):
        for step in range(done + 1, steps + 1):
            values = adaptation.step(step, random)
            require_finite(step, values)
            saved = step % save_every == 0 or step in candidates
            if saved:
                require_finite(step, values, (part for part in parts.values() if isinstance(part, nn.Module)))
            if step in candidates:
                lifter = averaged_lifter(adaptation)
                values["choice/inconsistency"] = choice.consider(step, lifter)
                if on_candidate:
                    on_candidate(step, lifter)
            history.add(step, values)
            progress.update(step, values)
            if saved:
                processes.first_does(partial(save_state, state, parts, random, step, identity))
    if held_out is not None and choice.helped:  # not before: candidates are compared with the start as they are
        adaptation.calibrate(choice.lifter, held_out)


def averaged_lifter(adaptation: Adaptation) -> TemporalLifter:
    """A copy of the present averaged lifter, on the CPU, in evaluation mode."""
    return copy.deepcopy(adaptation.teacher.averaged_lifter).cpu().eval()
