"""Nobody gives NaN, not a pose; contradicted facts and broken graphs are errors."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from sdk import Lifter
from sdk.camera.placement import Placement
from sdk.errors import BadKeypoints, BadModelFile
from sdk.lifting.lifted_poses import lift_status
from sdk.lifting.model_metadata import LifterMetadata
from sdk.results.pose_frame import LiftStatus
from tests.sdk.linear_lifter import write_linear_lifter
from tests.sdk.stick_figures import SIZE, walk

FRAMES = 100
WALK = walk(FRAMES, (60, 60), (1.0, 0))
SCORED = np.concatenate([WALK, np.full((FRAMES, 17, 1), 0.9, np.float32)], 2)


@pytest.fixture(scope="module")
def lifter() -> Lifter:
    return Lifter("fast")


@pytest.mark.parametrize("make", [lambda: SCORED * np.nan, lambda: SCORED * (1, 1, 0.0)])
def test_nobody_has_no_pose(lifter: Lifter, make: Any) -> None:
    joints = lifter(make(), SIZE, "coco17", fps=25)
    assert joints.shape == (FRAMES, 16, 3)
    assert np.isnan(joints).all()


def test_a_long_absence_has_no_pose_a_short_one_is_bridged(lifter: Lifter) -> None:
    away = SCORED.copy()
    away[10:15] = np.nan
    away[30:80] = np.nan
    joints = lifter(away, SIZE, "coco17", fps=25)
    reach = lifter.metadata.window_reach
    nowhere = np.isnan(joints).any((1, 2))
    assert np.flatnonzero(nowhere).tolist() == list(range(30 + reach, 80 - reach))
    placed = lifter.track(away, SIZE, "coco17", fps=25)
    np.testing.assert_array_equal(np.isnan(placed.joints_m).any((1, 2)), nowhere)
    assert np.isnan(placed.root_m[nowhere]).all()
    assert [status is LiftStatus.NOT_SEEN for status in placed.status] == nowhere.tolist()
    assert lifter.with_status(away, SIZE, "coco17", fps=25)[1] == placed.status
    edge = [status is LiftStatus.AT_EDGE for status in placed.status]
    assert np.flatnonzero(edge).tolist() == [*range(reach), *range(FRAMES - reach, FRAMES)]
    assert set(placed.status) == {LiftStatus.LIFTED, LiftStatus.AT_EDGE, LiftStatus.NOT_SEEN}


@pytest.mark.parametrize("rate", [25.0, 30.0])
def test_the_stream_says_the_same(lifter: Lifter, rate: float) -> None:
    """At the lifter's rate by the streaming graph, at another by windows."""
    away = SCORED.copy()
    away[30:80] = np.nan
    stream = lifter.stream(SIZE, "coco17", Placement())
    poses = [pose for i, frame in enumerate(away) for pose in stream.push(frame, i / rate)] + stream.flush()
    offline = lifter(away, SIZE, "coco17", fps=rate)
    streamed = np.array([pose.joints_m for pose in poses])
    assert tuple(pose.status for pose in poses) == lifter.with_status(away, SIZE, "coco17", fps=rate)[1]
    assert np.isnan(streamed).any((1, 2)).tolist() == np.isnan(offline).any((1, 2)).tolist()
    assert np.isnan(streamed).any()
    for pose in poses:
        assert pose.root_m is not None
        if np.isnan(pose.joints_m).any():
            assert np.isnan(pose.root_m).all()


@pytest.mark.parametrize(
    ("keypoints", "size", "skeleton", "words"),
    [
        (WALK / SIZE[0], SIZE, "coco17", "no pixels"),
        (np.where(np.arange(17)[:, None] == 9, np.float32(1e30), WALK), SIZE, "coco17", "a coordinate of 1e"),
        (WALK, SIZE, "h36m17", "in that of coco17"),
        (WALK + np.array((100, 0)), (240, 320), "coco17", "fit an image of 320x240.*width and height exchanged"),
        (WALK - np.array((160, 120)), SIZE, "coco17", "outside the image"),
    ],
)
def test_contradicted_facts_are_errors(lifter: Lifter, keypoints: Any, size: Any, skeleton: str, words: str) -> None:
    with pytest.raises(BadKeypoints, match=f"(?s){words}"):
        lifter(keypoints, size, skeleton, fps=25)


