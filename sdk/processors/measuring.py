"""A processor that measures every pose by a function of its joints."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from sdk.poses import Measurement, PersonPose, PoseFrame

UP = np.array([0.0, -1.0, 0.0])
"""Against gravity in camera axes, for a level camera."""


class MeasuringProcessor:
    """Adds to every lifted person what a function of the joints returns, in radians.

    Args:
        measure: From (16, 3) metres and the direction up, (3,), to radians by name.
        prefix: Before every name.
        up: (3,) direction against gravity in camera axes, where the camera is not level.
    """

    def __init__(
        self, measure: Callable[[np.ndarray, np.ndarray], dict[str, float]], prefix: str = "", up: np.ndarray = UP
    ) -> None:
        self._measure, self._prefix, self._up = measure, prefix, np.asarray(up, np.float64)

    def process(self, result: PoseFrame) -> PoseFrame:
        """The result with the measures among its people's measurements."""
        return replace(result, people=tuple(self._measured(person) for person in result.people))

    def _measured(self, person: PersonPose) -> PersonPose:
        if person.joints_m is None:
            return person
        measures = self._measure(person.joints_m, self._up)
        added = tuple(Measurement(self._prefix + name, value, "rad") for name, value in measures.items())
        return replace(person, measurements=person.measurements + added)
