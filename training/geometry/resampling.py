"""Resamples values from known times to wanted times."""

from __future__ import annotations

import numpy as np


def uniform_times(times_s: np.ndarray, frame_rate_hz: float) -> np.ndarray:
    """Times from the first to the last of `times_s` (T,) at a constant rate; float64, at least one."""
    count = int(np.floor((times_s[-1] - times_s[0]) * frame_rate_hz + 1e-6)) + 1
    return times_s[0] + np.arange(count) / frame_rate_hz


def interpolation_weights(times_s: np.ndarray, wanted_s: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Neighbours and weight of each wanted time.

    Args:
        times_s: (T,) increasing; equal neighbours are allowed.
        wanted_s: (N,); times outside take the first or last value.

    Returns:
        Indices before (N,) and after (N,), and the weight of `after` (N,) in [0, 1].
    """
    last = len(times_s) - 1
    after = np.clip(np.searchsorted(times_s, wanted_s, side="right"), min(1, last), last)
    before = np.maximum(after - 1, 0)
    span = times_s[after] - times_s[before]
    weight = np.clip((wanted_s - times_s[before]) / np.where(span > 0, span, 1), 0, 1)
    return before, after, np.where(span > 0, weight, 0)


def resample_linear(values: np.ndarray, times_s: np.ndarray, wanted_s: np.ndarray) -> np.ndarray:
    """Linear interpolation over the first axis.

    Args:
        values: (T, ...) at `times_s`.
        times_s: (T,) increasing.
        wanted_s: (N,); times outside take the first or last value.

    Returns:
        (N, ...) with the dtype of `values`.
    """
    before, after, weight = interpolation_weights(times_s, wanted_s)
    weight = weight.reshape(-1, *[1] * (values.ndim - 1))
    return (values[before] * (1 - weight) + values[after] * weight).astype(values.dtype)
