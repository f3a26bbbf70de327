"""Reads the frame rate of a motion file from a .json file in the same folder, for formats that do not store it."""

from __future__ import annotations

import json
from pathlib import Path

from sdk.errors import BadMotion

FRAME_RATE_KEY = "frame_rate_hz"


def rate_beside(path: Path) -> float | None:
    """`fps` or `frame_rate_hz` in the .json file of the same name; None without such a file.

    Raises:
        BadMotion: the .json file can't be read, or has neither.
    """
    beside = path.with_suffix(".json")
    if not beside.is_file():
        return None
    try:
        facts = json.loads(beside.read_text(encoding="utf-8"))
        return float(facts["fps"] if "fps" in facts else facts[FRAME_RATE_KEY])
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadMotion(f"{beside} does not say 'fps': {error!r}.") from error
