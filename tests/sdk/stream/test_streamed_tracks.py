"""A pose stream with the streaming graph: everybody's poses are the window graph's, whoever comes, vanishes or goes."""

from __future__ import annotations

import dataclasses
import gc
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from sdk.detectors.detection import Detections
from sdk.errors import BadModelFile
from sdk.lifting.lifter import Lifter
from sdk.lifting.model_metadata import LifterMetadata
from sdk.lifting.streaming import StreamingGraph, streaming_path
from sdk.results.pose_frame import LiftStatus, PoseFrame
from sdk.skeletons.skeleton import COCO17
from sdk.stream.people import FEWEST_FRAMES, Tracklet
from sdk.stream.pose_assembly import DetectedImage, PoseAssembly
from sdk.video.source import VideoFrame
from tests.lifters import random_lifter
from tests.sdk.stick_figures import walk
from training.lifter.onnx_graphs import write_lifter_onnx, write_streaming_onnx

METADATA = LifterMetadata(
    receptive_field=9, name="random", checkpoint_sha256="ab" * 32, input_channels=3, shortest_lookahead=0
)
TOLERANCE_M = 5e-6
"""Both graphs round; the product asks for 0.05 mm."""
IMAGE = np.zeros((240, 320, 3), np.uint8)
People = Sequence[Sequence[np.ndarray | None]]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("streaming") / "lifter.onnx"
    network = random_lifter((3, 3), channels=16, input_channels=3)
    write_lifter_onnx(network, METADATA, path)
    write_streaming_onnx(network, METADATA, streaming_path(path))
    return path


