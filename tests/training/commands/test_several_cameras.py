"""adaptpose-train with files of two cameras that filmed one person at one moment."""

import json

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from sdk.skeletons.skeleton import H36M16
from tests.training.commands.test_adapt import source_motion
from tests.training.motion.clips import STANDING
from training.commands import command
from training.matching import shared_motion
from training.matching.several_views import View
from training.runs.run_folder import RunFolder

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of tensorboard's and plotly's own imports
FRAMES = 320


def smooth(random, *shape):
    """Noise that changes over a second or so, about 0, at most about 1."""
    knots = random.normal(size=(FRAMES // 16 + 2, *shape))
    times = np.arange(FRAMES) / 16
    return np.apply_along_axis(lambda one: np.interp(times, np.arange(len(one)), one), 0, knots) / 2


UPPER = [H36M16.index(name) for name in ("spine", "thorax", "head")] + [
    H36M16.index(f"{side}_{part}") for side in ("left", "right") for part in ("shoulder", "elbow", "wrist")
]


def restless(seed):
    """A person who bows, sways, swings the arms and turns at random, (T, 16, 3), z up."""
    random = np.random.default_rng(seed)
    joints = np.repeat(STANDING[None], FRAMES, 0).astype(np.float64)
    for side in ("left", "right"):
        shoulder = joints[:, [H36M16.index(f"{side}_shoulder")]]
        arm = [H36M16.index(f"{side}_{part}") for part in ("elbow", "wrist")]
        joints[:, arm] = shoulder + rotated(joints[:, arm] - shoulder, smooth(random, 3) * 2)
    joints[:, UPPER] = joints[:, :1] + rotated(joints[:, UPPER] - joints[:, :1], smooth(random, 3) * [0.9, 0.5, 0.5])
    return rotated(joints, np.array([0, 0, 3]) * smooth(random, 1))


def rotated(joints, vectors):
    """Joints (T, J, 3), each frame turned by its rotation vector (T, 3)."""
    return np.einsum("tjx,tyx->tjy", joints, Rotation.from_rotvec(vectors).as_matrix())


def camera_file(path, joints, degrees):
    """What a camera at this angle, five metres away and one high, sees, with a detector's scores."""
    angle = np.radians(degrees)
    right, forward = np.array([np.cos(angle), np.sin(angle), 0]), np.array([-np.sin(angle), np.cos(angle), 0])
    depth = joints @ forward + 5
    pixels = np.stack([joints @ right / depth * 920 + 640, (1 - joints[..., 2]) / depth * 920 + 360], -1)
    keypoints = np.concatenate([pixels, np.full((*pixels.shape[:2], 1), 0.9)], -1).astype(np.float32)
    np.savez(path, keypoints=keypoints, image_size=(1280, 720), skeleton="h36m16", frame_rate_hz=25.0)


def test_they_are_found_and_said(tmp_path, monkeypatch, capsys):
    """Found by a stand-in: random motion is lifted too badly to fit itself from another side."""

    def found(poses_m, recordings):
        starts = {"0": 0, "2": 30}  # left and right, in the order of the files
        return [[View(i, starts[name], len(poses_m[i])) for i, name in enumerate(recordings) if name in starts]]

    monkeypatch.setattr(shared_motion, "same_motion", found)
    target = tmp_path / "target"
    target.mkdir()
    camera_file(target / "left.npz", restless(0), 0)
    camera_file(target / "right.npz", restless(0)[30:], 80)
    camera_file(target / "other.npz", restless(1), 40)
    (tmp_path / "motion").mkdir()
    options = {
        "--target": target, "--source": source_motion(tmp_path / "motion"), "--start": "fast", "--steps": 2,
        "--batch": 8, "--recipe": "detections", "--threads": 1, "--out": tmp_path / "run",
    }  # fmt: skip
    monkeypatch.setattr("sys.argv", ["adaptpose-train", *(str(word) for pair in options.items() for word in pair)])
    assert not command.main()
    said = "left, right show the same person at the same moments: the lifter learns what they tell together."
    run = RunFolder(tmp_path / "run")
    assert said in [note["text"] for note in json.loads(run.skipped.read_text())["notes"]]
    assert said in capsys.readouterr().out
    page = run.report.read_text()
    assert said in page
    assert "Target: distance from the poses that several cameras tell" in page
    (entry,) = json.loads(run.history.read_text())["targets"]
    measured = entry["measured"]["this target"]
    assert measured["before"]["off_told_mm"] > 0
    assert measured["after"]["off_told_mm"] > 0
