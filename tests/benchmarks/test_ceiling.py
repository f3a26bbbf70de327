"""The ceiling: what is measured was not learned from, and every pose of the test file is measured once."""

import json

import numpy as np
import pytest

from benchmarks import ceiling
from benchmarks.ceiling import Ceiling, mean_over_poses, measure, part_of
from training.evaluation.benchmark_data import load_labelled_sequences
from training.evaluation.evaluate import PoseErrors

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of tensorboard's own imports


def errors(poses, number):
    return PoseErrors(poses, number, number / 2, number, 90.0, 50.0, 3.0)


def test_halves_are_weighed_by_their_poses():
    mean = mean_over_poses([errors(30, 60.0), errors(10, 80.0)])
    assert mean["mpjpe_mm"] == pytest.approx(65)
    assert mean["pa_mpjpe_mm"] == pytest.approx(32.5)
    assert "poses" not in mean


def test_a_part_holds_whole_sequences(files):
    whole = load_labelled_sequences(files["test"])
    second = part_of(whole, np.array([False, True]))
    assert (second.start.tolist(), second.length.tolist()) == ([0], [30])
    np.testing.assert_array_equal(second.joints_m, whole.joints_m[40:])
    np.testing.assert_array_equal(second.keypoints, whole.keypoints[40:])


def test_each_half_is_measured_by_the_lifter_of_the_other(files, tmp_path, monkeypatch):
    learned, judged = [], []
    fine_tuned, evaluate = ceiling.fine_tuned, ceiling.evaluate

    def noted_learning(start, part, *rest):
        learned.append(len(part.keypoints))
        return fine_tuned(start, part, *rest)

    def noted_judging(lifter, part):
        judged.append(len(part.keypoints))
        return evaluate(lifter, part)

    monkeypatch.setattr(ceiling, "fine_tuned", noted_learning)
    monkeypatch.setattr(ceiling, "evaluate", noted_judging)
    small = {"source_people": ("02",), "channels": 8, "pretrain_steps": 2, "steps": 2, "batch": 8, "threads": 1}
    mean = measure(Ceiling(files["clips"], files["test"], tmp_path / "ceiling", **small))
    assert (learned, judged) == ([40, 30], [30, 40])
    assert json.loads((tmp_path / "ceiling" / "result.json").read_text())["errors"] == mean
