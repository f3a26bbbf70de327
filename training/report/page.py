"""Plots of the report: plotly's, drawn on a page that needs no network."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from importlib.resources import files
from itertools import count

from sdk.pages.page import Section, whole_page


class Figures:
    """Makes plots. Element ids are counted, so that the same content gives the same file."""

    def __init__(self) -> None:
        self._ids = count(1)

    def html(self, traces: list[dict], layout: dict, height_px: int | None, label: str, element_id: str = "") -> str:
        """A plotly figure as a `div`, without the library.

        Args:
            traces: Plotly traces. Text from outside must be escaped already.
            layout: Plotly layout; it overrides the layout of the page.
            height_px: Height; None for a 3D scene (its height is in the style sheet). The width is that of its place.
            label: What the plot shows, for screen readers.
            element_id: From `new_id`, if a script must find the plot.
        """
        from plotly.io import to_html

        figure = {"data": traces, "layout": {**_LAYOUT, **layout}}
        # No button bar, because one of its buttons sends the figure to a cloud service.
        config = {"displayModeBar": False, "responsive": False}  # page_fit.js does that
        div = to_html(
            figure,
            config=config,
            full_html=False,
            include_plotlyjs=False,
            include_mathjax=False,
            div_id=element_id or self.new_id(),
            default_width="100%",
            default_height="100%",
        )
        place = f'class="plot" style="height:{height_px}px"' if height_px else 'class="plot scene"'
        return f'<div {place} role="img" aria-label="{escape(label)}">{div}</div>'

    def new_id(self) -> str:
        """A new element id for the page."""
        return f"plot-{next(self._ids)}"


FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
_LAYOUT: dict = {
    "autosize": True,
    "template": "none",
    "font": {"family": FONT, "size": 12, "color": "#1c2430"},
    "paper_bgcolor": "#ffffff",
    "plot_bgcolor": "#ffffff",
    "margin": {"l": 52, "r": 12, "t": 10, "b": 44},
    "hoverlabel": {"bgcolor": "#ffffff", "bordercolor": "#dfe3e8"},
    "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "xanchor": "left"},
}
AXIS: dict = {
    "gridcolor": "#e8ebef",
    "zerolinecolor": "#c3cad3",
    "linecolor": "#c3cad3",
    "showline": True,
    "automargin": True,
    "ticks": "outside",
    "tickcolor": "#c3cad3",
    "title": {"standoff": 8},
}
"""Style of every 2D axis."""


def page_with_plots(title: str, header: str, sections: Iterable[Section], footer: str, scripts: Iterable[str]) -> str:
    """The document with the plotting library; see `whole_page`. `scripts` run after the library."""
    from plotly.offline import get_plotlyjs

    fit = (files("training.report") / "page_fit.js").read_text(encoding="utf-8")
    return whole_page(title, header, sections, footer, (get_plotlyjs(), fit, *scripts), compiles=True)
