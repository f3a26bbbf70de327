"""The labelled test file of a benchmark: 2D and 3D of many sequences. Only for the final numbers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sdk.errors import BadTarget
from sdk.skeletons.skeleton import H36M16
from training.files.array_file import read_arrays

_ARRAYS = ("keypoints", "joints_camera_m", "start", "length", "frame_rate_hz", "aspect")


@dataclass(frozen=True)
class LabelledSequences:
    """Sequences with true 3D.

    Attributes:
        keypoints: (N, 16, 2) float32 normalised image coordinates of all sequences, one after another.
        joints_m: (N, 16, 3) metres in camera axes.
        start: (S,) first frame of each sequence.
        length: (S,) frames of each.
        frame_rate_hz: Frame rate of all sequences.

    Raises:
        BadTarget: if a shape or a value is not as above.
    """

    keypoints: np.ndarray
    joints_m: np.ndarray
    start: np.ndarray
    length: np.ndarray
    frame_rate_hz: float

    def __post_init__(self) -> None:
        frames = len(self.keypoints)
        for name, wanted in (("keypoints", (frames, len(H36M16), 2)), ("joints_m", (frames, len(H36M16), 3))):
            array = getattr(self, name)
            if frames == 0 or array.shape != wanted:
                raise BadTarget(f"{name} of {frames} frames have shape {array.shape}, not {wanted}.")
            if not np.isfinite(array).all():
                raise BadTarget(f"{name} hold values that are not finite.")
        ends = np.cumsum(self.length)
        if (self.length < 1).any() or not np.array_equal(self.start, ends - self.length) or ends[-1] != frames:
            raise BadTarget(f"start and length do not cut {frames} frames into sequences, one after another.")

    @property
    def root_relative_m(self) -> np.ndarray:
        """(N, 16, 3) with the pelvis at zero."""
        return self.joints_m - self.joints_m[:, :1]


def load_labelled_sequences(path: Path) -> LabelledSequences:
    """Read an .npz with `keypoints`, `joints_camera_m`, `start`, `length`, `frame_rate_hz` and `aspect`.

    Raises:
        BadTarget: missing, damaged, or without one of these arrays.
    """
    arrays = read_arrays(path, _ARRAYS, BadTarget)
    try:
        start, length = arrays["start"].astype(np.int64), arrays["length"].astype(np.int64)
        # The file's coordinates are divided by the width; screen coordinates by the longer side.
        sides = np.repeat(np.broadcast_to(np.maximum(1, arrays["aspect"]), start.shape), length).astype(np.float32)
        keypoints = arrays["keypoints"].astype(np.float32) / sides[:, None, None]
        joints = arrays["joints_camera_m"].astype(np.float32)
        rate = float(arrays["frame_rate_hz"].reshape(-1)[0])
        return LabelledSequences(keypoints, joints, start, length, rate)
    except BadTarget as error:
        raise BadTarget(f"{path}: {error}") from error
    except (ValueError, LookupError, TypeError) as error:
        raise BadTarget(f"{path} is not a labelled benchmark file: {error}") from error
