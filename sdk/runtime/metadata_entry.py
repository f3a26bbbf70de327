"""Reads the metadata entries of ONNX files, which may come from anybody: damaged, far too long, or of wrong types."""

from __future__ import annotations

import dataclasses
import json
import reprlib
from collections.abc import Mapping
from typing import Any

from sdk.errors import BadModelFile

_LONGEST_ENTRY = 1 << 20
_LONGEST_TEXT = 10_000


def load_entry(metadata: Mapping[str, str], key: str, origin: str) -> Any:
    """The JSON of an ONNX metadata entry.

    Raises:
        BadModelFile: naming `origin`, for one that is damaged, or that no program of ours wrote.
    """
    try:
        if len(metadata[key]) > _LONGEST_ENTRY:
            raise ValueError(f"{len(metadata[key])} characters")
        return json.loads(metadata[key])
    except (ValueError, RecursionError) as error:  # of too many digits or levels as well
        raise BadModelFile(f"{origin}: the metadata entry {key!r} is damaged: {str(error)[:200]}") from error


def check_values(record: Any) -> None:
    """Do nothing if each value of a dataclass is of its field's type: text, a whole number, a number, true or false.

    Raises:
        TypeError: names the first that is not.
    """
    for field in dataclasses.fields(record):
        value, kind = getattr(record, field.name), str(field.type)
        if value is None and "None" in kind:
            continue
        if kind == "bool":
            fits = isinstance(value, bool)
        elif "int" in kind:
            fits = type(value) is int and abs(value) < 1 << 31
        elif "float" in kind:
            fits = type(value) in (int, float)
        else:
            fits = isinstance(value, str) and len(value) <= _LONGEST_TEXT
        if not fits:
            raise TypeError(f"{field.name} can't be {reprlib.repr(value)}")
