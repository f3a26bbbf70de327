"""Saves and loads the state of a run, so that it can go on after it was stopped."""

from __future__ import annotations

import json
import math
import sys
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
        BadModelFile: the state is missing, damaged, or of a run with other settings or files. Going on would mix two
            runs.
    """
    try:
        content = load_tensors(path)
    except BadModelFile as error:
        raise BadModelFile(f"{error} {_ANEW}") from error
    require_same_run(path, content.get("config"), config)
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


INPUTS = "inputs"
"""The name in a run's identity under which the files that it was given stand, with the hashes of their content."""


def require_same_run(path: Path, stored: object, wanted: str) -> None:
    """Do nothing if a state is of the run that is to go on: the same settings, and files with the same content.

    An identity is any text; of two JSON objects with `INPUTS`, the files that differ are named.

    Raises:
        BadModelFile: it is of another run.
    """
    if stored == wanted:
        return
    was, now = _object(stored), _object(wanted)
    files_were, files_are = was.pop(INPUTS, None), now.pop(INPUTS, None)
    # Settings that an earlier version did not have: None is what that version did.
    now = {name: value for name, value in now.items() if name in was or value is not None}
    if not was or was != now:
        raise BadModelFile(
            f"{path} belongs to a run with other settings. Resume with the settings it was started with "
            "(see config.json beside it), or start a new run in another folder."
        )
    if files_were is None:
        print(
            f"note: {path} was saved by an earlier version, without hashes of target, source and start: they are taken "
            "to be as they were.",
            file=sys.stderr,
        )
        return
    raise BadModelFile(
        f"{path} belongs to a run that was given other files: {_differences(files_were, files_are)}. Put them back as "
        "they were, or start a new run in another folder: going on would give a lifter of neither."
    )


def _object(text: object) -> dict[str, Any]:
    try:
        value = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _differences(were: Any, are: Any) -> str:
    """Which files changed, in words; of many the first."""
    if not isinstance(were, dict) or not isinstance(are, dict):
        return "which ones it does not say"
    words = [
        f"{name} {'is new' if name not in were else 'is gone' if name not in are else 'has changed'}"
        for name in sorted(were.keys() | are.keys())
        if were.get(name) != are.get(name)
    ]
    more = len(words) - _FILES_NAMED
    return ", ".join(words[:_FILES_NAMED]) + (f", and {more} more" if more > 0 else "")


_FILES_NAMED = 5


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
