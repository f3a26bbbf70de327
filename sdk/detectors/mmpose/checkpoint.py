"""Reads weights of mmpose models without running code in the file.

mmengine's own loader falls back to full unpickling, which runs any code in the file. It also skips weights that do not
fit.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sdk.errors import BadModelFile

if TYPE_CHECKING:
    import torch


class _Ignored:
    """Replaces training logs, which are not needed."""

    def __init__(self, *_: object) -> None: ...


def _inert_globals() -> list[Any]:
    """Allowed classes for the other objects that mmengine writes: numpy arrays stay, logs become `_Ignored`."""
    from numpy.core import multiarray

    numbers = ("bool", "uint8", "int8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64")
    reconstruct, scalar = multiarray._reconstruct, multiarray.scalar  # type: ignore[attr-defined]
    return [
        np.ndarray,
        np.dtype,
        *(type(np.dtype(number)) for number in numbers),
        *((reconstruct, f"numpy.{core}.multiarray._reconstruct") for core in ("core", "_core")),
        *((scalar, f"numpy.{core}.multiarray.scalar") for core in ("core", "_core")),
        (_Ignored, "mmengine.logging.history_buffer.HistoryBuffer"),
        (_Ignored, "builtins.getattr"),  # how a log names its methods
        (_Ignored, "__builtin__.getattr"),
    ]


def read_weights(path: Path) -> dict[str, torch.Tensor]:
    """The state dict of a checkpoint.

    Raises:
        BadModelFile: the file is missing, no checkpoint, or has objects that are neither tensors nor plain values.
    """
    import torch

    if not path.is_file():
        raise BadModelFile(f"no checkpoint at {path}.")
    try:
        with torch.serialization.safe_globals(_inert_globals()):
            content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # pickle, zip and torch raise different errors
        raise BadModelFile(
            f"{path} is not a checkpoint of plain weights: {str(error).splitlines()[0]} If you trust its maker, "
            "load it with torch yourself and save only {'state_dict': ...}."
        ) from error
    weights = content.get("state_dict", content) if isinstance(content, dict) else None
    if not weights or not all(isinstance(value, torch.Tensor) for value in weights.values()):
        raise BadModelFile(f"{path} holds no state_dict of tensors.")
    return {re.sub(r"^module\.", "", name): value for name, value in weights.items()}


def load_weights(model: torch.nn.Module, path: Path) -> None:
    """Fill all weights of a model. Other weights in the file (a teacher, loss buffers) are ignored.

    Raises:
        BadModelFile: as `read_weights`, or weights are missing or have another shape.
    """
    try:
        missing = model.load_state_dict(read_weights(path), strict=False).missing_keys
    except RuntimeError as error:
        raise BadModelFile(f"{path} does not fit the config: {error}") from error
    if missing:
        raise BadModelFile(
            f"{path} does not fit the config: {len(missing)} weights are missing, among them {', '.join(missing[:3])}."
        )
