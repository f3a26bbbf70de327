"""The two-bone solve: a leg whose ankle is moved, with bones that keep their lengths and a knee that keeps its side."""

from __future__ import annotations

import numpy as np

_STRAIGHT = 1e-4
"""A knee that lies nearer to the line from hip to ankle, as a share of its length, has no side of its own."""


def bend_leg(
    hip: np.ndarray, knee: np.ndarray, ankle: np.ndarray, target: np.ndarray, forward: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Knee and ankle of a leg whose ankle is brought to a place, by the law of cosines.

    The hip stays. The plane of the leg turns the shortest way with the line from hip to ankle, so the knee keeps its
    side.

    Args:
        hip: (3,) metres, any axes, like all others.
        knee: (3,).
        ankle: (3,).
        target: (3,) where the ankle is wanted. Beyond the leg's reach it is brought as near as the leg goes.
        forward: (3,) where the knee of a straight leg bends to: along the foot.

    Returns:
        Knee and ankle, (3,) each. Exactly those given, if the ankle is where it is wanted.
    """
    if (target == ankle).all():
        return knee, ankle
    thigh, shin = float(np.linalg.norm(knee - hip)), float(np.linalg.norm(ankle - knee))
    before, after = ankle - hip, target - hip
    if min(thigh, shin, float(np.linalg.norm(before)), float(np.linalg.norm(after))) < 1e-6:
        return knee, ankle  # no leg
    line, length = after / np.linalg.norm(after), float(np.linalg.norm(after))
    reach = min(max(length, abs(thigh - shin)), thigh + shin)
    side = _turned(_across(knee - hip, before), before / np.linalg.norm(before), line)
    if np.linalg.norm(side) < _STRAIGHT * thigh:
        side = _across(forward, line)
    size = float(np.linalg.norm(side))
    along = float(np.clip((thigh**2 + reach**2 - shin**2) / (2 * thigh * max(reach, 1e-9)), -1, 1))
    sideways = side / size if size > 1e-9 else np.zeros(3)
    bent = hip + thigh * (along * line + np.sqrt(1 - along**2) * sideways)
    return bent, hip + reach * line


def _across(vector: np.ndarray, line: np.ndarray) -> np.ndarray:
    """The part of a vector (3,) square to another."""
    return vector - line * (vector @ line) / (line @ line)


def _turned(vector: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """A vector (3,) turned by the shortest turn from one direction of length 1 to another."""
    axis, cosine = np.cross(start, end), float(start @ end)
    if cosine < -1 + 1e-9:
        return vector
    return vector + np.cross(axis, vector) + np.cross(axis, np.cross(axis, vector)) / (1 + cosine)
