"""A split of one's own: people by turns in two files, labels in one of them, keypoints where the labels project to."""

import sys

import numpy as np
import pytest

from benchmarks import make_split
from tests.training.motion.clips import STANDING


@pytest.fixture
def clips(tmp_path):
    sway = np.sin(np.arange(300) / 20)[:, None, None] * np.linspace(0, 0.2, 16)[:, None]
    motion = (STANDING + sway).astype(np.float32)
    path = tmp_path / "clips.npz"
    np.savez(path, **{f"0{person}_{n}": motion for person in (1, 2) for n in range(2)}, frame_rate_hz=50.0)
    return path


def split(monkeypatch, clips, out, *more):
    monkeypatch.setattr(
        sys, "argv", ["make_split.py", "--clips", str(clips), "--people", "01", "--out", str(out), *more]
    )
    make_split.main()
    return tuple(np.load(out / f"{name}.npz", allow_pickle=False) for name in ("target_train_2d", "target_test"))


def projected(labelled):
    joints = labelled["joints_camera_m"]
    focal = np.repeat(labelled["focal"], labelled["length"])[:, None, None]
    return focal * joints[..., :2] / joints[..., 2:]


def test_keypoints_are_where_the_labels_project_to(monkeypatch, clips, tmp_path):
    unlabelled, labelled = split(monkeypatch, clips, tmp_path / "split")
    assert "joints_camera_m" not in unlabelled
    assert "focal" not in unlabelled
    assert set(unlabelled["clip"]) == {"01_0"}
    assert set(labelled["clip"]) == {"01_1"}
    np.testing.assert_allclose(labelled["keypoints"], projected(labelled), atol=1e-5)


def test_noise_is_of_the_size_that_is_asked_for(monkeypatch, clips, tmp_path):
    """In both files; relative to the person; the labels stay."""
    _, labelled = split(monkeypatch, clips, tmp_path / "noisy", "--noise", "0.02")
    truth = projected(labelled)
    extent = (truth.max(1) - truth.min(1)).max(-1)[:, None, None]
    off = (labelled["keypoints"] - truth) / extent
    assert 0.01 < np.abs(off).mean() < 0.04
    first = labelled["length"][0]
    still = np.diff(off[:first], axis=0).std() / off[:first].std()
    assert still < 1.1  # white noise alone would have 1.41
    unlabelled, _ = split(monkeypatch, clips, tmp_path / "noisy", "--noise", "0.02")
    exact, _ = split(monkeypatch, clips, tmp_path / "exact")
    assert unlabelled["keypoints"].shape == exact["keypoints"].shape
    assert np.abs(unlabelled["keypoints"] - exact["keypoints"]).mean() > 1e-3
