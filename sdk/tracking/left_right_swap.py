"""Repairs left-right swaps of a 2D detector, from frame to frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sdk.skeletons.skeleton import Skeleton

LONGEST_SWAP_S = 0.4
"""Longest swap that is repaired. If the detector's sides stay longer, they are accepted: the earlier ones may have been
wrong."""
_CLEARLY = 0.5
"""A swap is repaired only if this brings the joints much nearer to where they are expected: the distance after the
exchange must be at most this share of the distance before."""
_SMALLEST_SHARE = 0.08
"""Smallest distance between left and right, as a share of the person's height. Nearer sides are not exchanged."""
_LIMBS = {"arms": ("shoulder", "elbow", "wrist"), "legs": ("hip", "knee", "ankle")}


@dataclass(frozen=True)
class RepairedPerson:
    """Keypoints (J, 2) and scores (J,) with correct sides, and the limbs (`arms`, `legs`) that were exchanged."""

    keypoints_px: np.ndarray
    scores: np.ndarray
    exchanged: tuple[str, ...]


class SideSwapRepair:
    """Repairs one person. Arms and legs are judged separately: from the side, detectors mostly swap the legs.

    The expected position of a limb is predicted from its last two positions. If exchanged keypoints are clearly nearer
    to it, they replace those of the detector. Both sides of a limb must have been seen apart just before, so crossing
    limbs are left alone.
    """

    def __init__(self, skeleton: Skeleton) -> None:
        self._left, self._right = (
            np.array([[skeleton.index(f"{side}_{joint}") for joint in joints] for joints in _LIMBS.values()])
            for side in ("left", "right")
        )
        self.reset()

    def reset(self) -> None:
        """Forget the past. The next frame is accepted as it is."""
        self._before: tuple[float, np.ndarray] | None = None
        self._last: tuple[float, np.ndarray] | None = None
        self._since_s: dict[str, float] = {}

    def __call__(self, keypoints_px: np.ndarray, scores: np.ndarray, timestamp_s: float) -> RepairedPerson:
        """Repair one frame.

        Args:
            keypoints_px: (J, 2) pixels; NaN where a joint is not seen. The limb of such a joint is left alone.
            scores: (J,) scores.
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
        # A joint that is not seen stays where it was. Sides that were never seen are not judged.
        known = keypoints if self._last is None else np.where(np.isnan(keypoints), self._last[1], keypoints)
        self._before, self._last = self._last, (now_s, known)
        return RepairedPerson(keypoints, scores, tuple(list(_LIMBS)[limb] for limb in exchanged))


def repair_together(
    repairs: Sequence[SideSwapRepair], keypoints_px: np.ndarray, scores: np.ndarray, timestamp_s: float
) -> list[RepairedPerson]:
    """Repair several people in one frame. Results are as with single calls.

    Args:
        repairs: P > 0 repairs with the same skeleton.
        keypoints_px: (P, J, 2) pixels; NaN where a joint is not seen, but not for all joints of a person.
        scores: (P, J) scores.
        timestamp_s: Seconds, larger than the last one of each repair.
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
    """Which limbs are clearly nearer to their expected positions if they are exchanged.

    Args:
        keypoints: (P, J, 2).
        expected: (P, J, 2).
        left: (2, 3) joints of the left limbs.
        right: (2, 3) joints of the right limbs.
        closest: (P, 1) smallest distance between both sides.

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
    """Mean distance (...) between points (..., N, 2)."""
    difference = a - b
    return np.hypot(difference[..., 0], difference[..., 1]).sum(-1) / a.shape[-2]
