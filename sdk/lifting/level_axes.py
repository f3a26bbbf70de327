"""A recording's poses in level axes, by the vertical that its lifter tells."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from sdk.camera.camera_motion import CameraMotion
from sdk.errors import MissingVertical
from sdk.lifting.answers import PoseAnswer
from sdk.lifting.model_metadata import LifterMetadata
from sdk.results.processors.upright import level_rotation, turned_fields
from sdk.results.processors.upright_recording import Course, up_at, vertical_of_recording


def require_vertical(metadata: LifterMetadata, origin: str) -> None:
    """Do nothing if a lifter tells which way is up.

    Raises:
        MissingVertical: it does not.
    """
    if not metadata.tells_more:
        raise MissingVertical(
            f"upright=True: {origin} does not tell which way is up. Take Lifter('feet', upright=True) or a lifter "
            "adapted from it; or give the camera's tilt to the processor Upright."
        )


def recording_vertical(told: Iterable[tuple[PoseAnswer, np.ndarray]], motion: CameraMotion = "auto") -> Course | None:
    """The vertical of a recording, by the answers of each of its people at (T,) seconds; None if nothing is told.

    It is one direction if the camera stands still: see `vertical_of_recording`.
    """
    times, ups = [np.zeros(0)], [np.zeros((0, 3))]
    for answer, times_s in told:
        assert answer.up is not None
        known = np.isfinite(answer.up).all(-1)
        times.append(times_s[known])
        ups.append(answer.up[known].astype(np.float64))
    at_s, directions = np.concatenate(times), np.concatenate(ups)
    return vertical_of_recording(at_s, directions, motion) if len(at_s) else None


def level_rotations(vertical: Course, times_s: np.ndarray) -> np.ndarray:
    """(T, 3, 3) rotations from the camera's axes to level ones, at (T,) seconds of a recording."""
    if not vertical.moves:
        return np.broadcast_to(level_rotation(vertical.values[0]), (len(times_s), 3, 3))
    return np.stack([level_rotation(up_at(vertical, time_s)) for time_s in times_s.tolist()])


def turned(answer: PoseAnswer, rotation: np.ndarray) -> PoseAnswer:
    """Answers of T frames in other axes: `rotation` (T, 3, 3) takes camera axes to them."""
    return replace(answer, **turned_fields(rotation, answer.joints_m, answer.up, answer.deviations_m))
