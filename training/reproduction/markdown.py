"""Tables in Markdown, and the cell of a figure over several seeds."""

from __future__ import annotations

import statistics
from collections.abc import Container, Iterable, Sequence


def markdown_table(heads: Sequence[str], rows: Iterable[Sequence[str]], numbers: Container[int] = ()) -> str:
    """A table, without a line end after it.

    Args:
        heads: Heads of the columns.
        rows: Cells of each row.
        numbers: Columns of numbers, which are set to the right.
    """
    rule = ["---:" if column in numbers else "---" for column in range(len(heads))]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (heads, rule, *rows))


def mean_and_range(values: Sequence[float], seeds: int) -> str:
    """`mean (largest minus smallest)` of one value a seed; it says if there are fewer than `seeds`. Empty of none."""
    if not values:
        return ""
    some = "" if len(values) == seeds else f", {len(values)} of {seeds} seeds"
    return f"{statistics.fmean(values):.1f} ({max(values) - min(values):.1f}{some})"
