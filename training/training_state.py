"""Everything a run needs to go on after it was stopped: modules, optimisers, randomness, step."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import torch

from sdk.errors import BadModelFile
from training.checkpoint import load_tensors, save_atomically

_ANEW = "The run can't go on from it: start it anew in another folder."


class HasState(Protocol):
    """A module, an optimiser, a replay pool: what has a state_dict."""

    def state_dict(self) -> dict[str, Any]:
        """Tensors and plain values."""
        ...

    def load_state_dict(self, state: dict[str, Any], /) -> object:
        """Take them back."""
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
        BadModelFile: missing or damaged, or of a run with other settings: going on would be neither run.
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
