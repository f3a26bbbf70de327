"""The numbers of a run over its steps, kept with its state so that a resumed run shows all of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

_POINTS = 500
"""Points of a curve in the end: as many as a screen shows."""


class History:
    """Values by name; NaN where a step gave none."""

    def __init__(self) -> None:
        self._steps: list[int] = []
        self._values: dict[str, list[float]] = {}

    def add(self, step: int, values: Mapping[str, float]) -> None:
        """Take the numbers of a step."""
        for name in values:
            self._values.setdefault(name, [float("nan")] * len(self._steps))
        self._steps.append(step)
        for name, numbers in self._values.items():
            numbers.append(values.get(name, float("nan")))

    def curves(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """By name: steps and values, averaged over equal stretches so that a curve has at most some 500 points."""
        stretches = np.array_split(np.array(self._steps), min(_POINTS, max(len(self._steps), 1)))
        lengths = np.cumsum([len(stretch) for stretch in stretches])[:-1]
        steps = np.array([stretch.mean() for stretch in stretches if len(stretch)])
        result = {}
        for name, numbers in self._values.items():
            parts = np.split(np.array(numbers), lengths)
            means = np.array([np.nan if np.isnan(part).all() else np.nanmean(part) for part in parts if len(part)])
            known = ~np.isnan(means)
            result[name] = (steps[known], means[known])
        return result

    def state_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {"steps": list(self._steps), "values": {name: list(numbers) for name, numbers in self._values.items()}}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take them back."""
        self._steps, self._values = list(state["steps"]), {k: list(v) for k, v in state["values"].items()}
