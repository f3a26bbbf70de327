"""Measures how long a call takes, in wall-clock time and processor time."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np


def time_calls(call: Callable[[], object], seconds: float) -> np.ndarray:
    """Seconds of wall-clock time and of processor time, (2, N), of at least 5 calls. 3 calls before do not count."""
    for _ in range(3):
        call()
    durations: list[tuple[float, float]] = []
    while sum(clock for clock, _ in durations) < seconds or len(durations) < 5:
        start, start_cpu = time.perf_counter(), time.process_time()
        call()
        durations.append((time.perf_counter() - start, time.process_time() - start_cpu))
    return np.array(durations).T
