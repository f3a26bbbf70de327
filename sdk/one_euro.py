"""The One Euro filter (Casiez, Roussel and Vogel, CHI 2012) on joints, by timestamps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Smoothing:
    """How much poses are smoothed.

    Each joint is low-passed with the cutoff frequency `still_hz + hz_per_mps * speed`: a joint at rest does not
    tremble, a fast one is hardly delayed. A first-order low-pass delays a steady motion by 1 / (2 pi cutoff).
    """

    still_hz: float = 2.0
    """Cutoff of a joint at rest."""
    hz_per_mps: float = 10.0
    """Added for each metre per second of the joint's speed."""
    speed_hz: float = 1.0
    """Cutoff of the speed itself."""

    def delay_s(self, speed_mps: float) -> float:
        """Seconds that a joint moving steadily at this speed is behind: 80 ms at rest, 13 ms at 1 m/s as shipped."""
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
        """Forget the past: the next joints come back as they are."""
        self._time_s = -np.inf
        self._raw = self._position = self._velocity = np.zeros(0)

    def __call__(self, joints_m: np.ndarray, timestamp_s: float) -> np.ndarray:
        """Smooth.

        Args:
            joints_m: (J, 3) metres.
            timestamp_s: Seconds, larger than the one before.

        Returns:
            (J, 3) float32 metres.
        """
        if not np.isfinite(self._time_s):
            self._position = self._raw = joints_m.astype(np.float64)
            self._velocity = np.zeros_like(self._position)
        else:
            step_s = timestamp_s - self._time_s
            share = _share(self._smoothing.speed_hz, step_s)
            self._velocity = self._velocity + share * ((joints_m - self._raw) / step_s - self._velocity)
            speed = np.linalg.norm(self._velocity, axis=-1, keepdims=True)
            share = _share(self._smoothing.still_hz + self._smoothing.hz_per_mps * speed, step_s)
            self._position = self._position + share * (joints_m - self._position)
            self._raw = joints_m.astype(np.float64)
        self._time_s = timestamp_s
        return self._position.astype(np.float32)


def _share(cutoff_hz: float | np.ndarray, step_s: float) -> float | np.ndarray:
    """What a new sample weighs: 1 / (1 + tau / step), tau = 1 / (2 pi cutoff)."""
    return 1 / (1 + 1 / (2 * np.pi * cutoff_hz * step_s))
