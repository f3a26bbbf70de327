"""Saves and loads the state of a run, so that it can go on after it was stopped."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import nn

from sdk.errors import AdaptPoseError, BadModelFile, BadOutput
from training.lifter.checkpoint import load_tensors, save_atomically

_ANEW = "The run can't go on from it: start it anew in another folder."


class HasState(Protocol):
    """Anything with a state_dict: a module, an optimiser, a replay pool."""

    def state_dict(self) -> dict[str, Any]:
        """Tensors and plain values."""
        ...

    def load_state_dict(self, state: dict[str, Any], /) -> object:
        """Restore what `state_dict` returned."""
        ...


def save_state(path: Path, parts: Mapping[str, HasState], generator: torch.Generator, step: int, config: str) -> None:
    """Write the state after `step` steps, whole or not at all."""
    content = {name: part.state_dict() for name, part in parts.items()}
    save_atomically(
        {
            "parts": content,
            "generator": generator.get_state(),
            "torch": torch.get_rng_state(),
            "step": step,
            "config": config,
        },
        path,
    )


def load_state(path: Path, parts: Mapping[str, HasState], generator: torch.Generator, config: str) -> int:
    """Put a saved state back into the same parts and return the step it was saved after.

    Raises:
        BadModelFile: the state is missing, damaged, or of a run with other settings. Going on would mix two runs.
    """
    try:
        content = load_tensors(path)
    except BadModelFile as error:
        raise BadModelFile(f"{error} {_ANEW}") from error
    if content.get("config") != config:
        raise BadModelFile(
            f"{path} belongs to a run with other settings. Resume with the settings it was started with "
            "(see config.json beside it), or start a new run in another folder."
        )
    try:
        for name, part in parts.items():
            part.load_state_dict(content["parts"][name])
        generator.set_state(content["generator"])
        torch.set_rng_state(content["torch"])
        return int(content["step"])
    except (KeyError, RuntimeError, ValueError, TypeError, AttributeError) as error:
        reason = f"it lacks {error}" if isinstance(error, KeyError) else " ".join(str(error).split()).rstrip(". ")
        raise BadModelFile(
            f"{path}: the saved state does not fit this version of the project: {reason}. {_ANEW}"
        ) from error


class Diverged(AdaptPoseError, ArithmeticError):
    """A training whose values are no longer finite."""


def require_finite(step: int, values: Mapping[str, float], networks: Iterable[nn.Module] = ()) -> None:
    """Check that the values of a step are finite, and the weights of networks that will be saved after it.

    Raises:
        Diverged: some are not finite. Further steps would not help.
    """
    lost = [name for name, value in values.items() if not math.isfinite(value)]
    if any(not bool(torch.isfinite(weights).all()) for network in networks for weights in network.parameters()):
        lost.append("weights")
    if lost:
        raise Diverged(
            f"the training diverged: after step {step}, {', '.join(lost)} are not finite numbers. Start a new run in "
            "another folder with lower learning rates (see --help), or from another seed."
        )


@contextmanager
def resumable(way_on: str) -> Iterator[None]:
    """Add a sentence on how to go on to the message of what stops the block: Ctrl-C or a full disk.

    Args:
        way_on: The sentence.
    """
    try:
        yield
    except KeyboardInterrupt as stop:
        raise KeyboardInterrupt(way_on) from stop
    except BadOutput as error:
        raise BadOutput(f"{error} {way_on}") from error
