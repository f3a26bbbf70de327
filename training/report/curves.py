"""Plots of losses and other values of the training over its steps."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np

from sdk.pages.page import Section, card, grid, missing
from training.report.content import CurveGroup, LossCurve
from training.report.page import AXIS, Figures
from training.report.pose_drawing import SERIES

GROUPS: dict[CurveGroup, tuple[str, str, str]] = {
    "generator": (
        "Generator",
        "loss",
        "What the motion generator tries to lower: it falls when its poses pass for target 2D and for human 3D.",
    ),
    "discriminators": (
        "Discriminators",
        "loss",
        "How well generated is told from real. They should stay in balance: near zero means the generator is found out "
        "every time and learns little.",
    ),
    "feedback": (
        "Difficulty of what is generated",
        "ratio",
        "Hard ratio: the lifter's error on generated motion over its error on the source. 1 is as easy as the source.",
    ),
    "lifter": ("Lifter", "loss", "Its error on source motion and on the generated motion that it is trained with."),
    "selection": (
        "Share selected",
        "share",
        "Part of the generated motions that is used: it stays within the image and, by the paper's recipe, is "
        "neither too easy nor too hard.",
    ),
    "choice": (
        "Choice of the lifter",
        "relative to the start",
        "Inconsistency of each checkpoint on your videos: 3D against 2D, bone lengths, left "
        "against right, lifted again after a turn. 1 is the lifter before adaptation; the lowest is the one you get.",
    ),
}
MOST_POINTS = 400
"""Most values drawn of a curve. Longer curves are averaged in equal stretches."""
_LOG_FROM_RATIO = 30.0
"""The axis is logarithmic if the largest value is so many times the smallest, and all are positive."""


def curves_section(curves: Sequence[LossCurve], figures: Figures) -> Section:
    """One plot for each group that has curves."""
    how = (
        "How the training went. A step is one batch. A quiet, settled end is a good sign; a curve that runs away at "
        "the end is not. Click a name to hide a curve, drag to zoom, double-click to go back."
    )
    groups = {group: [curve for curve in curves if curve.group == group and len(curve.steps)] for group in GROUPS}
    cards = [_card(group, members, figures) for group, members in groups.items() if members]
    body = [grid(cards, 2)] if cards else [missing("No training curves were recorded in this run.")]
    return Section("curves", "Training curves", how, body)


def thin(steps: np.ndarray, values: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Average a curve in at most `most` stretches of equally many values. NaN values are ignored unless all are NaN."""
    if len(steps) <= most:
        return np.asarray(steps, float), np.asarray(values, float)
    edges = np.linspace(0, len(steps), most + 1).round().astype(int)
    known = np.isfinite(values)
    total = np.add.reduceat(np.where(known, values, 0.0), edges[:-1])
    counts = np.add.reduceat(known.astype(float), edges[:-1])
    middle = np.add.reduceat(np.asarray(steps, float), edges[:-1]) / np.diff(edges)
    return middle, np.where(counts > 0, total / np.maximum(counts, 1), np.nan)


def _card(group: CurveGroup, curves: list[LossCurve], figures: Figures) -> str:
    title, quantity, meaning = GROUPS[group]
    traces, seen = [], []
    for at, curve in enumerate(curves):
        steps, values = thin(curve.steps, curve.values, MOST_POINTS)
        seen.append(values[np.isfinite(values)])
        traces.append(
            {
                "type": "scatter",
                "mode": "lines" if len(steps) > 1 else "markers",
                "name": escape(curve.name),
                "x": steps.round(1),
                "y": [float(f"{value:.5g}") if np.isfinite(value) else None for value in values],
                "line": {
                    "color": SERIES[at % len(SERIES)],
                    "width": 1.8,
                    "dash": "solid" if at < len(SERIES) else "dot",
                },
                "hovertemplate": "%{y:.4g}",
            }
        )
    numbers = np.concatenate(seen)
    log = len(numbers) > 0 and numbers.min() > 0 and numbers.max() / numbers.min() > _LOG_FROM_RATIO
    share = group == "selection" and len(numbers) > 0 and numbers.min() >= 0 and numbers.max() <= 1
    layout: dict = {
        "xaxis": {**AXIS, "title": {"text": "step", "standoff": 4}},
        "yaxis": {
            **AXIS,
            "type": "log" if log else "linear",
            "rangemode": "tozero",
            "title": {"text": quantity, "standoff": 4},
        },
        "hovermode": "x unified",
        "showlegend": True,
        "margin": {"l": 52, "r": 12, "t": 34, "b": 44},
    }
    if log:
        layout["yaxis"] |= {"dtick": 1, "tickformat": "~g"}
    if share:
        layout["yaxis"] |= {"range": [0, 1.02], "tickformat": ".0%"}
    return card(title + (" (logarithmic)" if log else ""), figures.html(traces, layout, 300, title), meaning)
