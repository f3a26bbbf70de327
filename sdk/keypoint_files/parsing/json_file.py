"""Reads JSON files from others: each is parsed once, and only JSON numbers count as numbers."""

from __future__ import annotations

import json
import reprlib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from sdk.errors import BadKeypoints
from sdk.keypoint_files.limits import NotThisFormat, check_file_size


def load_json(path: Path) -> Any:
    """The content of a JSON file. The last one is kept in memory, because several readers try the same file.

    Raises:
        NotThisFormat: it is not a JSON file, or a truncated one.
        BadKeypoints: it is too large, or nested too deeply.
    """
    if path.is_dir():
        raise NotThisFormat("a folder")
    try:
        check_file_size(path)
        state = path.stat()
        return _parse(path, state.st_mtime_ns, state.st_size)
    except RecursionError:
        raise BadKeypoints(f"{path} is nested too deeply for a keypoint file.") from None
    except (OSError, ValueError) as error:
        if isinstance(error, BadKeypoints):
            raise
        raise NotThisFormat(f"not a JSON file ({error})") from error


def forget_json() -> None:
    """Forget the content that `load_json` kept."""
    _parse.cache_clear()


@lru_cache(maxsize=1)
def _parse(path: Path, modified_ns: int, size: int) -> Any:
    return json.loads(path.read_bytes())


def to_numbers(values: Any, what: str, *, of_joints: bool = False) -> np.ndarray:
    """A flat list of JSON numbers as (N,) float64. Text and true are not numbers.

    Args:
        values: The list.
        what: Begins the message of an error.
        of_joints: Whether null is allowed and means not seen, as NaN does: strict JSON has no NaN.

    Raises:
        BadKeypoints: a value is not a number.
    """
    if not isinstance(values, list):
        raise BadKeypoints(f"{what} is {shown(values)}, not a list of numbers.")
    kinds = (int, float, type(None)) if of_joints else (int, float)
    if not set(map(type, values)) <= set(kinds):
        position = next(i for i, value in enumerate(values) if type(value) not in kinds)
        raise BadKeypoints(f"{what}: value {position} is {shown(values[position])}, not a number.")
    try:
        return np.array(values, np.float64)
    except OverflowError:
        raise BadKeypoints(f"{what} has a number of more than 300 digits.") from None


def to_pairs(values: Any, what: str) -> np.ndarray:
    """A list of lists of two or more numbers, as (N, 2) float64: the first two of each. Null is NaN.

    Raises:
        BadKeypoints: as in `to_numbers`.
    """
    if not isinstance(values, list) or not all(isinstance(pair, list) and len(pair) >= 2 for pair in values):
        raise BadKeypoints(f"{what} is {shown(values)}, not a list of pairs x, y.")
    flat = to_numbers([number for pair in values for number in pair[:2]], what, of_joints=True)
    return flat.reshape(-1, 2)


def to_number(value: Any, what: str) -> float:
    """A finite JSON number.

    Raises:
        BadKeypoints: it is text, true, null, infinity or NaN.
    """
    number = to_numbers([value], what)[0]
    if not np.isfinite(number):
        raise BadKeypoints(f"{what} is {shown(value)}, not a finite number.")
    return float(number)


def to_frame_number(value: Any, what: str) -> int:
    """A whole JSON number.

    Raises:
        BadKeypoints: it is anything else.
    """
    number = to_number(value, what)
    if number != int(number):
        raise BadKeypoints(f"{what} is {shown(value)}, not a whole number.")
    return int(number)


def shown(value: Any) -> str:
    """A value for a message, shortened."""
    return reprlib.repr(value)


def all_have(entries: Sequence[Any], *keys: str) -> bool:
    """Whether all entries are dicts with these keys."""
    return all(isinstance(entry, dict) and all(key in entry for key in keys) for entry in entries)
