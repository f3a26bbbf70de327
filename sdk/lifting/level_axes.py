"""A recording's poses in level axes, by the vertical that its lifter tells."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sdk.errors import MissingVertical
from sdk.lifting.answers import PoseAnswer
from sdk.lifting.model_metadata import LifterMetadata
from sdk.results.processors.upright import median_direction, turned_fields


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


def usual_up(answer: PoseAnswer) -> np.ndarray | None:
    """(3,) of length 1: the geometric median of what is told of all frames; None if there are none.

    One vertical for the whole recording: its camera stands still.
    """
    assert answer.up is not None
    told = answer.up[np.isfinite(answer.up).all(-1)]
    return median_direction(told.astype(np.float64)) if len(told) else None


def turned(answer: PoseAnswer, rotation: np.ndarray) -> PoseAnswer:
    """Answers in other axes: `rotation` (3, 3) takes camera axes to them."""
    return replace(answer, **turned_fields(rotation, answer.joints_m, answer.up, answer.deviations_m))
