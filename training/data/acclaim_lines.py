"""Acclaim's text files (.asf skeletons, .amc motion) line by line, with the numbers that errors name lines by."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from sdk.errors import BadMotion

Line = tuple[int, list[str]]
"""Its number, counted from 1, and its words; at least one."""

LONGEST_LINE = 10_000
"""In characters; a bone's line has some 60."""
LARGEST_NUMBER = 1e6
"""Of degrees, or of any unit of length: what is beyond it was never measured on a person."""

_SPACES = str.maketrans("(),", "   ")


def acclaim_lines(path: Path, largest_bytes: int) -> Iterator[Line]:
    """The lines of a file that hold more than a comment; brackets and commas are spaces.

    Raises:
        BadMotion: the file can't be read, is larger than `largest_bytes`, or has a line beyond `LONGEST_LINE`.
    """
    try:
        size = path.stat().st_size
        if size > largest_bytes:
            raise BadMotion(
                f"{path.name} has {size / 1e6:.0f} MB; {path.suffix} files of up to {largest_bytes / 1e6:.0f} MB are "
                "read. Split it."
            )
        with open(path, encoding="utf-8-sig", errors="replace") as file:
            for number, text in enumerate(iter(lambda: file.readline(LONGEST_LINE + 1), ""), 1):
                if len(text) > LONGEST_LINE:
                    raise BadMotion(
                        f"{path.name}, line {number} is longer than {LONGEST_LINE} characters: it is damaged."
                    )
                words = text.partition("#")[0].translate(_SPACES).split()
                if words:
                    yield number, words
    except OSError as error:
        raise BadMotion(f"{path.name} can't be read: {error}") from error


def parse_numbers(where: str, words: Sequence[str], count: int) -> np.ndarray:
    """(count,) float64 of words.

    Args:
        where: File, line and what the numbers are, for the error.
        words: As they stand in the file.
        count: How many there must be.

    Raises:
        BadMotion: for another number of words, or one that is no finite number up to `LARGEST_NUMBER`.
    """
    try:
        numbers = np.array([float(word) for word in words])
    except ValueError:
        numbers = np.full(len(words), np.nan)
    if len(words) != count or not (np.abs(numbers) <= LARGEST_NUMBER).all():
        shown = " ".join(words)[:60]
        raise BadMotion(f"{where} must be {count} number{'s' if count > 1 else ''} within 1e6, not {shown!r}.")
    return numbers
