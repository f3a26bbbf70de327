"""Sequences and lifters that protocols can be worked through on by hand."""

from __future__ import annotations

import numpy as np

from sdk.lifting.model_metadata import LifterMetadata
from training.protocols.labelled_sequence import LabelledSequence

POSE_M = np.array(
    [
        *([0, 0, 0], [-0.13, 0, 0], [-0.13, 0.45, 0.02], [-0.13, 0.9, 0.1], [0.13, 0, 0], [0.13, 0.45, 0]),
        *([0.13, 0.9, 0.1],),
        *([0, -0.25, 0.01], [0, -0.5, 0], [0, -0.75, -0.02], [0.17, -0.48, 0], [0.2, -0.2, 0.1], [0.2, 0, 0.2]),
        *([-0.17, -0.48, 0], [-0.2, -0.2, -0.1], [-0.2, 0, 0.1]),
    ],
    np.float32,
)  # fmt: skip
"""(16, 3) somebody who stands."""


class FixedLifter:
    """Answers with a function of the middle frame's pelvis, in the image: enough to know which window it was shown."""

    def __init__(self, answer, frames: int = 27, rate_hz: float = 25.0, normalisation: str = "screen") -> None:
        self.metadata = LifterMetadata(frames, rate_hz, normalisation=normalisation)
        self.seen: list[np.ndarray] = []
        self._answer = answer

    def lift_windows(self, windows: np.ndarray) -> np.ndarray:
        self.seen.append(windows)
        return np.stack([self._answer(window) for window in windows]).astype(np.float32)


def sequence(name: str, frames: int, *, offset_m=0.0, rate_hz: float = 25.0, action: str = "") -> LabelledSequence:
    """A person whose pelvis is at pixel (1024 + frame, 1024) of 2048 x 2048; the truth is POSE_M plus an offset."""
    keypoints = np.zeros((frames, 16, 2), np.float32) + 1024
    keypoints[..., 0] += np.arange(frames)[:, None]
    keypoints += POSE_M[:, :2] * 300
    joints = np.tile(POSE_M, (frames, 1, 1)) + np.float32(offset_m) + np.array([0.3, 0.1, 4], np.float32)
    valid = np.arange(frames) % 3 == 0
    return LabelledSequence(name, keypoints, joints, valid, rate_hz, (2048, 2048), action)
