"""The One Euro filter (Casiez, Roussel and Vogel, CHI 2012) on joints, by timestamps; unsure ones move less."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import overload

import numpy as np

from sdk.errors import BadSetting

USUAL_DEVIATION_M = 0.06
"""A coordinate with this standard deviation is smoothed by the stated cutoff; others in inverse proportion: the gain of
a steady Kalman filter is nearly inverse to the noise of what it is given."""
_MOST_TRUST = 2.0
"""Between half of the cutoff and twice of it."""


def trust(deviations_m: np.ndarray) -> np.ndarray:
    """Factor of the cutoff of coordinates with these standard deviations in metres: 1/2 to 2, 1 for the usual."""
    return np.clip(USUAL_DEVIATION_M / np.maximum(deviations_m, 1e-6), 1 / _MOST_TRUST, _MOST_TRUST)


@dataclass(frozen=True)
class Smoothing:
    """How much poses are smoothed.

    Each joint goes through a low-pass filter with the cutoff frequency `still_hz + hz_per_mps * speed`. So a joint at
    rest does not shake, and a fast one is hardly delayed. A first-order low-pass delays steady motion by
    1 / (2 pi cutoff). Where a pose tells its standard deviations, the cutoff of each coordinate is multiplied by
    `trust`: one that is surer than usual follows faster.
    """

    still_hz: float = 2.0
    """Cutoff of a joint at rest."""
    hz_per_mps: float = 10.0
    """Increase of the cutoff for each metre per second of the joint's speed."""
    speed_hz: float = 1.0
    """Cutoff for smoothing the speed itself."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not (np.isfinite(value) and value >= 0) or (value == 0 and field.name != "hz_per_mps"):
                raise BadSetting(
                    f"{field.name} of a smoothing is a positive number, not {value!r}; smoothing=None is none."
                )

    def delay_s(self, speed_mps: float) -> float:
        """Delay in seconds of a joint with this steady speed. With the defaults: 80 ms at rest, 13 ms at 1 m/s."""
        return float(1 / (2 * np.pi * (self.still_hz + self.hz_per_mps * speed_mps)))


class OneEuroFilter:
    """Smooths the joints of one person.

    Args:
        smoothing: The cutoffs.
    """

    def __init__(self, smoothing: Smoothing) -> None:
        self._smoothing = smoothing
        self.reset()

    def reset(self) -> None:
        """Forget the past. The next joints are returned unchanged."""
        self._time_s = -np.inf
        self._state: np.ndarray | None = None

    def __call__(self, joints_m: np.ndarray, timestamp_s: float, deviations_m: np.ndarray | None = None) -> np.ndarray:
        """Smooth the next joints.

        Args:
            joints_m: (J, 3) metres.
            timestamp_s: Seconds, larger than the one before.
            deviations_m: (J, 3) standard deviations of the coordinates; None if they are not known.

        Returns:
            (J, 3) float32 metres.
        """
        deviations = None if deviations_m is None else deviations_m[None]
        return smooth_together([self], joints_m[None], timestamp_s, deviations)[0]


class OneEuroNumber:
    """Smooths one number over time, as a `OneEuroFilter` smooths a joint on one axis, in a tenth of the time.

    Args:
        smoothing: The cutoffs.
    """

    def __init__(self, smoothing: Smoothing) -> None:
        self._smoothing = smoothing
        self.reset()

    def reset(self) -> None:
        """Forget the past. The next number is returned unchanged."""
        self._time_s = -math.inf
        self._before = self._position = self._velocity = 0.0

    def __call__(self, metres: float, timestamp_s: float) -> float:
        """Smooth the next number, finite metres, at a time in seconds that is larger than the last one."""
        cutoffs, step_s = self._smoothing, timestamp_s - self._time_s
        speed_share = _share(cutoffs.speed_hz, step_s)
        self._velocity += speed_share * ((metres - self._before) / step_s - self._velocity)
        cutoff_hz = cutoffs.still_hz + cutoffs.hz_per_mps * abs(self._velocity)
        self._position += _share(cutoff_hz, step_s) * (metres - self._position)
        self._time_s, self._before = timestamp_s, metres
        return self._position


def smooth_together(
    filters: Sequence[OneEuroFilter],
    joints_m: np.ndarray,
    timestamp_s: float,
    deviations_m: np.ndarray | None = None,
) -> np.ndarray:
    """Smooth the joints of several people at once, each with its own filter. Results are as with single calls.

    Args:
        filters: P > 0 filters with the same `Smoothing`.
        joints_m: (P, J, 3) metres. Those of a person that are not all finite are returned as they are, and the filter
            of that person stays as it was.
        timestamp_s: Seconds, larger than the last one of each filter.
        deviations_m: (P, J, 3) standard deviations of the coordinates; None if they are not known.

    Returns:
        (P, J, 3) float32 metres.
    """
    finite = np.isfinite(joints_m).all((1, 2))
    if not finite.all():
        smoothed = joints_m.astype(np.float32)
        if finite.any():
            usable = [one for one, fits in zip(filters, finite, strict=True) if fits]
            deviations = None if deviations_m is None else deviations_m[finite]
            smoothed[finite] = smooth_together(usable, joints_m[finite], timestamp_s, deviations)
        return smoothed
    smoothing = filters[0]._smoothing
    joints = joints_m.astype(np.float64)
    # A new filter's last joints are infinitely long ago, so only the new joints count.
    start = np.zeros((3, *joints.shape[1:]))
    states = np.stack([start if one._state is None else one._state for one in filters], 1)
    before, position, velocity = states
    step_s = timestamp_s - np.array([one._time_s for one in filters])[:, None, None]
    after = np.empty_like(states)
    after[0] = joints
    after[2] = velocity + _share(smoothing.speed_hz, step_s) * ((joints - before) / step_s - velocity)
    speed = np.sqrt(np.square(after[2]).sum(-1, keepdims=True))
    cutoff_hz = smoothing.still_hz + smoothing.hz_per_mps * speed
    if deviations_m is not None:
        cutoff_hz = cutoff_hz * trust(deviations_m)
    after[1] = position + _share(cutoff_hz, step_s) * (joints - position)
    for row, one in enumerate(filters):
        one._time_s, one._state = timestamp_s, after[:, row]
    return after[1].astype(np.float32)


@overload
def _share(cutoff_hz: float, step_s: float) -> float: ...


@overload
def _share(cutoff_hz: float | np.ndarray, step_s: np.ndarray) -> np.ndarray: ...


def _share(cutoff_hz: float | np.ndarray, step_s: float | np.ndarray) -> float | np.ndarray:
    """Weight of a new sample: 1 / (1 + tau / step), tau = 1 / (2 pi cutoff)."""
    return 1 / (1 + 1 / (2 * np.pi * cutoff_hz * step_s))
