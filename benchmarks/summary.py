"""Prints runs of the cross-domain benchmark as one table: mean over seeds, and spread (largest minus smallest).

python benchmarks/summary.py runs/benchmark/*/result.json
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tyro

HEADER = (
    "| recipe | seeds | before | after, as chosen | last | best by the labels | source before | source after "
    "| minutes |\n|---|---|---|---|---|---|---|---|---|"
)


@dataclass(frozen=True)
class Summary:
    """Print a table of finished runs."""

    results: tyro.conf.Positional[tuple[Path, ...]]
    """result.json files of benchmarks/cross_domain.py."""


def as_markdown(results: Sequence[dict]) -> str:
    """One row per recipe and starting lifter. Errors are MPJPE / PA-MPJPE in millimetres.

    Args:
        results: Contents of result.json files.
    """
    groups: dict[tuple[str, str], list[dict]] = defaultdict(list)
    for result in results:
        start = result["start"].partition("-seed")[0]
        groups[result["recipe"], start].append(result)
    return "\n".join([HEADER, *(_row(recipe, runs) for (recipe, _), runs in groups.items())])


def _row(recipe: str, runs: list[dict]) -> str:
    def errors(name: str, prefix: str = "") -> str:
        return " / ".join(
            _mean_and_spread(runs, lambda run, key=key: run[name][prefix + key]) for key in ("mpjpe_mm", "pa_mpjpe_mm")
        )

    cells = (
        recipe,
        ", ".join(str(seed) for seed in sorted(run["seed"] for run in runs)),
        *(errors(name) for name in ("before", "after", "last", "best")),
        *(errors(name, "validation/") for name in ("source_before", "source_after")),
        f"{np.mean([run['minutes'] for run in runs]):.1f}",
    )
    return f"| {' | '.join(cells)} |"


def _mean_and_spread(runs: list[dict], number: Callable[[dict], float]) -> str:
    values = [number(run) for run in runs]
    spread = f" ({max(values) - min(values):.1f})" if len(values) > 1 else ""
    return f"{np.mean(values):.1f}{spread}"


def main() -> None:
    """Print the table."""
    settings = tyro.cli(Summary, description=__doc__)
    print(as_markdown([json.loads(path.read_text()) for path in settings.results]))


if __name__ == "__main__":
    main()
