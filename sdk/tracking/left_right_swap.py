"""Repair of left and right exchanged by a 2D detector, from one picture to the next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sdk.skeletons.skeleton import Skeleton

LONGEST_SWAP_S = 0.4
"""A detector that insists for longer is believed: it may have been wrong before."""
_CLEARLY = 0.5
"""Exchanged, the joints must lie at most this part as far from where they should be as they do unexchanged."""
_SMALLEST_SHARE = 0.08
"""Sides closer together than this part of the person's height are not told apart: nothing is exchanged there."""
_LIMBS = {"arms": ("shoulder", "elbow", "wrist"), "legs": ("hip", "knee", "ankle")}


@dataclass(frozen=True)
class RepairedPerson:
    """Keypoints (J, 2) and scores (J,) with sides put right, and which limbs (`arms`, `legs`) were exchanged."""

    keypoints_px: np.ndarray
    scores: np.ndarray
    exchanged: tuple[str, ...]


class SideSwapRepair:
    """Watches one person. Arms and legs are judged separately: from the side, detectors mostly mix up the legs.

    Where a limb should be is foretold from its last two positions. Exchanged keypoints that lie clearly nearer to it
    are taken in place of the detector's. Both sides of a limb must have been seen apart just before, so limbs that
    cross are left alone.
    """

    def __init__(self, skeleton: Skeleton) -> None:
        self._left, self._right = (
            np.array([[skeleton.index(f"{side}_{joint}") for joint in joints] for joints in _LIMBS.values()])
            for side in ("left", "right")
        )
        self.reset()

    def reset(self) -> None:
        """Forget the past: the next picture is believed."""
        self._before: tuple[float, np.ndarray] | None = None
        self._last: tuple[float, np.ndarray] | None = None
        self._since_s: dict[str, float] = {}

    def __call__(self, keypoints_px: np.ndarray, scores: np.ndarray, timestamp_s: float) -> RepairedPerson:
        """Repair one picture.

        Args:
            keypoints_px: (J, 2) pixels; NaN where a joint is not seen, whose limb is then left alone.
            scores: (J,).
            timestamp_s: Seconds, larger than the one before.
        """
        return repair_together([self], keypoints_px[None], scores[None], timestamp_s)[0]

    def _expect(self, timestamp_s: float) -> tuple[np.ndarray, np.ndarray, float]:
        """Last positions, (J, 2), those before, and how much of the way between them is still to come by now."""
        assert self._last is not None
        last_s, last = self._last
        if self._before is None:
            return last, last, 0.0
        before_s, before = self._before
        return last, before, min(1.0, (timestamp_s - last_s) / (last_s - before_s))

    def _decide(self, seems: np.ndarray, keypoints: np.ndarray, scores: np.ndarray, now_s: float) -> RepairedPerson:
        """Exchange the limbs, (2,), that seem exchanged, unless the detector has insisted for too long."""
        exchanged = []
        for limb, (name, seems_so) in enumerate(zip(_LIMBS, seems.tolist(), strict=True)):
            if not seems_so:
                self._since_s.pop(name, None)
            elif now_s - self._since_s.setdefault(name, now_s) <= LONGEST_SWAP_S:
                exchanged.append(limb)
            else:
                del self._since_s[name]
        if exchanged:
            keypoints, scores = keypoints.copy(), scores.copy()
            for limb in exchanged:
                sides = [self._left[limb], self._right[limb]]
                for array in (keypoints, scores):
                    array[np.concatenate(sides)] = array[np.concatenate(sides[::-1])]
        # A joint that is not seen stays where it was; sides that were never seen are not judged.
        known = keypoints if self._last is None else np.where(np.isnan(keypoints), self._last[1], keypoints)
        self._before, self._last = self._last, (now_s, known)
        return RepairedPerson(keypoints, scores, tuple(list(_LIMBS)[limb] for limb in exchanged))


def repair_together(
    repairs: Sequence[SideSwapRepair], keypoints_px: np.ndarray, scores: np.ndarray, timestamp_s: float
) -> list[RepairedPerson]:
    """Repair several people in one picture, each as its own `SideSwapRepair` would.

    Args:
        repairs: P > 0, of one and the same skeleton.
        keypoints_px: (P, J, 2) pixels; NaN where a joint is not seen, not all of a person.
        scores: (P, J).
        timestamp_s: Seconds, larger than the one before of any of them.
    """
    seems = np.zeros((len(repairs), len(_LIMBS)), bool)
    known = [row for row, one in enumerate(repairs) if one._last is not None]
    if known:
        last, before, ahead = (
            np.array(values, np.float32)
            for values in zip(*(repairs[row]._expect(timestamp_s) for row in known), strict=True)
        )
        expected = last + ahead[:, None, None] * (last - before)
        size = (np.nanmax(last, axis=1) - np.nanmin(last, axis=1)).max(-1)
        seems[known] = _seem_exchanged(
            keypoints_px[known], expected, repairs[0]._left, repairs[0]._right, _SMALLEST_SHARE * size[:, None]
        )
    return [
        one._decide(*values, timestamp_s)
        for one, values in zip(repairs, zip(seems, keypoints_px, scores, strict=True), strict=True)
    ]


def _seem_exchanged(
    keypoints: np.ndarray, expected: np.ndarray, left: np.ndarray, right: np.ndarray, closest: np.ndarray
) -> np.ndarray:
    """Which limbs lie clearly nearer to where they should be if exchanged.

    Args:
        keypoints: (P, J, 2).
        expected: (P, J, 2).
        left: (2, 3), the joints of the left limbs.
        right: (2, 3), those of the right ones.
        closest: (P, 1), how near to each other both sides may be to be told apart.

    Returns:
        (P, 2).
    """
    here, other = np.concatenate([left, right], 1), np.concatenate([right, left], 1)
    wanted = expected[:, here]
    apart = _mean_distance(expected[:, left], expected[:, right])
    straight = _mean_distance(keypoints[:, here], wanted)
    crossed = _mean_distance(keypoints[:, other], wanted)
    return (apart >= closest) & (crossed < _CLEARLY * straight)


def _mean_distance(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Of points (..., N, 2): (...)."""
    difference = a - b
    return np.hypot(difference[..., 0], difference[..., 1]).sum(-1) / a.shape[-2]
