"""Turns poses upright: from camera axes to level axes, so that who stands is drawn and saved standing.

A camera that looks down, or is tilted, sees everybody lean. Poses are turned by the rotation that takes the vertical to
(0, -1, 0) and changes the heading least. Where people stand relative to the camera is turned with them.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from sdk.camera.rotations import shortest_rotation
from sdk.errors import BadSetting, MissingVertical
from sdk.results.pose_frame import PersonPose, PoseFrame
from sdk.results.processors.base import UP, checked_direction
from sdk.skeletons.skeleton import H36M16

_Value = TypeVar("_Value")
MEMORY_S = 10.0
"""The vertical is the median of what was told in so many seconds, so that it follows a camera that is moved."""
_APART_S = 1 / 30 - 1e-6
"""Of faster cameras, frames are left out for the vertical and the floor: a second of them says little more than one."""
ANKLE_HEIGHT_M = 0.08
"""A person without feet has the lowest joint so far above the floor."""
FLOOR_PERCENTILE = 90
"""The floor is where the lowest point of a person mostly is at its lowest: a tenth of the time it may be lower."""
_ITERATIONS = 5
_NEAR = 0.05
"""Directions within 3 degrees of the median have the same weight; farther ones have less (Weiszfeld's iteration)."""


def up_of_tilt(pitch_rad: float, roll_rad: float = 0.0) -> np.ndarray:
    """(3,) up in camera axes, from a camera's own sensors.

    Args:
        pitch_rad: How far the camera looks down: 0 for a level camera, pi/2 for one that looks at the floor.
        roll_rad: How far it is turned about its optical axis, clockwise as seen from behind the camera.

    Raises:
        BadSetting: an angle is not finite.
    """
    if not np.isfinite([pitch_rad, roll_rad]).all():
        raise BadSetting(f"a camera's tilt is two finite angles in radians, not {pitch_rad!r} and {roll_rad!r}.")
    up = np.array([0.0, -np.cos(pitch_rad), -np.sin(pitch_rad)])
    cosine, sine = np.cos(roll_rad), np.sin(roll_rad)
    return np.array([[cosine, sine, 0.0], [-sine, cosine, 0.0], [0.0, 0.0, 1.0]]) @ up


def tilt_of_up(up: np.ndarray) -> tuple[float, float]:
    """Pitch and roll in radians of the camera in which (3,) is up; the inverse of `up_of_tilt`."""
    x, y, z = up / np.linalg.norm(up)
    return float(np.arcsin(np.clip(-z, -1, 1))), float(np.arctan2(-x, -y))


def level_rotation(up: np.ndarray) -> np.ndarray:
    """(3, 3) rotation from camera axes to level axes: x right, y down along gravity, z forward.

    It is the smallest rotation that takes `up` (3,) to (0, -1, 0); upside down, half a turn about the optical axis.
    """
    return shortest_rotation(up, UP, half_turn_about=np.array([0.0, 0.0, 1.0]))


class Upright:
    """A processor that turns everybody upright; later processors and writers get level axes.

    It knows the frames so far. A whole recording has one vertical in all frames: `adaptpose-predict --upright`.

    Everybody gets a floor (`PersonPose.floor_m`): for people with a position in the camera, where their lowest point
    was in the last seconds; for others, their lowest point in this frame.

    The vertical is that of the camera's own sensors if it is given, else what a lifter tells (`Lifter("feet")`), as a
    median over everybody and the last seconds. Single frames are off by 5 to 10 degrees, and some lie upside down.

    Args:
        up: (3,) up in camera axes, of a camera that does not move; see `up_of_tilt`. None: what the lifter tells.

    Attributes:
        up: The present vertical in camera axes, (3,) of length 1; None until something was told.

    Raises:
        BadSetting: `up` is no direction.
        MissingVertical: from `process`, if `up` was not given and the lifter tells none.
    """

    def __init__(self, up: np.ndarray | None = None) -> None:
        self._given = up is not None
        self.up: np.ndarray | None = None if up is None else checked_direction("up", up)
        self._told: deque[tuple[float, np.ndarray]] = deque()
        self._lowest: dict[int, deque[tuple[float, float]]] = {}

    @property
    def tilt_rad(self) -> tuple[float, float] | None:
        """Pitch and roll of the camera; None until something was told."""
        return None if self.up is None else tilt_of_up(self.up)

    def process(self, result: PoseFrame) -> PoseFrame:
        """The result in level axes. A frame before anything was told stays as it is."""
        if not self._given:
            self._listen(result)
        if self.up is None:
            return result
        rotation = level_rotation(self.up)
        if result.after_gap:
            self._lowest.clear()
        for track_id in result.forgotten:
            self._lowest.pop(track_id, None)
        people = tuple(self._on_floor(turned_person(person, rotation), result.timestamp_s) for person in result.people)
        return replace(result, people=people, tilt_rad=tilt_of_up(self.up))

    def _on_floor(self, person: PersonPose, now_s: float) -> PersonPose:
        if person.joints_m is None:
            return person
        below = lowest_m(person.joints_m[:, 1])
        if person.root_m is None:
            return replace(person, floor_m=below)
        root = float(person.root_m[1])
        lowest = self._lowest.setdefault(person.track_id, deque())
        _remember(lowest, [root + below], now_s)
        floor = float(np.percentile([one for _, one in lowest], FLOOR_PERCENTILE))
        return replace(person, floor_m=floor - root)

    def _listen(self, result: PoseFrame) -> None:
        told = require_told(result)
        if result.after_gap:
            self._told.clear()
        _remember(self._told, told, result.timestamp_s)
        if told:
            self.up = median_direction(np.stack([one for _, one in self._told]))


def require_told(result: PoseFrame) -> list[np.ndarray]:
    """What is told of the vertical in a frame, (3,) each; nothing of a frame in which nobody was lifted.

    Raises:
        MissingVertical: the lifter tells nothing.
    """
    lifted = [person for person in result.people if person.joints_m is not None]
    told = [np.asarray(person.up, np.float64) for person in lifted if person.up is not None]
    if lifted and not told:
        raise MissingVertical(
            "this lifter does not tell which way is up: take Lifter('feet') (--model feet), or give the camera's "
            "tilt (--tilt PITCH ROLL)."
        )
    return [one for one in told if np.isfinite(one).all()]


def lowest_m(down_m: np.ndarray) -> float:
    """How far the lowest point of a person lies under the pelvis, metres; of (J,) how far each joint does."""
    return float(down_m.max()) + (ANKLE_HEIGHT_M if len(down_m) == len(H36M16) else 0.0)


def _remember(values: deque[tuple[float, _Value]], new: list[_Value], now_s: float) -> None:
    """Add a frame's values to those of the last `MEMORY_S`, and forget older ones."""
    if not values or now_s - values[-1][0] >= _APART_S:
        values.extend((now_s, one) for one in new)
    while values and values[0][0] < now_s - MEMORY_S:
        values.popleft()


def median_direction(directions: np.ndarray) -> np.ndarray:
    """The geometric median of directions (N, 3), of length 1."""
    usual = np.median(directions, axis=0)
    for _ in range(_ITERATIONS):
        weight = 1 / np.maximum(np.linalg.norm(directions - usual, axis=1, keepdims=True), _NEAR)
        usual = (weight * directions).sum(0) / weight.sum()
    length = np.linalg.norm(usual)
    return usual / length if length > 0 else directions[-1]


def turned_fields(
    rotation: np.ndarray, joints_m: np.ndarray, up: np.ndarray | None, deviations_m: np.ndarray | None
) -> dict[str, Any]:
    """What a lifter tells in axes, in other axes, by its names. What is None is left out.

    Args:
        rotation: (3, 3) from the one axes to the others; or (T, 3, 3), one for each of T frames.
        joints_m: (..., J, 3) metres.
        up: (..., 3).
        deviations_m: (..., J, 3) standard deviations of independent coordinates.
    """
    turn = np.swapaxes(rotation, -1, -2).astype(np.float32)
    turned: dict[str, Any] = {"joints_m": joints_m @ turn}
    if up is not None:
        turned["up"] = (up[..., None, :] @ turn)[..., 0, :]
    if deviations_m is not None:
        turned["deviations_m"] = np.sqrt(np.square(deviations_m) @ np.square(turn))
    return turned


def turned_person(person: PersonPose, rotation: np.ndarray) -> PersonPose:
    """A person in other axes: `rotation` (3, 3) takes camera axes to them."""
    if person.joints_m is None:
        return person
    changes = turned_fields(rotation, person.joints_m, person.up, person.deviations_m)
    if person.root_m is not None:
        changes["root_m"] = person.root_m @ rotation.T.astype(np.float32)
    return replace(person, **changes)
