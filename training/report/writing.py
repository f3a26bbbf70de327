"""The report as one file."""

from __future__ import annotations

from pathlib import Path

from training.report.content import ReportContent


def write_report(content: ReportContent, path: Path) -> None:
    """Write the report as one HTML file that opens offline; `path` is replaced in one step, or left as it was."""
    raise NotImplementedError
