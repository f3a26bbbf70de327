"""The application's own step at the end of a stream, and the base of those that measure each pose."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol, runtime_checkable

import numpy as np

from sdk.results.pose_frame import Measurement, PersonPose, PoseFrame


@runtime_checkable
class Processor(Protocol):
    """Looks at every result and may change it (results are frozen: `dataclasses.replace` makes a changed one).

    `PoseStream(..., processors=[...])` calls them in order, in the lifting thread; what one raises ends the stream.
    """

    def process(self, result: PoseFrame) -> PoseFrame:
        """The result that goes on, for instance with `measurements` added to its people."""
        ...


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
