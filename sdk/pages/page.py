"""The HTML of an offline page: pieces round the figures. All text is escaped."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from html import escape
from importlib.resources import files

MINUS, NONE, NO_BREAK = "\u2212", "\u2013", "\u00a0"
"""The signs for a negative number, for no number, and for a space between a number and its unit."""


class Section:
    """A part of the page, with a heading, one line on how to read it, and an entry in the navigation.

    Attributes:
        anchor: Name of its link.
        heading: Plain text.
        html: The whole section.
    """

    def __init__(self, anchor: str, heading: str, how_to_read: str, body: Iterable[str]) -> None:
        self.anchor, self.heading = anchor, heading
        self.html = (
            f'<section id="{anchor}"><h2>{escape(heading)}</h2><p class="how">{escape(how_to_read)}</p>'
            f"{''.join(body)}</section>"
        )


def missing(what: str) -> str:
    """The line for a part with nothing to show."""
    return f'<p class="missing">{escape(what)}</p>'


def note(text: str) -> str:
    """A small line under a figure."""
    return f'<p class="note">{escape(text)}</p>'


def card(title: str, body: str, caption: str = "") -> str:
    """A framed figure with a title above and a caption below. `body` is HTML, the others are text."""
    below = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    above = f"<h3>{escape(title)}</h3>" if title else ""
    return f'<figure class="card">{above}{body}{below}</figure>'


def grid(cards: Iterable[str], columns: int | str) -> str:
    """Cards side by side if there is room; one below the other on a phone.

    Args:
        cards: HTML of each card.
        columns: 1, 2 or 3, or the name of a special arrangement in the style sheet.
    """
    arrangement = f"columns{columns}" if isinstance(columns, int) else columns
    return f'<div class="grid {arrangement}">{"".join(cards)}</div>'


def key(entries: Iterable[tuple[str, str]]) -> str:
    """A legend: (colour, text) pairs."""
    return (
        '<p class="key">'
        + "".join(
            f'<span><i style="background:{escape(colour)}"></i>{escape(label)}</span>' for colour, label in entries
        )
        + "</p>"
    )


def table(headings: Sequence[str], rows: Iterable[Sequence[str]], numeric: Sequence[int] = ()) -> str:
    """A table of HTML cells. The columns in `numeric` are aligned to the right. It scrolls if it is too wide."""

    def line(cells: Sequence[str], tag: str) -> str:
        return "".join(
            f'<{tag}{" class=number" if at in numeric else ""} data-label="{escape(headings[at])}">{cell}</{tag}>'
            for at, cell in enumerate(cells)
        )

    body = "".join(f"<tr>{line(cells, 'td')}</tr>" for cells in rows)
    head = line([escape(heading) for heading in headings], "th")
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def number(value: float | None, like: Iterable[float | None] = ()) -> str:
    """A number for people: decimals by its size, a real minus sign, a dash if there is no number.

    Args:
        value: The number; None or NaN give a dash.
        like: Numbers beside it. All of them get the same count of decimals.
    """
    if value is None or not math.isfinite(value):
        return NONE
    size = max(abs(other) for other in (value, *like) if other is not None and math.isfinite(other))
    decimals = 0 if size >= 1000 else 1 if size >= 10 else 2 if size >= 1 else 3 if size >= 0.1 or size == 0 else None
    if decimals is None:
        decimals = 2 - math.floor(math.log10(size))
    return f"{value:,.{decimals}f}".replace("-", MINUS)


def whole_page(
    title: str, header: str, sections: Iterable[Section], footer: str, scripts: Iterable[str], *, compiles: bool = False
) -> str:
    """The document. Its content policy forbids all loads from elsewhere, so that it needs no network.

    Args:
        title: Text of the browser tab.
        header: HTML above the navigation.
        sections: In order.
        footer: HTML at the end.
        scripts: Run before the body.
        compiles: Whether a script compiles code at run time, as plotly.js does for WebGL.
    """
    sections = list(sections)
    style = (files("sdk.pages") / "page.css").read_text(encoding="utf-8")
    links = "".join(f'<a href="#{section.anchor}">{escape(section.heading)}</a>' for section in sections)
    evaluates = "'unsafe-eval' " * compiles
    # blob: is plotly's "download as image".
    policy = (
        f"default-src 'none'; script-src 'unsafe-inline' {evaluates}; style-src 'unsafe-inline'; img-src data: blob:"
    ).replace(" ;", ";")
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{escape(title)}</title>'
        f"<style>{style}</style>{''.join(f'<script>{script}</script>' for script in scripts)}</head>"
        f"<body><header>{header}</header><nav>{links}</nav><main>{''.join(s.html for s in sections)}</main>"
        f"<footer>{footer}</footer></body></html>\n"
    )


def script_values(values: object) -> str:
    """JSON for a script inside the page: "</" would end the script; JSON may write it as "<\\/"."""
    return json.dumps(values, separators=(",", ":"), allow_nan=False).replace("</", "<\\/")
