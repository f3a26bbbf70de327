"""The streaming graph in a live stream: the window graph's poses, at whatever times frames come."""

import dataclasses

import numpy as np
import pytest

from sdk.camera.placement import Placement
from sdk.errors import BadModelFile
from sdk.lifting.lifter import Lifter
from sdk.lifting.model_metadata import LifterMetadata
from sdk.lifting.streaming import StreamedPeople, StreamingGraph, streaming_path
from tests.lifters import random_lifter
from training.lifter.onnx_graphs import write_lifter_onnx, write_streaming_onnx

SIZE = (1280, 720)
METADATA = LifterMetadata(name="random", checkpoint_sha256="ab" * 32)
TOLERANCE_M = 5e-6
"""Both graphs round; the product asks for 0.05 mm."""


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("streaming") / "lifter.onnx"
    network = random_lifter(channels=32)
    write_lifter_onnx(network, METADATA, path)
    write_streaming_onnx(network, METADATA, streaming_path(path))
    return path


@pytest.fixture(scope="module")
def lifter(model):
    return Lifter(model)


@pytest.fixture
def steps(monkeypatch):
    """Counts the frames that go through the streaming graph."""
    counted = []
    step = StreamingGraph.step

    def counting(self, keypoints, states):
        counted.append(len(keypoints))
        return step(self, keypoints, states)

    monkeypatch.setattr(StreamingGraph, "step", counting)
    return counted


@pytest.fixture
def windows_lifted(monkeypatch):
    """Counts the windows that go through the window graph."""
    counted = []
    lift = Lifter.answer_windows

    def counting(self, windows):
        counted.append(len(windows))
        return lift(self, windows)

    monkeypatch.setattr(Lifter, "answer_windows", counting)
    return counted


def walk(frames, seed=0):
    random = np.random.default_rng(seed)
    start, speed = random.uniform(200, 500, (1, 17, 2)), random.uniform(-3, 3, (1, 17, 2))
    wave = 40 * np.sin(np.arange(frames)[:, None, None] / random.uniform(2, 9, (1, 17, 2)))
    return (start + speed * np.arange(frames)[:, None, None] + wave).astype(np.float32)


def live(lifter, keypoints, times):
    stream = lifter.stream(SIZE, "coco17")
    poses = [pose for frame, t in zip(keypoints, times, strict=True) for pose in stream.push(frame, t)]
    return stream, poses + stream.flush()


def window_lifter(model, tmp_path):
    """The same lifter without a streaming graph beside it."""
    alone = tmp_path / "lifter.onnx"
    alone.write_bytes(model.read_bytes())
    return Lifter(alone)


def assert_same(poses, expected):
    assert [pose.timestamp_s for pose in poses] == [pose.timestamp_s for pose in expected]
    np.testing.assert_allclose(
        np.stack([pose.joints_m for pose in poses]),
        np.stack([pose.joints_m for pose in expected]),
        rtol=0,
        atol=TOLERANCE_M,
    )


def test_at_the_lifters_rate_whole_windows_are_streamed(lifter, model, tmp_path, steps, windows_lifted):
    keypoints, times = walk(60), np.arange(60) / 25
    stream, poses = live(lifter, keypoints, times)
    assert stream.graph == "streaming"
    # The first 13 poses and the last 13 have an edge frame in their window.
    assert (sum(steps), sum(windows_lifted)) == (60, 26)
    reference, expected = live(window_lifter(model, tmp_path), keypoints, times)
    assert reference.graph == "window"
    assert_same(poses, expected)
    np.testing.assert_allclose(
        np.stack([pose.joints_m for pose in poses]), lifter(keypoints, SIZE, "coco17", 25.0), rtol=0, atol=TOLERANCE_M
    )
    # By rule, not by luck: the first poses come from the window graph itself.
    for pose, same in zip(poses[:13], expected[:13], strict=True):
        np.testing.assert_array_equal(pose.joints_m, same.joints_m)


@pytest.mark.parametrize(
    ("fps", "streamed"), [(50.0, 2 * 60 - 52), (100.0, 120 - 104), (30.0, 0), (29.97, 0), (24.0, 0)]
)
def test_other_rates(lifter, model, tmp_path, steps, windows_lifted, fps, streamed):
    """At a multiple of the rate there are several chains; at others no window is made of frames alone."""
    keypoints, times = walk(120), np.arange(120) / fps
    _, poses = live(lifter, keypoints, times)
    assert sum(windows_lifted) == 120 - streamed
    if not streamed:
        assert sum(steps) < 5
    _, expected = live(window_lifter(model, tmp_path), keypoints, times)
    assert_same(poses, expected)


