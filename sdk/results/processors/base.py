"""Processors: steps of the application at the end of a stream, and a base class for measures of each pose."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol, runtime_checkable

import numpy as np

from sdk.errors import BadSetting
from sdk.results.pose_frame import Measurement, PersonPose, PoseFrame


@runtime_checkable
class Processor(Protocol):
    """Gets every result and may change it. Results are frozen: use `dataclasses.replace`.

    `PoseStream(..., processors=[...])` calls processors in order, in the lifting thread. An exception ends the stream.
    """

    def process(self, result: PoseFrame) -> PoseFrame:
        """Return the result to pass on, for example with `measurements` added to its people."""
        ...


UP = np.array([0.0, -1.0, 0.0])
"""Direction against gravity in camera axes, for a level camera."""


def checked_direction(name: str, values: object) -> np.ndarray:
    """(3,) float64 of length 1: a direction that an application gives.

    Raises:
        BadSetting: it is not three finite numbers, or has no length.
    """
    try:
        direction = np.asarray(values, np.float64)
    except (TypeError, ValueError):
        direction = np.zeros(0)
    if direction.shape != (3,) or not np.isfinite(direction).all() or not direction.any():
        raise BadSetting(f"{name} is {values!r}; a direction is three finite numbers (x, y, z), not all zero.")
    direction = direction / np.abs(direction).max()  # squares of tiny and of huge numbers are 0 and infinite
    return direction / np.linalg.norm(direction)


class MeasuringProcessor:
    """Adds measurements in radians to every lifted person. A function computes them from the joints.

    Args:
        measure: Function of joints, (16, 3) metres, and the direction up, (3,). Returns radians by name.
        prefix: Text before every name.
        up: (3,) direction against gravity in camera axes, if the camera is not level.

    Raises:
        BadSetting: `up` is no direction.
    """

    def __init__(
        self, measure: Callable[[np.ndarray, np.ndarray], dict[str, float]], prefix: str = "", up: np.ndarray = UP
    ) -> None:
        self._measure, self._prefix, self._up = measure, prefix, checked_direction("up", up)

    def process(self, result: PoseFrame) -> PoseFrame:
        """The result, with the new measurements added to its people."""
        return replace(result, people=tuple(self._measured(person) for person in result.people))

    def _measured(self, person: PersonPose) -> PersonPose:
        if person.joints_m is None:
            return person
        measures = self._measure(person.joints_m, self._up)
        added = tuple(Measurement(self._prefix + name, value, "rad") for name, value in measures.items())
        return replace(person, measurements=person.measurements + added)
