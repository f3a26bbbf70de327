"""Holds standing feet in place: the pelvis takes what its depth was off, the leg bends for the rest."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np

from sdk.errors import MissingContact, MissingPlace
from sdk.results.pose_frame import PersonPose, PoseFrame
from sdk.results.processors.two_bone_leg import bend_leg
from sdk.skeletons.skeleton import H36M16, H36M20

STANDS_FROM, STANDS_UNTIL = 0.6, 0.4
"""A heel or a tip stands once its probability is the first, and until it is under the second."""
SLOW_M_S, FAST_M_S = 0.3, 0.5
"""It begins to stand only while slower than the first, and ends when faster than the second: its smoothed velocity
across the line of sight, which a single camera sees well."""
_VELOCITY_S = 0.1
"""Time constant of that velocity: noise of 2D moves a standing foot by up to 0.7 m/s from frame to frame."""
LOW_M, HIGH_M = 0.12, 0.18
"""It begins to stand only if it is less than the first over the lowest point of both feet, and ends beyond the second:
the ground is level."""
EASE_S = 0.1
"""Time constant by which a foot that is let go comes back to where it was lifted: 95% in 0.3 s."""
_SETTLE_S = 0.2
"""For so long the held place is the mean of where the foot was seen since it stands."""
_FOLLOW_S = 3.0
"""Time constant by which it then follows where the foot is lifted: what was held wrongly is not held for ever."""
_SHIFT_S = 0.05
"""Time constant of the pelvis' shift along the line of sight while a foot stands."""
_SHIFT_BACK_S = 0.5
"""The same while none stands."""
FARTHEST_M = 0.15
"""A foot is moved no farther than this against the leg that was lifted; then its place follows."""
_LONGEST_STEP_S = 0.5
"""After a longer gap nothing is held from before."""
_TRIES = 25
"""So many poses without a position are an error: nothing places them."""
_SIDES = ("right", "left")
_POINTS = list(range(len(H36M16), len(H36M20)))
"""Heels and toes, in the order of `PersonPose.contact`."""
_OF_SIDE = {side: [i for i, at in enumerate(_POINTS) if H36M20.joints[at].startswith(side)] for side in _SIDES}
_LEG = {side: [H36M20.index(f"{side}_{joint}") for joint in ("hip", "knee", "ankle")] for side in _SIDES}
_FOOT = {side: [H36M20.index(f"{side}_{joint}") for joint in ("heel", "toe")] for side in _SIDES}


class SteadyFeet:
    """A processor that holds standing feet in place.

    Which heels and tips stand, the lifter tells (`PersonPose.contact`); one that moves, or is in the air beside the
    other foot, does not. A standing foot is held at the mean of where it was seen since it stands. The pelvis of a
    single camera is least sure along the line of sight: it is shifted there until standing feet are at rest. The leg
    bends for the rest (`bend_leg`): hip, lengths of bones and the direction of the foot stay as they are, and the knee
    keeps its side. A foot that is let go eases back.

    It adds no delay: a pose is changed by earlier ones only. So recordings and streams give the same. A foot that
    lifts off comes after it with the time constant `EASE_S`.

    Poses must be placed in the camera and upright: give `camera=` to the stream and put `Upright()` before this
    processor (`--field-of-view`, `--upright`). The camera must stand still.

    Raises:
        MissingContact: from `process`, if the lifter does not tell which feet stand.
        MissingPlace: from `process`, if poses are not upright, or not placed in the camera.
    """

    def __init__(self) -> None:
        self._people: dict[int, _Person] = {}
        self._unplaced = 0

    def process(self, result: PoseFrame) -> PoseFrame:
        """The result with its standing feet held."""
        if result.after_gap:
            self._people.clear()
        for track_id in result.forgotten:
            self._people.pop(track_id, None)
        return replace(result, people=tuple(self._held(person, result) for person in result.people))

    def _held(self, person: PersonPose, result: PoseFrame) -> PersonPose:
        if person.joints_m is None:
            return person
        if person.contact is None:
            raise MissingContact(
                "this lifter does not tell which feet stand, so none can be held: take Lifter('feet') (--model feet)."
            )
        if result.tilt_rad is None:
            raise MissingPlace(
                "feet are held on level ground, and these poses are not upright: put Upright() before SteadyFeet() "
                "(--upright)."
            )
        if person.root_m is None:
            self._unplaced += self._unplaced >= 0
            if self._unplaced >= _TRIES:
                raise MissingPlace(
                    f"feet are held in the room, and none of {_TRIES} poses has a position in it: give the stream a "
                    "camera (--field-of-view DEGREES)."
                )
            return person
        self._unplaced = -1  # placed: from now on, a pose without a position is only left as it is
        now_s = result.timestamp_s
        here = self._people.get(person.track_id)
        if here is None or not 0 < now_s - here.last_s <= _LONGEST_STEP_S:
            here = self._people[person.track_id] = _Person()
        root = person.root_m.astype(np.float64)
        joints, shift = here.step(person.joints_m.astype(np.float64) + root, root, person.contact, now_s)
        root = root + shift
        return replace(
            person,
            joints_m=(joints - root).astype(np.float32),
            root_m=root.astype(np.float32),
            floor_m=None if person.floor_m is None else person.floor_m - float(shift[1]),
        )


