"""Windows: a slow oracle for any frame rate, plain frames at the lifter's own, live equal to offline."""

import dataclasses

import numpy as np
import pytest

from sdk.errors import BadKeypoints, UnknownSkeleton
from sdk.lifting.model_metadata import LifterMetadata
from sdk.lifting.windows import WindowBuffer, nobody_seen, prepare_keypoints, sample_windows
from sdk.skeletons.joint_conversion import to_h36m16
from sdk.skeletons.keypoint_normalisation import normalise_root_centred, normalise_screen

METADATA = LifterMetadata()
SIZE = (1280, 720)
RATES = [10.0, 24.0, 25.0, 29.97, 30.0, 60.0, 120.0]


def keypoints_px(frames, seed=0):
    return np.random.default_rng(seed).uniform(0, 700, (frames, 17, 2)).astype(np.float32)


def prepared(frames, seed=0):
    return prepare_keypoints(keypoints_px(frames, seed), SIZE, "coco17", METADATA)


def irregular(frames, seed=1):
    """A webcam: 5 to 90 ms between frames, a hole of two seconds, on a clock that did not start at zero."""
    steps = np.random.default_rng(seed).uniform(0.005, 0.09, frames)
    steps[frames // 2] += 2
    return 1234.5 + np.cumsum(steps)


def clocks():
    for rate in RATES:
        yield pytest.param(np.arange(150) / rate, id=f"{rate:g} fps")
    yield pytest.param(irregular(150), id="irregular")
    yield pytest.param(np.round(irregular(150), 3), id="irregular, whole milliseconds")
    yield pytest.param(np.round(np.arange(150) / 30, 3), id="30 fps, whole milliseconds")
    yield pytest.param(np.array([3.0]), id="one frame")
    yield pytest.param(np.array([0.0, 0.03, 10.0]), id="three frames")


def slowly(keypoints, times, at, metadata):
    """Every sample by numpy.interp, which also repeats the edges."""
    reach = (np.arange(metadata.receptive_field) - metadata.receptive_field // 2) / metadata.frame_rate_hz
    windows = np.zeros((len(at), metadata.receptive_field, 16, 2))
    for joint in range(16):
        for axis in range(2):
            for i, t in enumerate(at):
                windows[i, :, joint, axis] = np.interp(t + reach, times, keypoints[:, joint, axis])
    return windows


def largest_jump(keypoints, times):
    """How much a coordinate can change within the tolerance for equal times."""
    return 0 if len(times) < 2 else (np.abs(np.diff(keypoints, axis=0)).max((1, 2)) / np.diff(times)).max() * 1e-4


@pytest.mark.parametrize("times", list(clocks()))
@pytest.mark.parametrize(
    "metadata", [METADATA, LifterMetadata(9, 50.0), LifterMetadata(1)], ids=["27@25", "9@50", "1@25"]
)
def test_equals_interpolation(times, metadata):
    keypoints = prepared(len(times))
    at = times[:: max(1, len(times) // 25)]
    windows = sample_windows(keypoints, times, at, metadata)
    assert windows.dtype == np.float32
    expected = slowly(keypoints, times, at, metadata)
    np.testing.assert_allclose(windows, expected, rtol=0, atol=1e-6 + largest_jump(keypoints, times))


def test_between_frames_by_hand():
    """At 10 fps the sample 40 ms after a frame lies 0.4 of the way to the next."""
    keypoints = prepared(30)
    window = sample_windows(keypoints, np.arange(30) / 10, np.array([1.0]), METADATA)[0]
    np.testing.assert_allclose(window[13], keypoints[10], atol=1e-7)
    np.testing.assert_allclose(window[14], 0.6 * keypoints[10] + 0.4 * keypoints[11], atol=1e-6)
    np.testing.assert_allclose(window[12], 0.6 * keypoints[10] + 0.4 * keypoints[9], atol=1e-6)


@pytest.mark.parametrize("frames", [1, 2, 13, 27, 100])
@pytest.mark.parametrize("start_s", [0.0, 0.04, 86_400.0])
def test_at_the_lifters_rate_it_is_the_frames_themselves(frames, start_s):
    keypoints, times = prepared(frames), start_s + np.arange(frames) / 25
    windows = sample_windows(keypoints, times, times, METADATA)
    padded = np.concatenate([keypoints[:1]] * 13 + [keypoints] + [keypoints[-1:]] * 13)
    expected = np.stack([padded[i : i + 27] for i in range(frames)])
    np.testing.assert_array_equal(windows, expected)


def push_all(buffer, keypoints, times):
    ready, known_at = [], []
    for frame, t in zip(keypoints, times, strict=True):
        new = buffer.push(frame, t)
        ready += new
        known_at += [t] * len(new)
    return ready, known_at


@pytest.mark.parametrize("times", list(clocks()))
@pytest.mark.parametrize(
    "metadata", [METADATA, LifterMetadata(9, 50.0), LifterMetadata(1)], ids=["27@25", "9@50", "1@25"]
)
def test_live_is_offline(times, metadata):
    pixels = keypoints_px(len(times))
    offline = sample_windows(prepare_keypoints(pixels, SIZE, "coco17", metadata), times, times, metadata)
    buffer = WindowBuffer(metadata, SIZE, "coco17")
    ready, known_at = push_all(buffer, pixels, times)
    assert all(
        known >= one.timestamp_s + metadata.lookahead_s - 1e-4 for one, known in zip(ready, known_at, strict=True)
    )
    ready += buffer.flush()
    np.testing.assert_array_equal([one.timestamp_s for one in ready], times)
    np.testing.assert_array_equal(np.stack([one.window for one in ready]), offline)


@pytest.mark.parametrize("decimals", [3, 4, 5])
def test_live_is_offline_where_times_meet_the_tolerance(decimals):
    """Clocks that tick in tenths of milliseconds put frames exactly 0.1 ms from a sample."""
    random = np.random.default_rng(decimals)
    times = np.unique(np.round(np.cumsum(random.uniform(0.0002, 0.004, 3000)), decimals))
    pixels = np.repeat(keypoints_px(1), len(times), 0) + random.uniform(0, 50, (len(times), 1, 1)).astype(np.float32)
    metadata = LifterMetadata(5, 25.0)
    offline = sample_windows(prepare_keypoints(pixels, SIZE, "coco17", metadata), times, times, metadata)
    buffer = WindowBuffer(metadata, SIZE, "coco17")
    ready, _ = push_all(buffer, pixels, times)
    ready += buffer.flush()
    np.testing.assert_array_equal(np.stack([one.window for one in ready]), offline)


@pytest.mark.parametrize("rate", RATES)
def test_a_window_is_known_as_soon_as_its_future_is(rate):
    """With the first frame at or after the window's end, not one later."""
    times = np.arange(int(3 * rate)) / rate
    _, known_at = push_all(buffer := WindowBuffer(METADATA, SIZE, "coco17"), keypoints_px(len(times)), times)
    for t, known in zip(times, known_at, strict=False):
        assert known == times[np.flatnonzero(times >= t + 0.52 - 1e-4)[0]]
    assert len(buffer.flush()) == np.count_nonzero(times[-1] < times + 0.52 - 1e-4)


@pytest.mark.parametrize("rate", [10.0, 25.0, 29.97, 120.0])
def test_memory_is_bounded(rate):
    buffer, kept = WindowBuffer(METADATA, SIZE, "coco17"), []
    frame = keypoints_px(1)[0]
    for i in range(10_000 if rate == 25 else 1_000):
        buffer.push(frame, i / rate)
        kept.append(len(buffer._keypoints))
    assert max(kept) <= 1.04 * rate + 4  # the window's 26 / 25 s, and a frame to spare at either end
    assert kept[-1] == kept[len(kept) // 2]
    assert len(buffer._times) == kept[-1]
    assert len(buffer._waiting) <= 0.52 * rate + 1


def test_flush_and_reset_start_over():
    pixels, times = keypoints_px(40), np.arange(40) / 25
    buffer = WindowBuffer(METADATA, SIZE, "coco17")
    first, _ = push_all(buffer, pixels, times)
    first += buffer.flush()
    assert buffer.flush() == []
    push_all(buffer, keypoints_px(20, seed=9), times[:20])
    buffer.reset()
    assert buffer.flush() == []
    second, _ = push_all(buffer, pixels, times)  # earlier times than those forgotten
    second += buffer.flush()
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a.window, b.window)


def bad_pushes():
    frame = keypoints_px(1)[0]
    nan, infinite = frame.copy(), frame.copy()
    nan[5, 1], infinite[0, 0] = np.nan, np.inf
    yield pytest.param(frame, 0.36, "does not come after", id="the same time again")
    yield pytest.param(frame, 0.0, "does not come after", id="time goes back")
    yield pytest.param(frame, float("nan"), "does not come after|finite", id="NaN time")
    yield pytest.param(frame, float("inf"), "finite", id="infinite time")
    yield pytest.param(nan, 0.4, r"joint 5 in frame 0 .*nan.*must be finite", id="NaN")
    yield pytest.param(infinite, 0.4, r"joint 0 .*must be finite", id="infinity")
    yield pytest.param(frame[:16], 0.4, r"\(\.\.\., 17, 2 or 3\), not \(1, 16, 2\)", id="joint count")
    yield pytest.param(frame[None], 0.4, "have shape", id="a batch")
    yield pytest.param(frame[:, :1], 0.4, "have shape", id="one coordinate")


@pytest.mark.parametrize(("frame", "time", "message"), list(bad_pushes()))
def test_a_bad_push_leaves_the_buffer_as_it_was(frame, time, message):
    pixels, times = keypoints_px(60), np.arange(60) / 25
    disturbed, undisturbed = WindowBuffer(METADATA, SIZE, "coco17"), WindowBuffer(METADATA, SIZE, "coco17")
    ready, _ = push_all(disturbed, pixels[:10], times[:10])
    with pytest.raises(BadKeypoints, match=message):
        disturbed.push(frame, time)
    more, _ = push_all(disturbed, pixels[10:], times[10:])
    ready += more + disturbed.flush()
    expected, _ = push_all(undisturbed, pixels, times)
    expected += undisturbed.flush()
    assert len(ready) == len(expected)
    for a, b in zip(ready, expected, strict=True):
        assert a.timestamp_s == b.timestamp_s
        np.testing.assert_array_equal(a.window, b.window)


def test_a_bad_first_time_is_refused():
    for time in (float("nan"), float("inf")):
        buffer = WindowBuffer(METADATA, SIZE, "coco17")
        with pytest.raises(BadKeypoints, match="finite number of seconds"):
            buffer.push(keypoints_px(1)[0], time)
        assert buffer.flush() == []


class TestPrepare:
    def test_is_conversion_then_normalisation(self):
        pixels = keypoints_px(5)
        converted = to_h36m16(pixels, "coco17")
        np.testing.assert_array_equal(
            prepare_keypoints(pixels, SIZE, "coco17", METADATA), normalise_screen(converted, SIZE)
        )
        cropped = dataclasses.replace(METADATA, normalisation="root-centred")
        np.testing.assert_array_equal(
            prepare_keypoints(pixels, SIZE, "coco17", cropped), normalise_root_centred(converted)
        )

    def test_scores_do_not_matter_not_even_bad_ones(self):
        pixels = keypoints_px(5)
        scored = np.concatenate([pixels, np.full((5, 17, 1), np.nan, np.float32)], -1)
        np.testing.assert_array_equal(
            prepare_keypoints(scored, SIZE, "coco17", METADATA), prepare_keypoints(pixels, SIZE, "coco17", METADATA)
        )

    def test_a_joint_the_table_does_not_use_must_be_finite_too(self):
        """A NaN anywhere says that the detector failed; it is never passed over."""
        pixels = keypoints_px(5)
        pixels[3, 0, 0] = np.nan  # the nose
        with pytest.raises(BadKeypoints, match="joint 0 in frame 3"):
            prepare_keypoints(pixels, SIZE, "coco17", METADATA)

    def test_unknown_skeleton(self):
        with pytest.raises(UnknownSkeleton, match="'coco19'"):
            prepare_keypoints(keypoints_px(5), SIZE, "coco19", METADATA)


@pytest.mark.parametrize("seen", [(), (0,), (7,), (0, 7)])
@pytest.mark.parametrize("half", [False, True])
def test_nobody_is_seen_if_no_joint_has_both_coordinates(seen: tuple[int, ...], half: bool) -> None:
    frame = np.full((16, 2), np.nan, np.float32)
    frame[list(seen)] = 0.25
    if half:  # one coordinate is no place
        frame[:, 1] = np.nan
    assert nobody_seen(frame) == (half or not seen)
