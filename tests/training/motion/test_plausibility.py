"""Motion that lies on its side all the time, or is too fast for anybody, is told with the option; other is not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sdk.skeletons.skeleton import H36M16
from training.motion.motion_clip import MotionClip
from training.motion.plausibility import motion_doubts
from training.motion.readers.motion import read_motion

_HEIGHT = {"head": 1.6, "thorax": 1.4, "shoulder": 1.4, "elbow": 1.15, "wrist": 0.95, "spine": 1.15, "knee": 0.5}


def standing(frames: int = 50, step_m: float = 0.02) -> np.ndarray:
    """(T, 16, 3), z up: somebody who glides along x."""
    pose = np.zeros((frames, 16, 3), np.float32)
    for joint, name in enumerate(H36M16.joints):
        side = {"left": 0.15, "right": -0.15}.get(name.split("_")[0], 0.0)
        pose[:, joint, 1:] = side, _HEIGHT.get(name.split("_")[-1], 0.1 if "ankle" in name else 0.9)
    pose[..., 0] += np.arange(frames)[:, None] * step_m
    return pose


def test_motion_that_fits() -> None:
    assert motion_doubts(MotionClip("a", standing(), 50.0)) == []


@pytest.mark.parametrize(
    ("pose", "rate", "words"),
    [
        (standing()[..., [0, 2, 1]], 50.0, "people lie in 100%"),
        (standing() * np.float32((1, 1, -1)), 50.0, "people are upside down"),
        (standing(step_m=0.02), 1000.0, "move at 20 m/s"),
    ],
)
def test_motion_that_does_not(pose: np.ndarray, rate: float, words: str) -> None:
    (doubt,) = motion_doubts(MotionClip("a", pose, rate))
    assert words in doubt
    assert "--source-" in doubt


def test_readers_tell_it(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", clip=standing()[..., [0, 2, 1]], frame_rate_hz=50.0)
    assert any("--source-up" in note for note in read_motion(tmp_path / "a.npz").notes)
    assert not any("--source-up" in note for note in read_motion(tmp_path / "a.npz", source_up="y").notes)