@pytest.mark.parametrize("lost", [[40], [40, 41, 42], list(range(30, 45))])
def test_after_lost_frames_the_window_graph_stands_in(lifter, model, tmp_path, windows_lifted, lost):
    """Windows round a gap are interpolated; 27 frames after it, streaming takes over again."""
    keep = [t for t in range(120) if t not in lost]
    keypoints, times = walk(120)[keep], np.array(keep) / 25
    _, poses = live(lifter, keypoints, times)
    before, after = lost[0], 120 - lost[-1] - 1
    assert sum(windows_lifted) == len(keep) - (before - 26) - (after - 26)
    _, expected = live(window_lifter(model, tmp_path), keypoints, times)
    assert_same(poses, expected)


@pytest.mark.parametrize("jitter_s", [2e-5, 2e-4, 0.01])
def test_times_that_are_not_exact(lifter, model, tmp_path, jitter_s):
    keypoints = walk(90)
    times = np.arange(90) / 25 + np.random.default_rng(0).uniform(-jitter_s, jitter_s, 90)
    _, poses = live(lifter, keypoints, times)
    _, expected = live(window_lifter(model, tmp_path), keypoints, times)
    assert_same(poses, expected)


def test_a_rate_a_little_off_drifts_out_of_the_chain(lifter, model, tmp_path):
    """25.05 Hz: two successive frames are within the tolerance, 27 are not."""
    keypoints, times = walk(200), np.arange(200) / 25.05
    _, poses = live(lifter, keypoints, times)
    _, expected = live(window_lifter(model, tmp_path), keypoints, times)
    assert_same(poses, expected)


def test_reset_and_flush_start_over(lifter):
    keypoints = walk(60)
    stream = lifter.stream(SIZE, "coco17")
    for start in (stream.reset, stream.flush):
        stream.reset()
        for i in range(40):
            stream.push(walk(60, seed=9)[i], i / 25)
        start()
        poses = [pose for i in range(60) for pose in stream.push(keypoints[i], i / 25)]
        np.testing.assert_allclose(
            np.stack([pose.joints_m for pose in poses]),
            lifter(keypoints, SIZE, "coco17", 25.0)[:47],
            rtol=0,
            atol=TOLERANCE_M,
        )


def test_many_people_are_one_call(lifter, steps):
    """Each person's chain is their own, also where they come and go."""
    people = StreamedPeople(lifter.streaming_graph())
    chains = {name: [] for name in "abc"}
    random = np.random.default_rng(0)
    tracks = {name: random.uniform(-1, 1, (60, 16, 2)).astype(np.float32) for name in "abc"}
    begins = {"a": 0, "b": 5, "c": 20}
    streamed = {name: {} for name in tracks}
    for i in range(60):
        here = {name: track[i] for name, track in tracks.items() if i >= begins[name]}
        poses = people.push([chains[name] for name in here], list(here.values()), i / 25)
        for name, pose in zip(here, poses, strict=True):
            if pose is not None:
                streamed[name][pose.timestamp_s] = lifter.form.joints_m(pose.answer)
    assert max(steps) == 3
    for name, track in tracks.items():
        middles = range(begins[name] + 13, 60 - 13)
        assert list(streamed[name]) == [i / 25 for i in middles]
        expected = lifter.lift_windows(np.stack([track[i - 13 : i + 14] for i in middles]))
        np.testing.assert_allclose(np.stack(list(streamed[name].values())), expected, rtol=0, atol=TOLERANCE_M)
    assert people.push([[]], [tracks["a"][0]], 60 / 25) == [None]


def test_missing_joints_and_a_person_apart_from_its_place(tmp_path):
    """Three numbers per joint, NaN where it is not seen, and features of each frame alone."""
    metadata = dataclasses.replace(METADATA, input_channels=3, receptive_field=9)
    network = random_lifter((3, 3), channels=16, input_channels=3, view="person")
    write_lifter_onnx(network, metadata, tmp_path / "lifter.onnx")
    window = Lifter(tmp_path / "lifter.onnx")
    keypoints, times = walk(40), np.arange(40) / 25
    keypoints[np.random.default_rng(1).uniform(size=(40, 17)) < 0.2] = np.nan
    _, expected = live(window, keypoints, times)
    write_streaming_onnx(network, metadata, tmp_path / "lifter.stream.onnx")
    stream, poses = live(Lifter(tmp_path / "lifter.onnx"), keypoints, times)
    assert stream.graph == "streaming"
    assert_same(poses, expected)


