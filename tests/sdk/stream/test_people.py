"""Who begins, is bridged and ends, and what a stream says of it: in results, summaries and files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from sdk.commands.live_summary import LiveSummary
from sdk.detectors.detection import Detections
from sdk.keypoint_files import read_keypoints
from sdk.lifting.lifter import Lifter
from sdk.lifting.model_metadata import LifterMetadata
from sdk.results.pose_frame import LiftStatus, PoseFrame
from sdk.skeletons.skeleton import COCO17
from sdk.stream.pose_stream import PoseStream
from sdk.video.source import VideoSource
from sdk.writers.factory import open_writer
from tests.lifters import random_lifter
from tests.sdk.live_sources import ListReader
from tests.sdk.stick_figures import SIZE, read_index, render, walk
from training.lifter.onnx_graphs import write_lifter_onnx

FRAMES = 90
TRACK = walk(FRAMES, (100, 60), (0.5, 0))
WRIST = COCO17.index("left_wrist")


@pytest.fixture(scope="module")
def lifter(tmp_path_factory: pytest.TempPathFactory) -> Lifter:
    """One that takes joints that are not seen."""
    path = tmp_path_factory.mktemp("lifter") / "lifter.onnx"
    metadata = LifterMetadata(receptive_field=27, name="random", input_channels=3, shortest_lookahead=0)
    write_lifter_onnx(random_lifter((3, 3, 3), channels=16, input_channels=3), metadata, path)
    return Lifter(path, threads=1)


class Scored:
    """A detector that has one person in each image, (17, 3) with scores; None is nobody."""

    identity = "scored"
    skeleton = COCO17

    def __init__(self, people: Sequence[np.ndarray | None]) -> None:
        self._people = people

    def __call__(self, image_bgr: np.ndarray) -> Detections:
        person = self._people[read_index(image_bgr)]
        if person is None:
            return Detections.none(17)
        low, high = np.nanmin(TRACK[0], 0), np.nanmax(TRACK[0], 0)
        return Detections(person[None, :, :2], person[None, :, 2], np.concatenate([low, high])[None], np.ones(1))

    def reset(self) -> None:
        """Nothing to forget."""


def people() -> list[np.ndarray | None]:
    return [np.concatenate([frame, np.full((17, 1), 0.9)], 1).astype(np.float32) for frame in TRACK]


def run(found: Sequence[np.ndarray | None], lifter: Lifter, times: np.ndarray | None = None) -> list[PoseFrame]:
    times = np.arange(len(found)) / 25 if times is None else times
    images = [(render(t, []), float(at_s)) for t, at_s in enumerate(times)]
    source = VideoSource("list", ListReader(images), 25.0)
    with PoseStream(source, Scored(found), lifter, policy="all", smoothing=None) as stream:
        return list(stream)


@pytest.mark.parametrize("far", [1e20, -1e30, 3e38])
def test_a_wrist_beyond_any_image_is_not_seen(lifter: Lifter, far: float) -> None:
    found, unseen = people(), people()
    for t in range(30, 35):
        found[t][WRIST, 0] = far
        unseen[t][WRIST] = [np.nan, np.nan, 0]
    for result, expected in zip(run(found, lifter), run(unseen, lifter), strict=True):
        (person,), (other,) = result.people, expected.people
        assert person.status is other.status
        np.testing.assert_array_equal(person.joints_m, other.joints_m)
        np.testing.assert_array_equal(person.keypoints_px, other.keypoints_px)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("of", [0, 1, 2])
@pytest.mark.parametrize("frames", [[30], range(30, 60), range(FRAMES)])
def test_one_wrist_that_is_not_finite_is_not_seen_and_the_person_is_lifted(
    lifter: Lifter, frames: Sequence[int], of: int, bad: float
) -> None:
    found, clean = people(), people()
    for t in frames:
        found[t][WRIST, of] = bad
        clean[t][WRIST] = [np.nan, np.nan, 0]
    results = run(found, lifter)
    assert {(p.status, p.track_id) for f in results for p in f.people} == {
        (LiftStatus.LIFTED, 1),
        (LiftStatus.AT_EDGE, 1),
    }
    scored = np.stack([frame[:, :2] for frame in clean])
    expected = lifter(scored, SIZE, "coco17", 25.0)
    for t, (result, pose) in enumerate(zip(results, expected, strict=True)):
        (person,) = result.people
        np.testing.assert_allclose(person.joints_m, pose, atol=2e-5)
        assert np.isfinite(person.scores).all()
        assert person.scores[WRIST] == pytest.approx(0.0 if t in frames else 0.9)


def test_a_person_of_whom_nothing_is_seen_is_bridged_and_marked_where_that_is_too_long(lifter: Lifter) -> None:
    found = people()
    for t in [*range(30, 35), *range(50, 70)]:
        found[t][:, :2] = np.nan
    statuses = [frame.people[0].status for frame in run(found, lifter)]
    assert [t for t, one in enumerate(statuses) if one is LiftStatus.BRIDGED] == list(range(30, 35))
    assert [t for t, one in enumerate(statuses) if one is LiftStatus.NOT_FINITE] == list(range(50, 70))


def test_a_pose_that_is_not_finite_is_marked(lifter: Lifter, monkeypatch: pytest.MonkeyPatch) -> None:
    lift = lifter.answer_windows

    def broken(windows: np.ndarray) -> np.ndarray:
        poses = lift(windows)
        poses[0, 3] = np.nan
        return poses

    monkeypatch.setattr(lifter, "answer_windows", broken)
    seen = [(p.status, p.joints_m) for frame in run(people()[:20], lifter) for p in frame.people]
    assert [joints for status, joints in seen if status is LiftStatus.NOT_FINITE] == [None] * sum(
        status is LiftStatus.NOT_FINITE for status, _ in seen
    )
    assert LiftStatus.NOT_FINITE in {status for status, _ in seen}


@pytest.mark.parametrize("suffix", [".json", ".csv", ".npz", ".bvh"])
def test_a_score_that_is_nan_ends_no_recording(tmp_path: Path, lifter: Lifter, suffix: str) -> None:
    found = people()
    found[20][WRIST, 2] = np.nan
    found[21][WRIST, 0] = np.nan
    results = run(found, lifter)
    with open_writer(tmp_path / f"poses{suffix}", COCO17, SIZE, 25.0) as writer:
        for frame in results:
            writer.write(frame)
    if suffix == ".json":
        entries = json.loads((tmp_path / "poses.json").read_text())
        assert len(entries) == FRAMES
        assert np.reshape(entries[21]["keypoints"], (17, 3))[WRIST].tolist() == [0, 0, 0]
        (track,) = read_keypoints(tmp_path / "poses.json", image_size=SIZE, frame_rate_hz=25.0)
        assert len(track) == FRAMES


def test_a_clock_that_jumps_an_hour_ahead_is_a_gap(lifter: Lifter) -> None:
    times = np.arange(FRAMES) / 25
    times[40:] += 3600
    results = run(people(), lifter, times)
    assert [frame.index for frame in results] == list(range(FRAMES))
    assert [frame.index for frame in results if frame.after_gap] == [40]
    assert [{p.track_id for frame in part for p in frame.people} for part in (results[:40], results[40:])] == [{1}, {2}]
    assert [frame.forgotten for frame in results if frame.forgotten] == [(1,)]
    assert results[40].forgotten == (1,)


def test_results_say_who_is_forgotten_and_who_is_not_tracked(lifter: Lifter) -> None:
    """Somebody away for 0.4 s is bridged, for 0.8 s goes on with another window, for longer is forgotten."""
    found = people() + people()
    for t in [*range(20, 30), *range(50, 70), *range(100, 140)]:
        found[t] = None
    results = run(found, lifter)
    numbers = [[p.track_id for p in frame.people] for frame in results]
    assert numbers[:50] == [[1]] * 50
    assert numbers[70:100] == [[1]] * 30
    assert {frame.index: frame.forgotten for frame in results if frame.forgotten} == {125: (1,)}
    assert [p.track_id for frame in results[141:] for p in frame.people] == [2] * 39
    assert [frame.index for frame in results if frame.untracked] == [140]  # ByteTrack confirms a person when seen twice


def test_bridged_people_are_not_taken_off_those_not_tracked(lifter: Lifter) -> None:
    found = people()
    for t in range(20, 30):
        found[t] = None
    source = VideoSource("list", ListReader([(render(t, []), t / 25) for t in range(FRAMES)]), 25.0)
    with PoseStream(source, Scored(found), lifter, policy="all") as stream:
        summary = LiveSummary(stream)
        for frame in stream:
            summary.add(frame, 0.0)
        told = summary.text([])
    assert "Bridged, not detected in their own frame: 10 poses." in told
    assert "Not tracked" not in told


@pytest.mark.parametrize("suffix", [".trc", ".c3d", ".bvh"])
def test_files_of_a_stream_are_closed_with_their_person(tmp_path: Path, lifter: Lifter, suffix: str) -> None:
    """Twice away for 0.9 s, with the same number: one file."""
    found = people()
    for t in [*range(20, 42), *range(60, 82)]:
        found[t] = None
    with open_writer(tmp_path / f"walk{suffix}", COCO17, SIZE, 25.0) as writer:
        for frame in run(found, lifter):
            writer.write(frame)
    assert [path.name for path in writer.paths] == [f"walk_person1{suffix}"]
