"""An input that was left out, and why."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Skipped:
    """An input that was left out. The report names it at the end.

    Attributes:
        name: Name of the file, or of the clip within a file.
        reason: One line.
    """

    name: str
    reason: str
