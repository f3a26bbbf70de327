"""Roll and mirrored input in the curves of a lifter, with lifters whose error is known."""

from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks import lifter_curves
from sdk import Lifter
from tests.training.motion.clips import STANDING
from training.cameras.random_cameras import CameraWindows

# The standing person before a camera: x right, y down, z forward.
FACING_M = (STANDING - STANDING[0])[:, [0, 2, 1]] * np.array([1, -1, 1], np.float32)
SEEN = CameraWindows(torch.from_numpy(FACING_M)[None, None], torch.tensor([[0.2, 0.1, 5.0]]), torch.tensor([2.0]))


class Stubborn:
    """Answers with one pose, whatever it sees."""

    def __init__(self, pose_m):
        self.pose_m, self.metadata = pose_m, Lifter("fast").metadata
        self.given = []

    def lift_windows(self, windows):
        self.given.append(windows)
        return np.repeat(self.pose_m[None], len(windows), 0)


@pytest.mark.parametrize("degrees", [0.0, 30.0, 180.0])
def test_the_error_of_a_lifter_that_ignores_roll(degrees):
    lifter = Stubborn(FACING_M)
    error, aligned = lifter_curves._rolled(lifter, SEEN, degrees)
    chord = 2 * np.sin(np.radians(degrees) / 2) * np.linalg.norm(FACING_M[:, :2], axis=-1).mean() * 1000
    np.testing.assert_allclose((error, aligned), (chord, 0), atol=0.01)
    head = [window[0, 0, 9] - window[0, 0, 0] for window in lifter.given]  # to both sides, about the image's centre
    expected = np.radians((-90 + degrees, -90 - degrees))
    across = np.stack([np.cos(expected), np.sin(expected)], -1)
    np.testing.assert_allclose(head / np.linalg.norm(head, axis=-1, keepdims=True), across, atol=1e-4)
    assert all(abs(np.hypot(*window[0, 0, 0]) - np.hypot(0.08, 0.04)) < 1e-6 for window in lifter.given)


def test_how_far_a_lifter_is_off_the_mirrored_pose():
    keypoints = torch.from_numpy(np.random.default_rng(1).normal(size=(3, 27, 16, 2)).astype(np.float32))
    leaning = FACING_M.copy()
    leaning[9, 0] += 0.08  # the mirrored pose has the nose 16 cm away
    assert lifter_curves._off_the_mirrored_pose(Stubborn(FACING_M), keypoints)[0] == pytest.approx(0, abs=1e-3)
    assert lifter_curves._off_the_mirrored_pose(Stubborn(leaning), keypoints)[0] == pytest.approx(160 / 16, abs=1e-3)
    assert lifter_curves._off_the_mirrored_pose(Lifter("fast"), keypoints)[0] > 1
    assert lifter_curves._off_the_mirrored_pose(Lifter("fast", mirrored=True), keypoints)[0] < 0.01


def test_of_a_lifter_with_feet_the_body_is_measured():
    keypoints = np.random.default_rng(2).normal(size=(2, 27, 16, 2)).astype(np.float32)
    assert lifter_curves._body(Lifter("feet"), keypoints).shape == (2, 16, 3)


def test_mirrored_input_is_a_table_and_no_plot(tmp_path: Path):
    results = {"a": {"roll, degrees": {"0": (50.0, 40.0), "90": (150.0, 45.0)}}}
    results["a"][lifter_curves.MIRRORED_INPUT] = {"as it is": (20.0, 10.0), "mirrored=True": (0.0, 0.0)}
    assert "| a | 20.0 / 10.0 | 0.0 / 0.0 |" in lifter_curves.as_markdown(results)
    lifter_curves.draw(results, tmp_path / "curves.png")
    assert (tmp_path / "curves.png").stat().st_size > 1000
