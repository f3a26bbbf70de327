"""Where a run's motion comes from: the model, files, or both in equal parts."""

import dataclasses

import numpy as np
import pytest
import torch

from sdk.errors import BadMotion
from tests.training.motion_model.moving import walking
from training.motion_model import source_motion
from training.motion_model.bodies import BodyStatistics
from training.motion_model.motion_model import MotionModel, SegmentShape
from training.motion_model.source_motion import SourceMotion, held_out_model_clips, model_clips, read_source


def untrained():
    torch.manual_seed(0)
    bodies = BodyStatistics(torch.full((9,), 0.2), torch.zeros(9), 1.7)
    model = MotionModel(SegmentShape(8, 3, 4, 2, 2), bodies, width=8, blocks=1).eval()
    torch.nn.init.normal_(model.basis.mean)
    torch.nn.init.normal_(model.start_basis.mean)
    return model


@pytest.fixture
def tiny(monkeypatch):
    """The shipped model's place is taken by an untrained one, and little of its motion is drawn."""
    model = untrained()
    monkeypatch.setattr(source_motion, "load_motion_model", lambda path: model)
    monkeypatch.setattr(source_motion, "MODEL_CLIPS", 3)
    return model


@pytest.fixture
def files(tmp_path):
    clips = [walking(f"01_{i:02}", seconds=2.0) for i in range(3)]
    np.savez(tmp_path / "walk.npz", frame_rate_hz=50.0, **{clip.name: clip.joints_world_m for clip in clips})
    return str(tmp_path / "walk.npz")


def test_the_model_alone(tiny):
    source = read_source(("model",), seed=3)
    (clips,) = source.training
    assert len(clips) == 3
    assert {clip.frame_rate_hz for clip in clips} == {50.0}
    assert {round(clip.duration_s, 6) for clip in clips} == {4.0}
    assert source.held_out == ()
    again = read_source(("model",), seed=3).training[0]
    other = read_source(("model",), seed=4).training[0]
    assert all(np.array_equal(a.joints_world_m, b.joints_world_m) for a, b in zip(clips, again, strict=True))
    assert not np.array_equal(clips[0].joints_world_m, other[0].joints_world_m)


def test_held_out_motion_is_the_same_for_all_runs_and_in_none(tiny):
    held_out = held_out_model_clips()
    assert np.array_equal(held_out[0].joints_world_m, held_out_model_clips()[0].joints_world_m)
    learned = read_source(("model",), seed=0).training[0]
    assert not any(np.array_equal(one.joints_world_m, held_out[0].joints_world_m) for one in learned)


def test_files_alone_hold_some_out(files):
    source = read_source((files,), seed=0)
    assert [len(group) for group in source.training] == [2]
    assert len(source.held_out) == 1


def test_of_both_as_much_is_drawn_of_each_in_no_order(tiny, files):
    """However little of one there is; each window is of one of them, whole."""
    source = read_source(("model", files, "model"), seed=0)
    assert [len(group) for group in source.training] == [3, 2]
    moved = tuple(dataclasses.replace(one, joints_world_m=one.joints_world_m + 100) for one in source.training[1])
    draw = SourceMotion((source.training[0], moved)).windows(9, (0.02, 0.04))
    windows = draw(400, torch.Generator().manual_seed(0))
    assert windows.shape == (400, 9, 16, 3)
    real = (windows > 50).flatten(1)
    assert torch.equal(real.any(1), real.all(1))
    share = real.all(1).float()
    assert 0.4 < float(share.mean()) < 0.6
    assert 0.3 < float(share[:100].mean()) < 0.7


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(BadMotion, match=r"nowhere\.bvh does not exist"):
        read_source((str(tmp_path / "nowhere.bvh"),), seed=0)


def test_clips_are_named_and_of_different_bodies():
    clips = model_clips(untrained(), 0, count=4)
    assert [clip.name for clip in clips] == ["model_0", "model_1", "model_2", "model_3"]
    legs = {round(float(np.linalg.norm(clip.joints_world_m[0, 2] - clip.joints_world_m[0, 1])), 5) for clip in clips}
    assert len(legs) == 4