def test_a_shorter_look_ahead_is_for_the_window_graph(tmp_path):
    metadata = dataclasses.replace(METADATA, receptive_field=9, shortest_lookahead=0)
    network = random_lifter((3, 3), channels=16)
    write_lifter_onnx(network, metadata, tmp_path / "lifter.onnx")
    write_streaming_onnx(network, metadata, tmp_path / "lifter.stream.onnx")
    for lookahead, graph in (("live", "window"), (3, "window"), ("offline", "streaming")):
        assert Lifter(tmp_path / "lifter.onnx", lookahead=lookahead).stream(SIZE, "coco17").graph == graph


def test_positions_in_the_camera_are_those_of_whole_windows(model, tmp_path):
    keypoints = walk(50)
    tracks = []
    for lifter in (Lifter(model), window_lifter(model, tmp_path)):
        stream = lifter.stream(SIZE, "coco17", Placement())
        tracks.append([p for i, frame in enumerate(keypoints) for p in stream.push(frame, i / 25)] + stream.flush())
    assert_same(*tracks)
    roots = [np.stack([pose.root_m for pose in track]) for track in tracks]
    np.testing.assert_allclose(*roots, rtol=0, atol=1e-3)


@pytest.mark.parametrize("end", ["reset", "flush"])
def test_the_next_person_has_no_body_and_no_depth_of_the_last(model, end):
    """Depths are filtered and bones settle: both are of one person."""
    first, second = walk(80, seed=9) * 0.4, walk(50)
    alone, stream = (Lifter(model).stream(SIZE, "coco17", Placement(settle_bones=True)) for _ in range(2))
    for i, frame in enumerate(first):
        stream.push(frame, i / 25)
    getattr(stream, end)()
    after, expected = (
        [pose for i, frame in enumerate(second) for pose in one.push(frame, 100 + i / 25)] + one.flush()
        for one in (stream, alone)
    )
    for pose, same in zip(after, expected, strict=True):
        np.testing.assert_array_equal(pose.joints_m, same.joints_m)
        np.testing.assert_array_equal(pose.root_m, same.root_m)


def test_single_frames_have_no_past(tmp_path):
    metadata = dataclasses.replace(METADATA, receptive_field=1)
    network = random_lifter((1, 1), channels=16)
    write_lifter_onnx(network, metadata, tmp_path / "lifter.onnx")
    write_streaming_onnx(network, metadata, tmp_path / "lifter.stream.onnx")
    lifter, keypoints = Lifter(tmp_path / "lifter.onnx"), walk(5)
    _, poses = live(lifter, keypoints, np.arange(5) / 25)
    np.testing.assert_allclose(
        np.stack([pose.joints_m for pose in poses]), lifter(keypoints, SIZE, "coco17", 25.0), rtol=0, atol=TOLERANCE_M
    )


class TestFiles:
    def test_streaming_graph_of_another_checkpoint(self, model, tmp_path):
        (tmp_path / "lifter.onnx").write_bytes(model.read_bytes())
        other = dataclasses.replace(METADATA, checkpoint_sha256="cd" * 32)
        write_streaming_onnx(random_lifter(channels=16), other, tmp_path / "lifter.stream.onnx")
        lifter = Lifter(tmp_path / "lifter.onnx")
        with pytest.raises(BadModelFile, match=r"another lifter: .* checkpoint cdcdcdcdcdcd, .* abababababab\. Export"):
            lifter.stream(SIZE, "coco17")

    def test_streaming_graph_given_for_the_window_graph(self, model, tmp_path):
        with pytest.raises(BadModelFile, match=r"lifter\.stream\.onnx is a streaming graph\. Open the lifter\.onnx"):
            Lifter(streaming_path(model))
        (tmp_path / "lifter.onnx").write_bytes(model.read_bytes())
        (tmp_path / "lifter.stream.onnx").write_bytes(model.read_bytes())
        with pytest.raises(BadModelFile, match="is a window graph, not a streaming one"):
            Lifter(tmp_path / "lifter.onnx").stream(SIZE, "coco17")

    def test_damaged(self, model, tmp_path):
        (tmp_path / "lifter.onnx").write_bytes(model.read_bytes())
        (tmp_path / "lifter.stream.onnx").write_bytes(streaming_path(model).read_bytes()[:500])
        with pytest.raises(BadModelFile, match=r"lifter\.stream\.onnx: ONNX Runtime can't open it"):
            Lifter(tmp_path / "lifter.onnx").stream(SIZE, "coco17")
