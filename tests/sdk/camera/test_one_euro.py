"""The filter against a slow loop, its stated delay against what a moving joint lags, and rest without trembling."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest

from sdk.camera.one_euro import USUAL_DEVIATION_M, OneEuroFilter, OneEuroNumber, Smoothing, smooth_together
from sdk.errors import BadSetting


def slow_one_euro(
    values: list[list[float]], times: list[float], s: Smoothing, factors: list[list[float]] | None = None
) -> list[list[float]]:
    """One joint, number by number, as in the paper; the speed is the length of the filtered velocity. Factors, one a
    coordinate, multiply the cutoff."""
    out, velocity = [list(values[0])], [0.0, 0.0, 0.0]
    for i, ((before, now), (start, end)) in enumerate(zip(pairwise(values), pairwise(times), strict=True), 1):
        step = end - start
        share = 1 / (1 + 1 / (2 * math.pi * s.speed_hz) / step)
        velocity = [v + share * ((b - a) / step - v) for v, a, b in zip(velocity, before, now, strict=True)]
        cutoff = s.still_hz + s.hz_per_mps * math.sqrt(sum(v * v for v in velocity))
        shares = [1 / (1 + 1 / (2 * math.pi * cutoff * f) / step) for f in (factors[i] if factors else [1.0] * 3)]
        out.append([o + share * (b - o) for o, b, share in zip(out[-1], now, shares, strict=True)])
    return out


def test_equals_a_slow_loop_at_uneven_times() -> None:
    rng = np.random.default_rng(0)
    times = np.cumsum(rng.uniform(0.01, 0.1, 50))
    joints = np.cumsum(rng.normal(0, 0.05, (50, 4, 3)), 0)
    smoothing = Smoothing(1.5, 3.0, 1.2)
    smooth = OneEuroFilter(smoothing)
    filtered = np.stack([smooth(pose, t) for pose, t in zip(joints, times, strict=True)])
    for joint in range(4):
        expected = slow_one_euro(joints[:, joint].tolist(), times.tolist(), smoothing)
        np.testing.assert_allclose(filtered[:, joint], expected, atol=1e-6)


def test_the_spread_divides_the_cutoff() -> None:
    """A slow loop again; half of the usual spread is twice the cutoff, and so is a tenth."""
    rng = np.random.default_rng(0)
    times = np.cumsum(rng.uniform(0.01, 0.1, 50))
    joints = np.cumsum(rng.normal(0, 0.05, (50, 3, 3)), 0)
    spread = USUAL_DEVIATION_M * np.broadcast_to([[0.5, 1, 1.6], [1, 0.1, 2], [0.8, 1.25, 9]], joints.shape)
    factors = [[[2, 1, 1 / 1.6], [1, 2, 0.5], [1.25, 0.8, 0.5]][joint] for joint in range(3)]
    smooth = OneEuroFilter(Smoothing())
    filtered = np.stack([smooth(*one) for one in zip(joints, times, spread, strict=True)])
    for joint in range(3):
        expected = slow_one_euro(joints[:, joint].tolist(), times.tolist(), Smoothing(), [factors[joint]] * 50)
        np.testing.assert_allclose(filtered[:, joint], expected, atol=1e-6)


def test_a_sure_joint_moves_the_pose_more_than_an_unsure_one() -> None:
    smooth = OneEuroFilter(Smoothing())
    smooth(np.zeros((3, 3)), 0.0)
    spread = np.repeat([[0.02], [0.05], [0.2]], 3, 1)
    sure, usual, unsure = np.abs(smooth(np.full((3, 3), 0.1), 0.04, spread)).mean(1)
    assert sure > 1.1 * usual
    assert usual > 1.1 * unsure


def test_the_usual_spread_changes_nothing() -> None:
    joints = np.random.default_rng(0).normal(0, 0.2, (20, 4, 3))
    with_it, without = OneEuroFilter(Smoothing()), OneEuroFilter(Smoothing())
    for t, pose in enumerate(joints):
        spread = np.full(pose.shape, USUAL_DEVIATION_M)
        np.testing.assert_array_equal(with_it(pose, t / 25, spread), without(pose, t / 25))


@pytest.mark.parametrize("speed", [0.2, 1.0, 4.0])
def test_steady_motion_lags_by_the_stated_delay(speed: float) -> None:
    smoothing, rate = Smoothing(), 1000.0
    smooth = OneEuroFilter(smoothing)
    for t in range(5000):
        filtered = smooth(np.array([[speed * t / rate, 0, 0]]), t / rate)
    lag_s = (speed * 4999 / rate - filtered[0, 0]) / speed
    assert lag_s == pytest.approx(smoothing.delay_s(speed), abs=1.5 / rate)


def test_joint_at_rest_trembles_less() -> None:
    noise = np.random.default_rng(0).normal(0, 0.01, (500, 16, 3))
    smooth = OneEuroFilter(Smoothing())
    filtered = np.stack([smooth(pose, t / 25) for t, pose in enumerate(noise)])
    assert np.diff(filtered, axis=0).std() < 0.6 * np.diff(noise, axis=0).std()


def test_people_together_are_people_alone() -> None:
    """Also where one of them comes later and another was away."""
    rng = np.random.default_rng(0)
    tracks = np.cumsum(rng.normal(0, 0.05, (3, 30, 4, 3)), 1)
    together, alone = ([OneEuroFilter(Smoothing()) for _ in range(3)] for _ in range(2))
    for t in range(30):
        here = [i for i in range(3) if (i != 1 or t >= 10) and (i != 2 or not 5 <= t < 9)]
        smoothed = smooth_together([together[i] for i in here], tracks[here, t], t / 25)
        for i, pose in zip(here, smoothed, strict=True):
            np.testing.assert_array_equal(pose, alone[i](tracks[i, t], t / 25))


@pytest.mark.parametrize("field", ["still_hz", "hz_per_mps", "speed_hz"])
@pytest.mark.parametrize("value", [-1.0, math.nan, math.inf])
def test_cutoffs_that_no_filter_has(field: str, value: float) -> None:
    with pytest.raises(BadSetting, match=field):
        Smoothing(**{field: value})


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_joints_that_are_not_finite_leave_no_trace(bad: float) -> None:
    random = np.random.default_rng(1)
    joints = random.normal(size=(3, 2, 16, 3))  # frames, people
    filters, alone = [OneEuroFilter(Smoothing()) for _ in range(2)], [OneEuroFilter(Smoothing()) for _ in range(2)]
    broken = joints.copy()
    broken[1, 0, 5, 2] = bad
    smoothed = [smooth_together(filters, frame, t / 25) for t, frame in enumerate(broken)]
    np.testing.assert_array_equal(smoothed[1][0], broken[1, 0].astype(np.float32))
    for person, times in ((0, [0, 2]), (1, [0, 1, 2])):
        for t in times:
            np.testing.assert_array_equal(smoothed[t][person], alone[person](joints[t, person], t / 25))


def test_a_number_is_smoothed_as_a_joint_on_one_axis_to_the_bit() -> None:
    rng = np.random.default_rng(3)
    smoothing = Smoothing(still_hz=0.3, hz_per_mps=0.5, speed_hz=0.5)
    number, joints = OneEuroNumber(smoothing), OneEuroFilter(smoothing)
    for time_s, metres in zip(np.cumsum(rng.uniform(0.01, 0.2, 200)), 4 + rng.normal(0, 0.3, 200), strict=True):
        expected = joints(np.array([[0.0, 0.0, metres]]), float(time_s))[0, 2]
        assert np.float32(number(float(metres), float(time_s))) == expected
    number.reset()
    assert number(7.25, 0.0) == 7.25
