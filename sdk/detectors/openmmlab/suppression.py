"""Non-maximum suppression."""

from __future__ import annotations

import numpy as np


def suppress_overlaps(boxes: np.ndarray, scores: np.ndarray, most_iou: float) -> np.ndarray:
    """Greedy non-maximum suppression.

    Args:
        boxes: (N, 4) left, top, right, bottom.
        scores: (N,) scores.
        most_iou: A box is dropped if it overlaps one that is kept, with a higher score, by more than this.

    Returns:
        Indices of the boxes that stay, highest score first.
    """
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(1)
    order = np.argsort(-scores, kind="stable")
    kept: list[int] = []
    while len(order):
        best, rest = order[0], order[1:]
        kept.append(int(best))
        low = np.maximum(boxes[best, :2], boxes[rest, :2])
        high = np.minimum(boxes[best, 2:], boxes[rest, 2:])
        common = (high - low).clip(0).prod(1)
        together = areas[best] + areas[rest] - common
        order = rest[common <= most_iou * together]
    return np.array(kept, int)
