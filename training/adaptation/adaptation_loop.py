"""The loop of an adaptation: steps, saved states, and the lifters along the way among which one is chosen."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from training.adaptation.adaptation import Adaptation
from training.adaptation.model_choice import ModelChoice
from training.lifter.lifter import TemporalLifter
from training.runs.progress import History, training_progress
from training.runs.resuming import HasState, load_state, require_finite, save_state

CANDIDATES = 8
"""Lifters along the way among which is chosen, at equal distances; the last is that of the last step."""


def candidate_steps(steps: int) -> list[int]:
    """After which of so many steps the lifter is a candidate."""
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
    on_candidate: Callable[[int, TemporalLifter], None] | None = None,
) -> None:
    """Do all steps, going on from a saved state where there is one.

    Args:
        adaptation: What does a step.
        choice: Sees the averaged lifter at `candidate_steps`.
        history: Takes the numbers of each step.
        random: All randomness of the steps.
        title: For the progress bar.
        steps: Of the whole run.
        state: File to save to and to go on from.
        tensorboard: Folder of the log.
        identity: Must be equal for a saved state to be gone on from.
        save_every: Steps between saved states; there is one for every candidate in any case.
        on_candidate: Called with step and averaged lifter, on the CPU, in evaluation mode, before the state is saved.

    Raises:
        Diverged: numbers or weights are no longer finite.
        BadModelFile: the saved state is damaged or of another run.
        BadOutput: state or log can't be written.
    """
    parts: dict[str, HasState] = {**adaptation.parts(), "history": history, "choice": choice}
    done = load_state(state, parts, random, identity) if state.exists() else 0
    candidates = set(candidate_steps(steps))
    with training_progress(title, steps, done, tensorboard) as progress:
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
                save_state(state, parts, random, step, identity)


def averaged_lifter(adaptation: Adaptation) -> TemporalLifter:
    """A copy of the averaged lifter as it stands, on the CPU, in evaluation mode."""
    return copy.deepcopy(adaptation.teacher.averaged_lifter).cpu().eval()
