"""What live streams have to live through: lost cameras, failing detectors, bad images, sudden ends."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from sdk.detectors.detection import Detections
from sdk.errors import BadImage, BadSetting, BadVideo, StreamFailed, UnknownPolicy
from sdk.lifting.lifter import Lifter
from sdk.results.pose_frame import PoseFrame
from sdk.stream.pose_stream import PoseStream
from sdk.video.frame_queue import QueuePolicy
from sdk.video.pushed_frames import PushedFrames
from sdk.video.reconnection import ReconnectingReader, Reconnection
from sdk.video.source import VideoSource
from tests.sdk.linear_lifter import write_linear_lifter
from tests.sdk.live_sources import (
    EndlessReader,
    FailingDetector,
    ListReader,
    NobodyDetector,
    Reopening,
    SharedFailingDetector,
    adaptpose_threads,
)
from tests.sdk.stick_figures import KnowingDetector, read_index, render, walk

SOON_S = 10.0
"""For waits that end much earlier unless something hangs; a busy machine may take its time."""
TRACK = walk(200, (60, 60), (0.5, 0))
PEOPLE = [(k,) for k in TRACK]
QUICK = Reconnection(first_pause_s=0.001, longest_pause_s=0.002)


@pytest.fixture(scope="module")
def lifter(tmp_path_factory: pytest.TempPathFactory) -> Lifter:
    path = tmp_path_factory.mktemp("lifter") / "linear.onnx"
    write_linear_lifter(path)
    return Lifter(path, threads=1)


def images(start: int, stop: int, offset_s: float = 0.0) -> list[tuple[np.ndarray, float]]:
    return [(render(t, [TRACK[t]]), t / 25 + offset_s) for t in range(start, stop)]


def test_lost_camera_comes_back_with_a_mark_and_new_ids(lifter: Lifter) -> None:
    opening = Reopening([None, None, ListReader(images(30, 60, offset_s=20.0))])
    reader = ReconnectingReader(ListReader(images(0, 30)), opening, "door", QUICK)
    with PoseStream(VideoSource("door", reader, 25.0), KnowingDetector(PEOPLE), lifter, policy="all") as stream:
        frames = []
        for frame in stream:
            frames.append(frame)
            if frame.index == 45:
                break
        assert stream.counts.interruptions == 1
    assert opening.trials >= 3
    assert [frame.index for frame in frames] == list(range(46))
    assert [frame.index for frame in frames if frame.after_gap] == [30]
    assert {p.track_id for frame in frames[:30] for p in frame.people} == {1}
    assert {p.track_id for frame in frames[30:] for p in frame.people} == {2}
    assert not adaptpose_threads()


def test_camera_that_stays_away_is_an_error_where_a_limit_is_set(lifter: Lifter) -> None:
    patience = Reconnection(first_pause_s=0.001, longest_pause_s=0.002, give_up_after_s=0.02)
    reader = ReconnectingReader(ListReader(images(0, 30)), Reopening([]), "door", patience)
    with (
        PoseStream(VideoSource("door", reader, 25.0), KnowingDetector(PEOPLE), lifter, policy="all") as stream,
        pytest.raises(BadVideo, match=r"door was lost and did not come back within 0.02 s"),
    ):
        list(stream)


def test_closing_ends_the_wait_for_a_lost_camera(lifter: Lifter) -> None:
    reader = ReconnectingReader(ListReader(images(0, 30)), Reopening([]), "door", Reconnection(first_pause_s=60))
    with PoseStream(VideoSource("door", reader, 25.0), KnowingDetector(PEOPLE), lifter, policy="all") as stream:
        next(iter(stream))
    assert not adaptpose_threads()


def test_pause_of_a_camera_gives_new_ids(lifter: Lifter) -> None:
    """No loss, but nothing for longer than a person is remembered: ByteTrack alone would count two frames."""
    source = VideoSource("slow", ListReader([*images(0, 30), *images(30, 60, offset_s=5.0)]), 25.0)
    with PoseStream(source, KnowingDetector(PEOPLE), lifter, policy="all") as stream:
        frames = list(stream)
    assert [{p.track_id for frame in part for p in frame.people} for part in (frames[:30], frames[30:])] == [{1}, {2}]


def test_detector_that_fails_once_is_reported_and_the_stream_goes_on(lifter: Lifter) -> None:
    source = VideoSource("list", ListReader(images(0, 60)), 25.0)
    with PoseStream(source, FailingDetector(PEOPLE, lambda t: t == 20), lifter, policy="all") as stream:
        frames = list(stream)
        assert stream.counts.faults == 1
    assert [frame.index for frame in frames] == list(range(60))
    assert frames[20].fault == "RuntimeError: no luck with 20"
    assert [frame.index for frame in frames if frame.fault] == [20]
    assert {p.track_id for frame in frames for p in frame.people} == {1}


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("of", ["boxes", "box_scores"])
def test_a_box_that_is_not_finite_is_a_fault_of_its_image(lifter: Lifter, bad: float, of: str) -> None:
    class Broken(KnowingDetector):
        def __call__(self, image_bgr: np.ndarray) -> Detections:
            found = super().__call__(image_bgr)
            if read_index(image_bgr) == 20:
                getattr(found, of).flat[0] = bad
            return found

    source = VideoSource("list", ListReader(images(0, 60)), 25.0)
    with PoseStream(source, Broken(PEOPLE), lifter, policy="all") as stream:
        frames = list(stream)
        assert stream.counts.faults == 1
    assert [frame.index for frame in frames] == list(range(60))
    assert [frame.index for frame in frames if frame.fault] == [20]
    assert "the detector must return finite numbers" in str(frames[20].fault)
    assert {p.track_id for frame in frames for p in frame.people} == {1}


def test_two_images_of_a_recording_are_looked_at_at_a_time(lifter: Lifter) -> None:
    """Each look waits for that at the other image of its pair. 58 images are 29 pairs."""
    detector = SharedFailingDetector(PEOPLE, lambda t: t in (20, 25, 27))
    with PoseStream(VideoSource("list", ListReader(images(0, 58), live=False), 25.0), detector, lifter) as stream:
        frames = list(stream)
        assert stream.counts.faults == 3
    assert detector.together == 29
    assert [frame.index for frame in frames] == list(range(58))
    assert {frame.index: frame.fault for frame in frames if frame.fault} == {
        t: f"RuntimeError: no luck with {t}" for t in (20, 25, 27)
    }
    assert not adaptpose_threads()


def test_a_cameras_image_does_not_wait_for_a_second(lifter: Lifter) -> None:
    detector = SharedFailingDetector(PEOPLE, lambda t: False)
    with PoseStream(VideoSource("list", ListReader(images(0, 10)), 25.0), detector, lifter, policy="all") as stream:
        assert len(list(stream)) == 10
    assert detector.together == 0


def test_a_pushed_image_does_not_wait_for_a_second(lifter: Lifter) -> None:
    """The application may wait for its result before it has the next one."""
    with PoseStream(None, SharedFailingDetector([()] * 10, lambda t: False), lifter, policy="all") as stream:
        results = iter(stream)
        for image, timestamp_s in images(0, 10):
            stream.push(image, timestamp_s)
            assert next(results).timestamp_s == timestamp_s


def test_detector_that_fails_ten_times_in_a_row_stops_with_the_reason(lifter: Lifter) -> None:
    source = VideoSource("list", ListReader(images(0, 60)), 25.0)
    taken = []
    with (
        PoseStream(source, FailingDetector(PEOPLE, lambda t: t >= 20), lifter, policy="all") as stream,
        pytest.raises(StreamFailed, match=r"failed on 10 images in a row, last on image 29: RuntimeError: no luck"),
    ):
        taken += list(stream) or []
    assert not adaptpose_threads()


def test_detector_that_fails_every_other_time_does_not_stop(lifter: Lifter) -> None:
    source = VideoSource("list", ListReader(images(0, 60)), 25.0)
    with PoseStream(source, FailingDetector(PEOPLE, lambda t: t % 2 == 1), lifter, policy="all") as stream:
        assert len(list(stream)) == 60
        assert stream.counts.faults == 30


def test_change_of_size_starts_over_and_goes_on(lifter: Lifter) -> None:
    large = [(np.pad(image, ((0, 40), (0, 60), (0, 0))), t) for image, t in images(30, 60)]
    source = VideoSource("list", ListReader([*images(0, 30), *large]), 25.0)
    with PoseStream(source, KnowingDetector(PEOPLE), lifter, policy="all", smoothing=None) as stream:
        frames = list(stream)
    assert [frame.index for frame in frames] == list(range(60))
    assert [frame.index for frame in frames if frame.after_gap] == [30]
    assert {p.track_id for frame in frames[30:] for p in frame.people} == {2}
    for part, size in ((slice(0, 30), (320, 240)), (slice(30, 60), (380, 280))):
        expected = lifter(TRACK[part], image_size=size, skeleton="coco17", fps=25.0)
        np.testing.assert_allclose([frame.people[0].joints_m for frame in frames[part]], expected, atol=2e-6)


@pytest.mark.parametrize("size", [(1, 1), (2160, 3840)])
def test_smallest_and_largest_images(lifter: Lifter, size: tuple[int, int]) -> None:
    image = np.zeros((*size, 3), np.uint8)
    with PoseStream(None, NobodyDetector(), lifter, policy="all") as stream:
        for t in range(3):
            stream.push(image, t / 25)
        stream.end()
        frames = list(stream)
    assert [frame.image.shape for frame in frames] == [(*size, 3)] * 3


def test_pushed_images_of_a_wrong_kind_are_refused_and_the_stream_goes_on(lifter: Lifter) -> None:
    with PoseStream(None, KnowingDetector(PEOPLE), lifter, policy="all", smoothing=None, queue_size=60) as stream:
        for t in range(40):
            if t == 20:
                for wrong in (np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3)), np.zeros((0, 4, 3), np.uint8), None):
                    with pytest.raises(BadImage):
                        stream.push(wrong, 1.0)  # type: ignore[arg-type]
                with pytest.raises(BadVideo, match="finite number of seconds, not nan"):
                    stream.push(render(t, []), float("nan"))
            assert stream.push(render(t, [TRACK[t]]), 7 + t / 25)
        stream.end()
        frames = list(stream)
    expected = lifter(TRACK[:40], image_size=(320, 240), skeleton="coco17", fps=25.0)
    np.testing.assert_allclose([frame.people[0].joints_m for frame in frames], expected, atol=2e-6)


def test_pushed_times_that_jump_back(lifter: Lifter) -> None:
    with PoseStream(None, KnowingDetector(PEOPLE), lifter, policy="all", queue_size=200) as stream:
        for t in range(30):
            stream.push(render(t, [TRACK[t]]), 100 + t / 25)
        assert not stream.push(render(30, [TRACK[30]]), 100 + 29 / 25)  # the same instant again
        assert not stream.push(render(30, [TRACK[30]]), 100 + 20 / 25)  # a little late
        for t in range(30, 60):
            stream.push(render(t, [TRACK[t]]), 2 + t / 25)  # the clock was set
        stream.end()
        frames = list(stream)
        assert stream.counts.late == 2
    assert len(frames) == 60
    assert [frame.index for frame in frames if frame.after_gap] == [30]
    assert {p.track_id for frame in frames[30:] for p in frame.people} == {2}


def test_no_image_is_taken_and_lost_after_the_end(lifter: Lifter) -> None:
    with PoseStream(None, KnowingDetector(PEOPLE), lifter, policy="all", queue_size=60) as stream:
        for image, timestamp_s in images(0, 30):
            assert stream.push(image, timestamp_s)
        stream.end()
        with pytest.raises(BadVideo, match=r"after end\(\)"):
            stream.push(*images(30, 31)[0])
        assert len(list(stream)) == 30


@pytest.mark.parametrize("fps", [0, -1, float("nan"), float("inf")])
@pytest.mark.parametrize("source", [None, "nowhere.mp4"])
def test_frame_rates_that_no_source_has_are_refused(lifter: Lifter, source: str | None, fps: float) -> None:
    with pytest.raises(BadVideo, match="positive number of frames per second"):
        PoseStream(source, NobodyDetector(), lifter, fps=fps)
    with pytest.raises(BadVideo, match="positive number of frames per second"):
        PushedFrames(frame_rate_hz=fps)


@pytest.mark.parametrize("size", [0, -1, 1.5, float("nan"), True])
@pytest.mark.parametrize("policy", ["all", "latest"])
def test_queues_of_no_length_are_refused(lifter: Lifter, policy: QueuePolicy, size: int) -> None:
    with pytest.raises(BadSetting, match="1 or more"):
        PoseStream(None, NobodyDetector(), lifter, policy=policy, queue_size=size)


def test_thirty_people_are_one_call_of_the_network_a_frame(lifter: Lifter, monkeypatch: pytest.MonkeyPatch) -> None:
    batches = []
    lift = lifter.answer_windows
    monkeypatch.setattr(lifter, "answer_windows", lambda windows: batches.append(len(windows)) or lift(windows))
    crowd = [[walk(1, (60 * (i % 6), 40 * (i // 6)), (0, 0), phase=t / 9)[0] for i in range(30)] for t in range(20)]
    source = VideoSource("crowd", ListReader([(render(t, []), t / 25) for t in range(20)]), 25.0)
    with PoseStream(source, KnowingDetector(crowd), lifter, policy="all") as stream:
        frames = list(stream)
    assert [len(frame.people) for frame in frames] == [30] * 20
    assert len({p.track_id for frame in frames for p in frame.people}) == 30
    assert batches == [30] * 7 + [30 * 13]


def test_latest_drops_old_images_and_counts_them(lifter: Lifter) -> None:
    released = threading.Event()

    class Busy(KnowingDetector):
        def __call__(self, image_bgr: np.ndarray):
            released.wait(SOON_S)
            return super().__call__(image_bgr)

    with PoseStream(None, Busy(PEOPLE), lifter, queue_size=2) as stream:
        for t in range(40):
            stream.push(render(t, [TRACK[t]]), t / 25)
        released.set()
        stream.end()
        frames = list(stream)
        counts = stream.counts
    assert [frame.index for frame in frames][-2:] == [38, 39]
    assert len(frames) <= 8
    assert counts.dropped == 40 - len(frames)
    assert counts.read == 40


def test_all_waits_and_loses_nothing(lifter: Lifter) -> None:
    source = VideoSource("list", ListReader(images(0, 120)), 25.0)
    with PoseStream(source, KnowingDetector(PEOPLE), lifter, policy="all", queue_size=1) as stream:
        indices = []
        for frame in stream:
            indices.append(frame.index)
            if frame.index % 40 == 0:
                time.sleep(0.05)  # a slow taker
        counts = stream.counts
    assert indices == list(range(120))
    assert (counts.read, counts.results, counts.dropped, counts.results_dropped) == (120, 120, 0, 0)


def test_unknown_policy_is_named(lifter: Lifter) -> None:
    with pytest.raises(UnknownPolicy, match=r"'newest' is not a known queue policy\. Known: latest, all"):
        PoseStream(None, KnowingDetector(PEOPLE), lifter, policy="newest")  # type: ignore[arg-type]


def endless() -> VideoSource:
    return VideoSource("endless", EndlessReader(render(0, [TRACK[0]])), 25.0)


def test_close_from_another_thread_ends_the_loop(lifter: Lifter) -> None:
    stream = PoseStream(endless(), KnowingDetector(PEOPLE), lifter)
    closer = threading.Timer(0.2, stream.close)
    closer.start()
    seen = sum(1 for _ in stream)  # ends by itself
    closer.join(SOON_S)
    assert seen > 0
    assert not adaptpose_threads()
    with pytest.raises(BadVideo, match="this stream of endless was closed"):
        next(iter(stream))


def test_camera_that_blocks_does_not_hold_up_closing(lifter: Lifter) -> None:
    gate = threading.Semaphore(16)
    reader = EndlessReader(render(0, [TRACK[0]]), gate)
    stream = PoseStream(VideoSource("stalled", reader, 25.0), KnowingDetector(PEOPLE), lifter, policy="all")
    next(iter(stream))
    until = time.monotonic() + SOON_S
    while reader.reads < 16 and time.monotonic() < until:
        time.sleep(0.01)
    started = time.monotonic()
    stream.close()
    assert time.monotonic() - started < SOON_S
    assert adaptpose_threads() == ["adaptpose-read"]  # in the driver
    gate.release()
    for thread in threading.enumerate():
        if thread.name == "adaptpose-read":
            thread.join(SOON_S)
    assert not adaptpose_threads()


def test_streams_left_by_break_and_dropped_end_their_threads_and_close_their_sources(lifter: Lifter) -> None:
    readers = []
    for _ in range(20):
        source = endless()
        readers.append(source._reader)
        for _ in PoseStream(source, KnowingDetector(PEOPLE), lifter):
            break
    PoseStream(never_started := endless(), KnowingDetector(PEOPLE), lifter)
    readers.append(never_started._reader)
    gc.collect()
    until = time.monotonic() + SOON_S
    while adaptpose_threads() and time.monotonic() < until:
        time.sleep(0.01)
    assert not adaptpose_threads()
    assert all(reader.closed for reader in readers)


def test_a_stream_with_a_callback_runs_on_where_nobody_holds_it(lifter: Lifter) -> None:
    frames: list[PoseFrame] = []
    source = VideoSource("list", ListReader(images(0, 30)), 25.0)
    PoseStream(source, KnowingDetector(PEOPLE), lifter, policy="all", on_result=frames.append).start()
    gc.collect()
    until = time.monotonic() + SOON_S
    while adaptpose_threads() and time.monotonic() < until:
        time.sleep(0.01)
    assert [frame.index for frame in frames] == list(range(30))


def test_callback_gets_every_result(lifter: Lifter) -> None:
    frames: list[PoseFrame] = []
    source = VideoSource("list", ListReader(images(0, 60)), 25.0)
    with PoseStream(source, KnowingDetector(PEOPLE), lifter, policy="all", on_result=frames.append) as stream:
        assert stream.wait(SOON_S * 3)
    assert [frame.index for frame in frames] == list(range(60))


def test_exception_in_the_callback_ends_the_threads_and_reaches_the_application(lifter: Lifter) -> None:
    def broken(frame: PoseFrame) -> None:
        raise KeyError("my own mistake")

    with (
        pytest.raises(KeyError, match="my own mistake"),
        PoseStream(endless(), KnowingDetector(PEOPLE), lifter, on_result=broken) as stream,
    ):
        stream.wait(SOON_S)
    assert not adaptpose_threads()


def test_source_error_reaches_the_one_who_waits(lifter: Lifter) -> None:
    source = VideoSource("list", ListReader(images(0, 60)), 25.0)
    detector = FailingDetector(PEOPLE, lambda t: True)
    with (
        pytest.raises(StreamFailed),
        PoseStream(source, detector, lifter, policy="all", on_result=lambda frame: None) as stream,
    ):
        stream.wait(SOON_S)


def test_asyncio_form(lifter: Lifter) -> None:
    async def take() -> list[int]:
        source = VideoSource("list", ListReader(images(0, 40)), 25.0)
        async with PoseStream(source, KnowingDetector(PEOPLE), lifter, policy="all") as stream:
            return [frame.index async for frame in stream]

    assert asyncio.run(take()) == list(range(40))
    assert not adaptpose_threads()


def test_cancelled_task_leaves_nothing_behind(lifter: Lifter) -> None:
    async def watch() -> None:
        async with PoseStream(endless(), KnowingDetector(PEOPLE), lifter) as stream:
            async for _ in stream:
                pass

    async def main() -> None:
        task = asyncio.create_task(watch())
        await asyncio.sleep(0.2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert not adaptpose_threads()


@pytest.mark.skipif(sys.platform == "win32", reason="SIGINT to another process is POSIX's")
def test_ctrl_c_leaves_whole_files(tmp_path: Path) -> None:
    write_linear_lifter(tmp_path / "linear.onnx")
    program = """
