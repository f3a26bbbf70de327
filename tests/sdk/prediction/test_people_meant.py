"""`--people` offline: bystanders have no poses, and the summary says so; another choice gives another result."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sdk.keypoint_files import read_keypoints, write_keypoints
from sdk.keypoint_files.keypoint_track import KeypointTrack
from sdk.prediction import prediction
from sdk.prediction.prediction import PredictionWork, predict
from sdk.prediction.settings import PredictionSettings
from sdk.prediction.sources import Source
from tests.sdk.linear_lifter import write_linear_lifter
from tests.sdk.stick_figures import SIZE, KnowingDetector, walk, write_video

SMALL, LARGE = walk(30, (250, 20), (0, 0)) * np.float32(0.6), walk(30, (60, 60), (1, 0))


@pytest.fixture
def settings(tmp_path: Path) -> PredictionSettings:
    write_linear_lifter(tmp_path / "linear.onnx")
    return PredictionSettings(model=tmp_path / "linear.onnx", people="largest", smooth=False)


def people_of(work: PredictionWork) -> tuple[list[int], tuple[str, ...]]:
    """Track numbers in the file of poses, and the notes."""
    notes = predict(work, lambda frames, total: None).summary.notes
    with np.load(work.save / work.source.name / "poses.npz") as poses:
        return sorted(set(poses["track_id"].tolist())), notes


def test_of_a_keypoint_file(tmp_path: Path, settings: PredictionSettings) -> None:
    frames, scores = np.arange(30), np.full((30, 17), 0.9, np.float32)
    tracks = [
        KeypointTrack(f"a#{number}", person, scores, frames / 25, frames, "coco17", SIZE, 25.0)
        for number, person in ((1, SMALL), (2, LARGE))
    ]
    write_keypoints(tmp_path / "a.npz", tracks)
    work = PredictionWork(Source("a", str(tmp_path / "a.npz"), "keypoints"), tmp_path / "out", settings)
    assert people_of(work) == ([2], ("a.npz: 1 of 2 tracks left out as bystanders: #1",))
    everybody = replace(work, settings=replace(settings, people="all"))
    assert people_of(everybody) == ([1, 2], ())
    alone = replace(work, settings=replace(settings, keypoints_only=True))
    predict(alone, lambda frames, total: None)
    (kept,) = read_keypoints(work.save / "a" / "keypoints.npz")
    np.testing.assert_array_equal(kept.keypoints_px, LARGE)


def test_of_a_video(tmp_path: Path, settings: PredictionSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    people = list(zip(SMALL, LARGE, strict=True))
    write_video(tmp_path / "a.mp4", people)
    monkeypatch.setattr(prediction, "_detector", lambda _: KnowingDetector(people))
    work = PredictionWork(Source("a", str(tmp_path / "a.mp4"), "video"), tmp_path / "out", settings)
    assert people_of(work) == ([2], ("--people largest leaves out 1 other people, 30 times in an image",))