def test_what_may_be_wrong_is_warned_of(lifter: Lifter, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert np.isfinite(lifter(WALK, SIZE, "coco17", fps=25)).all()
        assert caplog.text == ""
        lifter(WALK * (1, -1) + np.array((0, SIZE[1])), SIZE, "coco17", fps=25)
    assert "heads are below hips" in caplog.text


def changed(path: Path, change: Any) -> Path:
    write_linear_lifter(path)
    model = onnx.load(path)
    change(model)
    onnx.save(model, path)
    return path


def nan_weights(model: Any) -> None:
    matrix = numpy_helper.to_array(model.graph.initializer[0]).copy()
    matrix[5, 5] = np.nan
    model.graph.initializer[0].CopyFrom(numpy_helper.from_array(matrix, "matrix"))


def another_output(model: Any) -> None:
    model.graph.initializer[2].CopyFrom(numpy_helper.from_array(np.array([-1, 48]), "pose"))
    del model.graph.output[0].type.tensor_type.shape.dim[2]


@pytest.mark.parametrize(
    ("change", "words"),
    [(nan_weights, "not finite.*NaN"), (another_output, r"with float32 \(1, 48\), not")],
)
def test_a_graph_that_can_not_answer_is_refused(tmp_path: Path, change: Any, words: str) -> None:
    with pytest.raises(BadModelFile, match=words):
        Lifter(changed(tmp_path / "lifter.onnx", change))


@pytest.mark.parametrize(
    "text",
    [
        '{"format_version": 2, "frame_rate_hz": Infinity}',
        '{"format_version": 2, "frame_rate_hz": 1e-400}',
        '{"format_version": 2, "frame_rate_hz": true}',
        '{"format_version": 2, "receptive_field": 27.0}',
        '{"format_version": 2, "receptive_field": 100000001}',
        '{"format_version": 2, "name": 5}',
        '{"format_version": 2, "skeleton": ["h36m16"]}',
        '{"format_version": 2, "lookahead": 1.5}',
        '{"format_version": 2, "receptive_field": ' + "9" * 5000 + "}",
        "[" * 100_000,
        '{"format_version": 2, "name": "' + "x" * 2_000_000 + '"}',
    ],
)
def test_hostile_metadata(tmp_path: Path, text: str) -> None:
    def write(model: Any) -> None:
        for entry in model.metadata_props:
            if entry.key == "adaptpose_lifter":
                entry.value = text

    with pytest.raises(BadModelFile, match=r"lifter\.onnx") as raised:
        Lifter(changed(tmp_path / "lifter.onnx", write))
    assert len(str(raised.value)) < 1000


@pytest.mark.parametrize("text", ["[" * 100_000, '{"kind": 5}', '{"lookahead_frames": 1e999}', "9" * 5000, "[1]"])
def test_hostile_graph_metadata(tmp_path: Path, text: str) -> None:
    def write(model: Any) -> None:
        entry = model.metadata_props.add()
        entry.key, entry.value = "adaptpose_graph", text

    with pytest.raises(BadModelFile, match=r"lifter\.onnx"):
        Lifter(changed(tmp_path / "lifter.onnx", write))


def test_metadata_has_values_of_the_right_kind() -> None:
    with pytest.raises(BadModelFile, match="a frame rate is up to 10000, not inf"):
        LifterMetadata(frame_rate_hz=float("inf"))


@pytest.mark.parametrize("placement", [None, Placement(settle_bones=True)])
@pytest.mark.parametrize("rate", [25.0, 30.0])
def test_a_pose_of_the_stream_says_what_it_is(lifter: Lifter, rate: float, placement: Placement | None) -> None:
    away = SCORED.copy()
    away[30:80] = np.nan
    stream = lifter.stream(SIZE, "coco17", placement)
    poses = [pose for i, frame in enumerate(away) for pose in stream.push(frame, i / rate)] + stream.flush()
    reach_s = lifter.metadata.window_reach_s - 1e-4
    for i, pose in enumerate(poses):
        if np.isnan(pose.joints_m).any():
            expected = LiftStatus.NOT_SEEN
        elif i / rate < reach_s or (FRAMES - 1 - i) / rate < reach_s:
            expected = LiftStatus.AT_EDGE
        else:
            expected = LiftStatus.LIFTED
        assert pose.status is expected
    assert {pose.status for pose in poses} == {LiftStatus.LIFTED, LiftStatus.AT_EDGE, LiftStatus.NOT_SEEN}
    again = stream.push(SCORED[0], 0.0) + stream.flush()
    assert [pose.status for pose in again] == [LiftStatus.AT_EDGE]


def test_an_answer_that_is_not_finite_is_marked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "lifter.onnx"
    write_linear_lifter(path, LifterMetadata())
    lifter = Lifter(path)
    lift = lifter.answer_windows

    def broken(windows: np.ndarray) -> np.ndarray:
        poses = lift(windows)
        poses[:, 3] = np.inf
        return poses

    monkeypatch.setattr(lifter, "answer_windows", broken)
    stream = lifter.stream(SIZE, "coco17", Placement())
    poses = [pose for i, frame in enumerate(WALK) for pose in stream.push(frame, i / 25)]
    assert {pose.status for pose in poses} == {LiftStatus.NOT_FINITE}
    assert set(lifter.track(WALK, SIZE, "coco17", fps=25).status) == {LiftStatus.NOT_FINITE}


@pytest.mark.parametrize(
    ("values", "status"),
    [
        ((1e20, -1e20), LiftStatus.LIFTED),  # their squares are no float32
        ((np.nan, 0.0), LiftStatus.NOT_FINITE),
        ((np.inf, -np.inf), LiftStatus.NOT_FINITE),
        ((-np.inf, 0.0), LiftStatus.NOT_FINITE),
    ],
)
def test_only_nan_and_infinity_are_not_finite(values: tuple[float, float], status: LiftStatus) -> None:
    pose = np.ones((16, 3), np.float32)
    pose[3, 1], pose[15, 2] = values
    assert lift_status(pose, True, 10.0, 10.0, Lifter("fast").metadata) is status