@pytest.fixture(scope="module")
def window_model(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same lifter without a streaming graph beside it."""
    alone = tmp_path_factory.mktemp("window") / "lifter.onnx"
    alone.write_bytes(model.read_bytes())
    return alone


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many people each call of the streaming graph was of."""
    counted = []
    step = StreamingGraph.step

    def counting(self: StreamingGraph, keypoints: np.ndarray, states: list[np.ndarray]) -> tuple:
        counted.append(len(keypoints))
        return step(self, keypoints, states)

    monkeypatch.setattr(StreamingGraph, "step", counting)
    return counted


def assembly(lifter: Lifter, fps: float) -> PoseAssembly:
    return PoseAssembly(
        lifter, COCO17, fps, live=False, smoothing=None, placement=None, repair_sides=True, processors=()
    )


def detected(index: int, timestamp_s: float, people: Sequence[np.ndarray | None]) -> DetectedImage:
    """Joints of (17, 3) have their scores, of (17, 2) the best."""
    seen = [person for person in people if person is not None]
    found = Detections.none(17)
    if seen:
        scores = np.stack([p[:, 2] if p.shape[1] == 3 else np.ones(17, np.float32) for p in seen])
        found = Detections.from_keypoints(np.stack([p[:, :2] for p in seen]), scores, visible_score=0.1)
    return DetectedImage(VideoFrame(index, timestamp_s, IMAGE), found, None, 0.0, 0.0, 0.0)


def lift(
    model: Path, people: People, times: np.ndarray, fps: float, lookahead: int | str = "offline"
) -> list[PoseFrame]:
    stream = assembly(Lifter(model, lookahead=lookahead, threads=1), fps)
    frames = [frame for i, t in enumerate(times) for frame in stream.push(detected(i, t, people[i]))] + stream.flush()
    assert [frame.index for frame in frames] == list(range(len(people)))
    return frames


def assert_same(frames: list[PoseFrame], expected: list[PoseFrame]) -> None:
    for frame, other in zip(frames, expected, strict=True):
        assert [(p.track_id, p.status, p.window_filling) for p in frame.people] == [
            (p.track_id, p.status, p.window_filling) for p in other.people
        ]
        for person, same in zip(frame.people, other.people, strict=True):
            assert (person.joints_m is None) == (same.joints_m is None)
            if person.joints_m is not None:
                np.testing.assert_allclose(person.joints_m, same.joints_m, rtol=0, atol=TOLERANCE_M)
                if person.window_filling:  # by rule, not by luck: the first poses come from the window graph itself
                    np.testing.assert_array_equal(person.joints_m, same.joints_m)


def three(frames: int) -> list[list[np.ndarray | None]]:
    tracks = [walk(frames, (20 + 100 * i, 20 + 30 * i), (0.3 - 0.2 * i, 0.1), phase=float(i)) for i in range(3)]
    return [list(people) for people in zip(*tracks, strict=True)]


@pytest.mark.parametrize(("fps", "streams"), [(25.0, True), (50.0, True), (30.0, False), (10.0, False)])
def test_frame_rates(model: Path, window_model: Path, steps: list[int], fps: float, streams: bool) -> None:
    people, times = three(40), np.arange(40) / fps
    frames = lift(model, people, times, fps)
    assert (max(steps, default=0) == 3) is streams
    if streams:  # one call a frame, but none for a chain's first, which waits for the second
        assert len(steps) == 40
    assert_same(frames, lift(window_model, people, times, fps))
    assert {p.status for f in frames for p in f.people} == {LiftStatus.LIFTED, LiftStatus.AT_EDGE}


def test_uneven_times(model: Path, window_model: Path) -> None:
    people = three(60)
    times = np.arange(60) / 25 + np.random.default_rng(0).uniform(0, 1e-3, 60) * (np.arange(60) % 20 > 13)
    assert_same(lift(model, people, times, 25.0), lift(window_model, people, times, 25.0))


def test_people_who_vanish_come_back_and_go(model: Path, window_model: Path, steps: list[int]) -> None:
    """A short gap is bridged, after a long one the window starts over; the others are streamed meanwhile."""
    people, times = three(110), np.arange(110) / 25
    for t in range(110):
        if 20 <= t < 28 or 45 <= t < 65:
            people[t][0] = None
        if t < 7 or t > 80:
            people[t][1] = None
        if 50 <= t < 54:
            people[t] = [None, None, None]
    frames = lift(model, people, times, 25.0)
    assert sum(steps) > 150
    assert_same(frames, lift(window_model, people, times, 25.0))
    statuses = [p.status for f in frames for p in f.people]
    assert statuses.count(LiftStatus.BRIDGED) == 8 + 2 * 4


@pytest.mark.parametrize(("lookahead", "bridged"), [(0, []), (1, range(20, 24)), (4, range(20, 24))])
def test_a_gap_is_bridged_where_images_wait(model: Path, lookahead: int, bridged: Sequence[int]) -> None:
    """Without look-ahead they are shown without the person; whoever is shown has the interpolated track's pose."""
    track, times = walk(45, (60, 60), (0.5, 0.1)), np.arange(45) / 25
    frames = lift(model, [[None if 20 <= t < 24 else track[t]] for t in range(45)], times, 25.0, lookahead)
    share = np.linspace(0, 1, 6, dtype=np.float32)[:, None, None]
    track[19:25] = track[19] * (1 - share) + track[24] * share
    expected = Lifter(model, lookahead=lookahead, threads=1)(track, (320, 240), "coco17", 25.0)
    shown = [t for t in range(45) if not 20 <= t < 24 or t in bridged]
    assert [frame.index for frame in frames if frame.people] == shown
    for t in shown:
        (person,) = frames[t].people
        assert person.track_id == 1
        if person.joints_m is None:
            assert (person.status, t + lookahead < FEWEST_FRAMES - 1) == (LiftStatus.TOO_SHORT, True)
            continue
        assert (person.status is LiftStatus.BRIDGED) is (t in bridged)
        assert bool(person.visibility.any()) is (t not in bridged)
        np.testing.assert_allclose(person.joints_m, expected[t], rtol=0, atol=2e-5)


def test_missing_joints(model: Path, window_model: Path, steps: list[int]) -> None:
    random = np.random.default_rng(0)
    people = [
        [np.concatenate([p, random.choice([0.002, 0.9], (17, 1), p=[0.2, 0.8])], 1, dtype=np.float32) for p in frame]
        for frame in three(40)
        if frame is not None
    ]
    times = np.arange(40) / 25
    frames = lift(model, people, times, 25.0)
    assert max(steps) == 3
    assert_same(frames, lift(window_model, people, times, 25.0))
    seen = lift(model, three(40), times, 25.0)
    assert np.abs(frames[20].people[0].joints_m - seen[20].people[0].joints_m).max() > 1e-3


def test_no_look_ahead_is_for_the_window_graph(model: Path, window_model: Path, steps: list[int]) -> None:
    people, times = three(20), np.arange(20) / 25
    frames = lift(model, people, times, 25.0, "live")
    assert not steps
    assert_same(frames, lift(window_model, people, times, 25.0, "live"))


def test_memory_is_bounded_as_people_come_and_go(model: Path) -> None:
    stream = assembly(Lifter(model, threads=1), 25.0)
    corners = [(20, 10), (200, 100), (20, 120), (220, 10)]
    states, ids = [], set()
    for t in range(400):
        person = walk(1, corners[t // 20 % 4], (0, 0), phase=t / 9)[0] if t % 20 < 15 else None
        results = stream.push(detected(t, t / 25, [person]))
        ids |= {p.track_id for frame in results for p in frame.people}
        states.append(sum(len(one.windows.chains) for one in stream._people))
        assert len(stream._people) <= 2
        assert len(stream._held) <= 26
    assert len(ids) > 15
    assert max(states) <= 4
    stream.flush()
    assert len(stream._people) == 0
    assert not stream._held
    gc.collect()
    assert not [one for one in gc.get_objects() if type(one) is Tracklet]


def test_a_damaged_streaming_graph_is_an_error_of_the_stream(model: Path, tmp_path: Path) -> None:
    (tmp_path / "lifter.onnx").write_bytes(model.read_bytes())
    other = dataclasses.replace(METADATA, checkpoint_sha256="cd" * 32)
    write_streaming_onnx(random_lifter((3, 3), channels=16, input_channels=3), other, tmp_path / "lifter.stream.onnx")
    with pytest.raises(BadModelFile, match=r"another lifter: .* checkpoint cdcdcdcdcdcd"):
        assembly(Lifter(tmp_path / "lifter.onnx"), 25.0)