@dataclass(eq=False)
class _Foot:
    """One foot. Vectors in metres.

    Attributes:
        pull: (3,) how far the foot is moved against the shifted leg.
        left: (3,) what is left of an earlier pull, while it eases out.
    """

    pull: np.ndarray = field(default_factory=lambda: np.zeros(3))
    left: np.ndarray = field(default_factory=lambda: np.zeros(3))


@dataclass(eq=False)
class _Person:
    last_s: float = -math.inf
    points: np.ndarray = field(default_factory=lambda: np.full((4, 3), np.nan))
    stands_s: np.ndarray = field(default_factory=lambda: np.full(4, np.nan))
    """Since when each point stands; NaN if it does not."""
    velocity: np.ndarray = field(default_factory=lambda: np.zeros((4, 3)))
    """Of each point across the line of sight, smoothed."""
    held: np.ndarray = field(default_factory=lambda: np.zeros((4, 3)))
    """Where each point that stands is held."""
    shift: np.ndarray = field(default_factory=lambda: np.zeros(3))
    feet: dict[str, _Foot] = field(default_factory=lambda: {side: _Foot() for side in _SIDES})

    def step(
        self, joints: np.ndarray, root: np.ndarray, contact: np.ndarray, now_s: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """The next pose (20, 3) in the room: with its feet held, and the pelvis' shift (3,)."""
        step_s = now_s - self.last_s
        points = joints[_POINTS]
        changed = self._stand(points, contact, now_s, step_s)
        self.last_s, self.points = now_s, points
        standing = np.isfinite(self.stands_s)
        misses = {side: self._miss(points, standing, side) for side in _SIDES}
        told = [miss for miss in misses.values() if miss is not None]
        sight = root / max(float(np.linalg.norm(root)), 1e-9)
        goal = sight * float(sight @ np.mean(told, 0)) if told else np.zeros(3)
        self.shift = self.shift + (goal - self.shift) * _share(step_s, _SHIFT_S if told else _SHIFT_BACK_S)
        joints = joints + self.shift
        for side in _SIDES:
            foot, miss = self.feet[side], misses[side]
            wanted = np.zeros(3) if miss is None else miss - self.shift
            if changed[side]:
                foot.left = foot.pull - wanted
            else:
                foot.left = foot.left * math.exp(-step_s / EASE_S)
            foot.pull = wanted + foot.left
            length = float(np.linalg.norm(foot.pull))
            if length > FARTHEST_M:
                slip = foot.pull * (FARTHEST_M / length - 1)
                foot.pull = foot.pull + slip
                self.held[_OF_SIDE[side]] += slip
            self._bend(joints, side, foot.pull)
        return joints, self.shift

    def _stand(self, points: np.ndarray, contact: np.ndarray, now_s: float, step_s: float) -> dict[str, bool]:
        """Decide which points stand, and where they are held; whether the standing points of a foot have changed."""
        stood = np.isfinite(self.stands_s)
        moved = points - self.points
        sight = points / np.linalg.norm(points, axis=1, keepdims=True)
        if math.isfinite(step_s):
            across = (moved - (moved * sight).sum(1, keepdims=True) * sight) / step_s
            self.velocity += (across - self.velocity) * _share(step_s, _VELOCITY_S)
        speed = np.linalg.norm(self.velocity, axis=1)
        high = points[:, 1].max() - points[:, 1]  # y points down
        begins = ~stood & (contact >= STANDS_FROM) & (speed < SLOW_M_S) & (high < LOW_M)
        ends = stood & ((contact < STANDS_UNTIL) | (speed > FAST_M_S) | (high > HIGH_M))
        self.stands_s[ends] = np.nan
        self.stands_s[begins] = now_s
        changed = {}
        for side in _SIDES:
            at = _OF_SIDE[side]
            changed[side] = bool((begins | ends)[at].any())
            for i in at:
                if begins[i]:
                    self.held[i] = points[i] + self.shift + self.feet[side].pull
                elif np.isfinite(self.stands_s[i]):
                    for_s = now_s - self.stands_s[i]
                    share = step_s / (for_s + step_s) if for_s < _SETTLE_S else _share(step_s, _FOLLOW_S)
                    # Later towards where it was lifted, without the shift: else a walk's shifts would add up.
                    seen = points[i] + (self.shift if for_s < _SETTLE_S else 0.0)
                    self.held[i] += (seen - self.held[i]) * share
        return changed

    def _miss(self, points: np.ndarray, standing: np.ndarray, side: str) -> np.ndarray | None:
        """From where a foot was lifted to where it is held, (3,); None if it does not stand."""
        at = [i for i in _OF_SIDE[side] if standing[i]]
        return (self.held[at] - points[at]).mean(0) if at else None

    @staticmethod
    def _bend(joints: np.ndarray, side: str, pull: np.ndarray) -> None:
        """Move a foot, in place, and bend its leg."""
        hip, knee, ankle = _LEG[side]
        heel, toe = joints[_FOOT[side]]
        bent, reached = bend_leg(joints[hip], joints[knee], joints[ankle], joints[ankle] + pull, toe - heel)
        joints[_FOOT[side]] += reached - joints[ankle]
        joints[knee], joints[ankle] = bent, reached


def _share(step_s: float, constant_s: float) -> float:
    """How much of the way is gone in a step, with a time constant."""
    return 1 - math.exp(-step_s / constant_s)
