"""An input that was left out, and why."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Skipped:
    """What the report at the end names: the rest went on without it.

    Attributes:
        name: File, or clip within a file.
        reason: One line.
    """

    name: str
    reason: str
