"""What changed: the numbers before and after."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from training.report.content import MetricRow
from training.report.page import MINUS, NO_BREAK, NONE, Section, missing, note, number, table

NO_LABELS = (
    "The target has no 3D labels, so no number here is accuracy on the target. What can be measured on it without "
    "labels shows whether the poses are plausible and agree with the 2D, not whether they are right."
)


def headline_section(metrics: Sequence[MetricRow]) -> Section:
    """The table of metrics; always with the sentence on what they can't say."""
    rows = [
        [
            escape(row.name) + (f"<small>{escape(row.note)}</small>" if row.note else ""),
            _with_unit(row.before, row.after, row.unit),
            _with_unit(row.after, row.before, row.unit),
            _change(row),
        ]
        for row in metrics
    ]
    body = (
        f'<div class="headline">{table(("Measured", "Before", "After", "Change"), rows, numeric=(1, 2, 3))}</div>'
        if rows
        else missing("No numbers were measured in this run.")
    )
    how = "Before is the lifter this run started from, after is the adapted one; both were given the same input."
    return Section("headline", "What changed", how, [body, note(NO_LABELS)])


def _with_unit(value: float | None, other: float | None, unit: str) -> str:
    text = number(value, like=[other])
    return f"<b>{text}</b>{NO_BREAK}{escape(unit)}" if unit and text != NONE else f"<b>{text}</b>"


def _change(row: MetricRow) -> str:
    before, after = row.before, row.after
    if before is None or after is None or not (math.isfinite(before) and math.isfinite(after)):
        return NONE
    difference = after - before
    amount = number(difference, like=[before, after])
    if not amount.strip(f"0.{MINUS}"):
        return "none"
    sign = "+" if difference > 0 else ""
    unit = "points" if row.unit.startswith("%") else row.unit
    amount = f"<b>{sign}{amount} {escape(unit)}</b>" if unit else f"<b>{sign}{amount}</b>"
    if not row.unit.startswith("%") and before:  # per cent of per cent would only confuse
        amount += f" <b>({sign}{number(100 * difference / abs(before), like=[10])} %)</b>"
    if not row.better:
        return amount
    good = (difference < 0) == (row.better == "lower")
    return f'<span class="{"good" if good else "bad"}">{amount}<small>{"better" if good else "worse"}</small></span>'
