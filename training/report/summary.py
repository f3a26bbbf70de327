"""The top of the report: what changed, and the run itself (target, skipped files, settings)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

from sdk.pages.page import MINUS, NO_BREAK, NONE, Section, missing, note, number, table
from training.report.content import MetricRow, ReportContent, SkippedVideo, TargetVideo

NO_LABELS = (
    "The target has no 3D labels, so no number here is accuracy on the target. What can be measured on it without "
    "labels shows whether the poses are plausible and agree with the 2D, not whether they are right."
)


def headline_section(metrics: Sequence[MetricRow]) -> Section:
    """The table of metrics, always with the sentence on what they can't show."""
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
    if not row.unit.startswith("%") and before:  # a percentage of a percentage would confuse
        amount += f" <b>({sign}{number(100 * difference / abs(before), like=[10])} %)</b>"
    if not row.better:
        return amount
    good = (difference < 0) == (row.better == "lower")
    return f'<span class="{"good" if good else "bad"}">{amount}<small>{"better" if good else "worse"}</small></span>'


def header(content: ReportContent) -> str:
    """Title and facts, one line each, as HTML."""
    facts = [
        ("finished", content.finished_at),
        ("took", f"{content.minutes:.1f} minutes"),
        ("seed", str(content.seed)),
        ("on", content.machine),
    ]
    items = "".join(f"<li>{name} <b>{escape(value)}</b></li>" for name, value in facts if value)
    kind = '<p class="kind">AdaptPose · adaptation report</p>'
    return f'{kind}<h1>{escape(content.title)}</h1><ul class="facts">{items}</ul>'


def warnings_section(warnings: Sequence[str]) -> list[Section]:
    """What the user must know. Without warnings there is no section."""
    if not warnings:
        return []
    items = "".join(f"<li>{escape(warning)}</li>" for warning in warnings)
    how = "Read these before you rely on the result."
    return [Section("warnings", "Please note", how, [f'<ul class="warnings">{items}</ul>'])]


def target_section(videos: Sequence[TargetVideo], skipped: Sequence[SkippedVideo], whom: str = "") -> Section:
    """What the lifter was adapted to, and what was left out, by name and reason.

    Args:
        videos: What was used.
        skipped: What was not.
        whom: Which people were taken, in words; empty if that is not known.
    """
    how = "The videos that the lifter was adapted to. A track is one person, followed without a gap."
    if whom:
        how += f" People taken: {whom}."
    told = any(v.expected_error_mm is not None for v in videos)
    if told:
        how += (
            " The expected error is the lifter's own estimate, without a label. Where it is high, more video of such "
            "views and movements helps most."
        )
    rows = [
        [escape(v.name), f"{v.tracks:,}", f"{v.frames:,}", f"{v.seconds:,.1f}"]
        + ([f"{number(v.expected_error_mm, like=[10])}{NO_BREAK}mm", escape(v.least_sure)] if told else [])
        for v in videos
    ]
    if len(rows) > 1:
        totals = (
            sum(v.tracks for v in videos),
            sum(v.frames for v in videos),
            sum(v.seconds for v in videos),
        )
        counts = [f"<b>{totals[0]:,}</b>", f"<b>{totals[1]:,}</b>", f"<b>{totals[2]:,.1f}</b>"]
        rows.append(["<b>all</b>", *counts, *(["", ""] if told else [])])
    heads = ("Video", "Tracks", "Poses", "Seconds", *(("Expected error", "Least sure of") if told else ()))
    used = table(heads, rows, numeric=(1, 2, 3, 4) if told else (1, 2, 3)) if rows else missing("No videos.")
    left_out = (
        table(("Skipped", "Why"), [[escape(s.name), escape(s.reason)] for s in skipped])
        if skipped
        else missing("Nothing was skipped.")
    )
    return Section("target", "Target videos", how, [used, '<h3 class="spaced">What was skipped</h3>', left_out])


def settings_section(command: str, config: Mapping[str, object], versions: Mapping[str, str]) -> Section:
    """What is needed to repeat the run."""
    how = "With the same command, versions and seed the run gives the same result on the same machine."
    settings = table(("Setting", "Value"), [[escape(str(name)), escape(str(value))] for name, value in config.items()])
    packages = table(("Package", "Version"), [[escape(name), escape(version)] for name, version in versions.items()])
    body = [f"<pre>{escape(command)}</pre>", f'<div class="grid columns2">{settings}{packages}</div>']
    return Section("settings", "Settings", how, body)
