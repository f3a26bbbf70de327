"""Writes the report as one file."""

from __future__ import annotations

from pathlib import Path

from sdk.files.input_files import printable
from training.files.atomic_file import replacing
from training.report.content import ReportContent
from training.report.curves import curves_section
from training.report.motion_strips import motions_section
from training.report.page import Figures, page_with_plots
from training.report.summary import header, headline_section, settings_section, target_section, warnings_section
from training.report.target_player import player_script, player_section
from training.report.target_samples import samples_section
from training.report.viewpoints import viewpoints_section


def write_report(content: ReportContent, path: Path) -> None:
    """Write the report as one HTML file that opens offline. About 5 MB of it are the plotting library.

    Args:
        content: What to show.
        path: The file. It is replaced in one step, or stays as it was.

    Raises:
        OSError: if it can't be written.
    """
    page = report_html(content)
    with replacing(path) as part:
        part.write_text(printable(page), encoding="utf-8")


def report_html(content: ReportContent) -> str:
    """The report as a string. Videos are read again for their frames. Where one can't be read, the report says so."""
    figures = Figures()
    sections = [
        headline_section(content.metrics),
        *warnings_section(content.warnings),
        samples_section(content.samples),
        player_section(content.clip, figures),
        viewpoints_section(content.viewpoints, figures),
        motions_section(content.motions),
        curves_section(content.curves, figures),
        target_section(content.videos, content.skipped, content.whom),
        settings_section(content.command, content.config, content.versions),
    ]
    footer = "<p>This file holds everything it shows and loads nothing from a network.</p>"
    return page_with_plots(f"{content.title} · AdaptPose", header(content), sections, footer, [player_script()])
