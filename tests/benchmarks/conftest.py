"""A split of a few seconds for the benchmarks' programs."""

import numpy as np
import pytest

from sdk.skeletons.skeleton import H36M16
from tests.training.motion.clips import STANDING


def swinging(frames, speed):
    joints = np.repeat(STANDING[None], frames, 0)
    joints[:, H36M16.index("left_wrist"), 1:2] += 0.4 * np.sin(speed * np.arange(frames)[:, None] / 50)
    return joints.astype(np.float32)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A split in the layout of the benchmark's files: one source person, one target person in two sequences a file."""
    folder = tmp_path_factory.mktemp("split")
    np.savez(
        folder / "clips.npz",
        frame_rate_hz=50.0,
        **{"02_01": swinging(120, 3), "02_02": swinging(120, 6), "05_01": swinging(120, 9)},
    )
    joints = np.concatenate([swinging(40, 4), swinging(30, 7)])[..., [0, 2, 1]] * [1, -1, 1] + [0.0, 1.0, 5.0]
    sequences = {
        "keypoints": (joints[..., :2] / joints[..., 2:] * 2).astype(np.float32), "start": np.array([0, 40]),
        "length": np.array([40, 30]), "clip": np.array(["a", "b"]), "camera": np.array([0, 1]),
        "frame_rate_hz": 25.0, "aspect": 1.0,
    }  # fmt: skip
    np.savez(folder / "train.npz", **sequences)
    np.savez(folder / "test.npz", **sequences, joints_camera_m=joints.astype(np.float32), focal=2.0)
    return {"clips": folder / "clips.npz", "target_2d": folder / "train.npz", "test": folder / "test.npz"}
