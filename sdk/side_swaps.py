"""Repair of left and right exchanged by a 2D detector, from one picture to the next."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sdk.skeletons import Skeleton

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
        self._pairs: dict[str, tuple[list[int], list[int]]] = {}
        for limb, joints in _LIMBS.items():
            sides = [[skeleton.index(f"{side}_{joint}") for joint in joints] for side in ("left", "right")]
            self._pairs[limb] = (sides[0], sides[1])
        self.reset()

    def reset(self) -> None:
        """Forget the past: the next picture is believed."""
        self._before: tuple[float, np.ndarray] | None = None
        self._last: tuple[float, np.ndarray] | None = None
        self._since_s: dict[str, float] = {}

    def __call__(self, keypoints_px: np.ndarray, scores: np.ndarray, timestamp_s: float) -> RepairedPerson:
        """Repair one picture.

        Args:
            keypoints_px: (J, 2) pixels; finite.
            scores: (J,).
            timestamp_s: Seconds, larger than the one before.
        """
        exchanged = []
        if self._last is not None:
            expected = self._foretell(timestamp_s)
            size = float(np.ptp(self._last[1], axis=0).max())
            for limb, (left, right) in self._pairs.items():
                if self._is_exchanged(keypoints_px, expected, left, right, size):
                    since_s = self._since_s.setdefault(limb, timestamp_s)
                    if timestamp_s - since_s <= LONGEST_SWAP_S:
                        exchanged.append(limb)
                        continue
                self._since_s.pop(limb, None)
        if exchanged:
            keypoints_px, scores = keypoints_px.copy(), scores.copy()
            for limb in exchanged:
                left, right = self._pairs[limb]
                for array in (keypoints_px, scores):
                    array[left + right] = array[right + left]
        self._before, self._last = self._last, (timestamp_s, keypoints_px)
        return RepairedPerson(keypoints_px, scores, tuple(exchanged))

    def _foretell(self, timestamp_s: float) -> np.ndarray:
        assert self._last is not None
        last_s, last = self._last
        if self._before is None:
            return last
        before_s, before = self._before
        ahead = min(1.0, (timestamp_s - last_s) / (last_s - before_s))
        return last + ahead * (last - before)

    def _is_exchanged(
        self, keypoints: np.ndarray, expected: np.ndarray, left: list[int], right: list[int], size: float
    ) -> bool:
        apart = np.linalg.norm(expected[left] - expected[right], axis=-1).mean()
        if apart < _SMALLEST_SHARE * size:
            return False
        here, other = left + right, right + left
        straight = np.linalg.norm(keypoints[here] - expected[here], axis=-1).mean()
        crossed = np.linalg.norm(keypoints[other] - expected[here], axis=-1).mean()
        return bool(crossed < _CLEARLY * straight)
