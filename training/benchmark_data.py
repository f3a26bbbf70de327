"""The labelled test file of a benchmark: 2D and 3D of many sequences, for the final number only."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sdk.errors import BadTarget


@dataclass(frozen=True)
class LabelledSequences:
    """Sequences with truth.

    Attributes:
        keypoints: (N, 16, 2) float32 normalised image coordinates of all sequences, one after another.
        joints_m: (N, 16, 3) metres in camera axes.
        start: (S,) first frame of each sequence.
        length: (S,) frames of each.
        frame_rate_hz: Of all.
    """

    keypoints: np.ndarray
    joints_m: np.ndarray
    start: np.ndarray
    length: np.ndarray
    frame_rate_hz: float

    @property
    def root_relative_m(self) -> np.ndarray:
        """(N, 16, 3) with the pelvis at zero."""
        return self.joints_m - self.joints_m[:, :1]


def load_labelled_sequences(path: Path) -> LabelledSequences:
    """Read an .npz with `keypoints`, `joints_camera_m`, `start`, `length`, `frame_rate_hz` and `aspect`.

    Raises:
        BadTarget: missing, damaged, or without one of these arrays.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            start, length = arrays["start"].astype(np.int64), arrays["length"].astype(np.int64)
            keypoints = arrays["keypoints"].astype(np.float32)
            # The file divides by the width; screen coordinates by the longer side.
            aspect = np.repeat(np.broadcast_to(arrays["aspect"], start.shape), length)
            joints = arrays["joints_camera_m"].astype(np.float32)
            rate = float(np.ravel(arrays["frame_rate_hz"])[0])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise BadTarget(f"{path} is not a labelled benchmark file: {error}") from error
    if int(length.sum()) != len(keypoints) or len(joints) != len(keypoints):
        raise BadTarget(
            f"{path}: {len(keypoints)} frames of 2D, {len(joints)} of 3D and {int(length.sum())} in sequences differ."
        )
    return LabelledSequences(keypoints / np.maximum(1, aspect)[:, None, None], joints, start, length, rate)
