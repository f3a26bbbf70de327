"""Reads rows of numbers from text files. An empty cell is NaN."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from sdk.errors import BadKeypoints
from sdk.keypoint_files.limits import NotThisFormat, check_file_size
from sdk.keypoint_files.parsing.json_file import shown

_LONGEST_LINE = 1 << 20


def read_lines(path: Path, delimiter: str) -> list[list[str]]:
    """All rows of a text file, as cells.

    Raises:
        NotThisFormat: it is not text.
        BadKeypoints: it is too large, or has a line that is too long.
    """
    check_file_size(path)
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.reader(iter(lambda: file.readline(_LONGEST_LINE), ""), delimiter=delimiter))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise NotThisFormat(f"not a text file ({error})") from error
    return [row for row in rows if any(cell.strip() for cell in row)]


def to_table(path: Path, rows: list[list[str]], columns: int) -> np.ndarray:
    """Cells as numbers (rows, columns). Extra empty cells at the end of a row are ignored.

    Raises:
        BadKeypoints: a row has another length, or a cell is neither empty nor a number.
    """
    for number, row in enumerate(rows):  # before the table is made: a wide header could ask for terabytes
        if len(row) < columns or any(cell.strip() for cell in row[columns:]):
            raise BadKeypoints(f"{path}: data row {number + 1} has {len(row)} cells, not {columns}.")
    table = np.full((len(rows), columns), np.nan)
    for number, row in enumerate(rows):
        cells = [cell.strip() for cell in row]
        for column, cell in enumerate(cells[:columns]):
            if cell:
                try:
                    table[number, column] = float(cell)
                except ValueError:
                    raise BadKeypoints(
                        f"{path}: data row {number + 1}, cell {column + 1} is {shown(cell)}, not a number."
                    ) from None
    return table
