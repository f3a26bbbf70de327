"""SimCC: a joint's x and y, each read from a row of classes (Li et al., ECCV 2022; RTMPose, section 3)."""

from __future__ import annotations

import numpy as np

SPLIT_RATIO = 2.0
"""Classes per network pixel."""


def decode_simcc(
    simcc_x: np.ndarray, simcc_y: np.ndarray, split_ratio: float = SPLIT_RATIO
) -> tuple[np.ndarray, np.ndarray]:
    """The most likely class of each row.

    Args:
        simcc_x: (N, J, W * split_ratio).
        simcc_y: (N, J, H * split_ratio).
        split_ratio: Classes per network pixel.

    Returns:
        Positions (N, J, 2) in network pixels, x right and y down, and scores (N, J): the lower of the two maxima, in
        [0, 1].
    """
    position = np.stack([simcc_x.argmax(-1), simcc_y.argmax(-1)], -1).astype(np.float32) / split_ratio
    score = np.minimum(simcc_x.max(-1), simcc_y.max(-1))
    return position, np.clip(score, 0, 1).astype(np.float32)
