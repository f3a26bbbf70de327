"""A sheet of drawings in rows, one SVG file, with the word REHEARSAL across all of it where it is one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from training.files.atomic_file import replacing
from training.protocols.notes import REHEARSAL
from training.report.pose_drawing import FAINT_INK, INK, PAPER

_CELL, _GAP, _HEAD, _LABEL = 190, 8, 74, 20


@dataclass(frozen=True)
class Cell:
    """One drawing.

    Attributes:
        drawing: An `<svg viewBox=...>` element.
        label: A line below it.
        columns: How many columns it is wide.
    """

    drawing: str
    label: str
    columns: int = 1


def write_sheet(
    path: Path,
    title: str,
    rows: Sequence[Sequence[Cell]],
    legend: Sequence[tuple[str, str]],
    notes: Sequence[str],
    *,
    rehearsal: bool,
) -> Path:
    """Write the sheet, whole or not at all.

    Args:
        path: The file.
        title: First line.
        rows: Drawings.
        legend: Colours and what they mean.
        notes: Lines below the title: protocol, run, seed.
        rehearsal: Whether the data is drawn.
    """
    width = max(sum(cell.columns for cell in row) for row in rows) * (_CELL + _GAP) + _GAP
    width = max(width, 640)
    top = _HEAD + 16 * len(notes)
    height = top + len(rows) * (_CELL + _LABEL + _GAP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'font-family="sans-serif" font-size="12" fill="{INK}"><rect width="100%" height="100%" fill="{PAPER}"/>'
        f'<text x="{_GAP}" y="22" font-size="16">{escape(title)}</text>'
    ]
    at = _GAP
    for colour, meaning in legend:
        parts.append(f'<rect x="{at}" y="36" width="12" height="12" fill="{colour}"/>')
        parts.append(f'<text x="{at + 17}" y="46">{escape(meaning)}</text>')
        at += 34 + 7 * len(meaning)
    parts += [
        f'<text x="{_GAP}" y="{66 + 16 * line}" fill="{FAINT_INK}">{escape(note)}</text>'
        for line, note in enumerate(notes)
    ]
    for number, row in enumerate(rows):
        left, y = _GAP, top + number * (_CELL + _LABEL + _GAP)
        for cell in row:
            across = cell.columns * (_CELL + _GAP) - _GAP
            place = f'<svg x="{left}" y="{y}" width="{across}" height="{_CELL}" '
            parts.append(place + cell.drawing.removeprefix("<svg "))
            parts.append(f'<text x="{left}" y="{y + _CELL + 14}" fill="{FAINT_INK}">{escape(cell.label)}</text>')
            left += across + _GAP
    if rehearsal:
        parts.append(
            f'<text x="{width / 2}" y="{height / 2}" font-size="{width / 14:.0f}" fill="#c00000" fill-opacity="0.35" '
            f'text-anchor="middle" transform="rotate(-20 {width / 2} {height / 2})">REHEARSAL</text>'
            f'<text x="{width - _GAP}" y="{height - 4}" fill="#c00000" text-anchor="end">{escape(REHEARSAL)}</text>'
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as part:
        part.write_text("".join([*parts, "</svg>\n"]), encoding="utf-8")
    return path
