"""Reads Acclaim's text files line by line, with line numbers for errors, and finds the .asf that belongs to an .amc."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from sdk.errors import BadMotion

Line = tuple[int, list[str]]
"""Number of a line, counted from 1, and its words, at least one."""

LONGEST_LINE = 10_000
"""Longest line in characters. The line of a bone has about 60."""
LARGEST_NUMBER = 1e6
"""Largest number, in degrees or in any unit of length. No person has larger ones."""

_SPACES = str.maketrans("(),", "   ")


def acclaim_lines(path: Path, largest_bytes: int) -> Iterator[Line]:
    """The lines of a file, without comments and empty lines. Brackets and commas count as spaces.

    Raises:
        BadMotion: the file can't be read, is larger than `largest_bytes`, or has a line longer than `LONGEST_LINE`.
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
    """Words as numbers, (count,) float64.

    Args:
        where: File, line and meaning of the numbers, for the error.
        words: Words of the file.
        count: How many there must be.

    Raises:
        BadMotion: there are more or fewer words, or one is no finite number up to `LARGEST_NUMBER`.
    """
    try:
        numbers = np.array([float(word) for word in words])
    except ValueError:
        numbers = np.full(len(words), np.nan)
    if len(words) != count or not (np.abs(numbers) <= LARGEST_NUMBER).all():
        shown = " ".join(words)[:60]
        raise BadMotion(f"{where} must be {count} number{'s' if count > 1 else ''} within 1e6, not {shown!r}.")
    return numbers


SKELETON_SUFFIX = ".asf"


def skeleton_of(motion: Path) -> Path:
    """The skeleton file of a motion file, in the same folder.

    It is the .asf of the same name; else that of the subject; else the only one. CMU's files begin with the subject's
    number: 02.asf is the skeleton of 02_01.amc, 02_02.amc and so on.

    Raises:
        BadMotion: there is none, or more than one is possible.
    """
    beside = sorted(
        file for file in motion.parent.iterdir() if file.suffix.lower() == SKELETON_SUFFIX and file.is_file()
    )
    stem = motion.stem.lower()
    rules = (
        [file for file in beside if file.stem.lower() == stem],
        [file for file in beside if stem.startswith(f"{file.stem.lower()}_")],
        beside,
    )
    fitting: list[Path] = next((files for files in rules if files), [])
    subject = motion.stem.partition("_")[0]
    if not fitting:
        raise BadMotion(
            f"there is no skeleton beside {motion.name}. Put the {SKELETON_SUFFIX} file that it was recorded with into "
            f"{motion.parent}, as {subject}{SKELETON_SUFFIX} or {motion.stem}{SKELETON_SUFFIX}."
        )
    if len(fitting) > 1:
        raise BadMotion(
            f"{motion.name} may belong to {', '.join(file.name for file in fitting)}. Name its skeleton "
            f"{motion.stem}{SKELETON_SUFFIX}, or leave one in the folder."
        )
    return fitting[0]
