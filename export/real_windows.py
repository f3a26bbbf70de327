"""The windows on which an export is checked: the run's target, or real motion seen through cameras."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sdk.errors import BadModelFile
from sdk.lifting.model_metadata import LifterMetadata
from sdk.skeletons.keypoint_normalisation import normalise_root_centred
from sdk.skeletons.skeleton import H36M16, H36M20, find_skeleton
from training.files.array_file import read_arrays

_BODY = len(H36M16)
TARGET_WINDOWS = "target_windows.npz"
"""File in a run folder with the array `windows` (N, receptive_field, J, 2): target keypoints, ready for the lifter."""


@dataclass(frozen=True)
class RealWindows:
    """Windows and where they come from.

    Attributes:
        windows: (N, receptive_field, J, 2) float32, prepared as the metadata says.
        origin: Where they come from, in words for the user.
    """

    windows: np.ndarray
    origin: str


def find_real_windows(folder: Path, metadata: LifterMetadata, count: int = 2000) -> RealWindows:
    """Up to `count` windows: from the run's target if the folder has them, else from pybullet's motion capture.

    Args:
        folder: A run folder, or the folder of a checkpoint.
        metadata: Metadata of the lifter.
        count: Largest number. Target windows are spread evenly; source windows are drawn with a fixed seed.

    Raises:
        BadModelFile: the target windows in the folder are damaged or have another shape.
    """
    path = Path(folder) / TARGET_WINDOWS
    if path.is_file():
        windows = _read_target_windows(path, metadata)
        picked = np.linspace(0, len(windows) - 1, min(count, len(windows))).round().astype(int)
        chosen = np.ascontiguousarray(windows[picked], np.float32)
        return RealWindows(_with_feet(chosen, metadata), f"of the run's own target ({path})")
    return RealWindows(
        _with_feet(_source_windows(metadata, count), metadata),
        f"of motion capture (pybullet's clips) through drawn cameras: no {path}",
    )


def _with_feet(windows: np.ndarray, metadata: LifterMetadata) -> np.ndarray:
    """The windows for a lifter of 20 joints: half with feet that lie under and beside the ankles, half without."""
    missing = len(find_skeleton(metadata.skeleton)) - windows.shape[2]
    if not missing:
        return windows
    parents = list(H36M20.parents[-missing:])
    size = np.ptp(windows, axis=2, keepdims=True)
    random = np.random.default_rng(0)
    feet = windows[:, :, parents] + size * random.normal(0.05, 0.03, (len(windows), 1, missing, 2))
    feet[::2] = np.nan
    return np.concatenate([windows, feet], 2).astype(np.float32)


def _read_target_windows(path: Path, metadata: LifterMetadata) -> np.ndarray:
    try:
        windows = read_arrays(path, ("windows",), BadModelFile)["windows"]
    except BadModelFile as error:
        raise BadModelFile(f"{error} Delete it to compare on motion capture instead, or adapt again.") from error
    joints = len(find_skeleton(metadata.skeleton))
    expected = [(metadata.receptive_field, count, 2) for count in sorted({_BODY, joints})]
    fits = windows.ndim == 4 and windows.shape[1:] in expected and len(windows)
    if not fits or not np.isfinite(windows[:, :, :_BODY]).all() or np.isinf(windows).any():
        raise BadModelFile(
            f"{path}: `windows` must be (N, {', '.join(map(str, expected[-1]))}), N > 0, and finite but for feet that "
            f"are not seen; it is {windows.shape}."
        )
    return windows


def _source_windows(metadata: LifterMetadata, count: int) -> np.ndarray:
    import torch

    from training.cameras.random_cameras import CameraRanges, film
    from training.motion.readers.pybullet.humanoid_clips import load_humanoid_clips
    from training.motion.source_windows import SourceWindows

    generator = torch.Generator().manual_seed(0)
    step_s = 1 / metadata.frame_rate_hz
    motion = SourceWindows(load_humanoid_clips(), metadata.receptive_field, (step_s, step_s)).sample(count, generator)
    keypoints = film(motion, CameraRanges(), generator).keypoints.numpy()
    return normalise_root_centred(keypoints) if metadata.normalisation == "root-centred" else keypoints