import signal, sys, sdk
from tests.sdk.live_sources import EndlessReader, adaptpose_threads
from tests.sdk.stick_figures import KnowingDetector, render, walk
from sdk.video.source import VideoSource
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the tests run in the background of a shell
track = walk(1, (60, 60), (0, 0))
source = VideoSource("endless", EndlessReader(render(0, [track[0]])), 25.0)
stream = sdk.PoseStream(source, KnowingDetector([(track[0],)]), sdk.Lifter(sys.argv[1]))
try:
    with stream, sdk.open_writer(sys.argv[2], stream.skeleton, source.image_size, 25.0) as writer:
        for number, frame in enumerate(stream):
            writer.write(frame)
            if number == 20:
                print("running", flush=True)
except KeyboardInterrupt:
    print("stopped", adaptpose_threads(), flush=True)
"""
    root = Path(__file__).parents[3]
    command = [sys.executable, "-c", program, tmp_path / "linear.onnx", tmp_path / "poses.npz"]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "running\n"
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
    finally:
        process.kill()
    assert out == "stopped []\n"
    with np.load(tmp_path / "poses.npz", allow_pickle=False) as poses:
        assert len(poses["frame_index"]) > 20
        assert not bool(poses["complete"])


def test_delays_can_be_read_at_any_time(lifter: Lifter) -> None:
    source = VideoSource("list", ListReader(images(0, 60)), 25.0)
    with PoseStream(source, KnowingDetector(PEOPLE), lifter, policy="all") as stream:
        assert stream.delays.frames == 0
        frames = list(stream)
        delays = stream.delays
    latencies = [frame.latency_s for frame in frames]
    assert delays.frames == 60
    assert delays.camera_to_3d.p50_s == pytest.approx(np.percentile(latencies, 50))
    assert delays.camera_to_3d.p99_s == pytest.approx(np.percentile(latencies, 99))
    beyond = [frame.latency_s - frame.stage_times_s.detect_s for frame in frames]
    assert delays.beyond_detector.p95_s == pytest.approx(np.percentile(beyond, 95))
