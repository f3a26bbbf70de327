"""What a pose stream yields: the people of one picture in 2D and 3D."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np

from sdk.errors import BadKeypoints
from sdk.skeletons import H36M16


class LiftStatus(Enum):
    """Whether a person has a 3D pose in this picture, and if not, why."""

    LIFTED = "lifted"
    """From a window full of this person's own frames."""
    AT_EDGE = "at the edge"
    """Lifted; near the first or last frame of a track, which stands in for the rest of the window."""
    TOO_SHORT = "too short"
    """Not lifted: the person was seen in too few frames in a row."""
    NOT_FINITE = "not finite"
    """Not lifted: the detector gave NaN or infinity for a joint; neighbouring frames bridge it."""


@dataclass(frozen=True)
class PersonPose:
    """One person in one picture.

    Attributes:
        track_id: From 1, unique within a stream.
        box: (4,) float32 pixels: left, top, right, bottom.
        keypoints_px: (J, 2) float32 pixels, in the detector's skeleton.
        scores: (J,) float32 in [0, 1]; the lifter does not use them.
        status: Whether there is a 3D pose.
        joints_m: (16, 3) float32, H36M-16, metres relative to the pelvis, camera axes x right, y down, z forward; None
            where the status says that the person was not lifted.
    """

    track_id: int
    box: np.ndarray
    keypoints_px: np.ndarray
    scores: np.ndarray
    status: LiftStatus
    joints_m: np.ndarray | None

    def __post_init__(self) -> None:
        lifted = self.status in (LiftStatus.LIFTED, LiftStatus.AT_EDGE)
        shape = None if self.joints_m is None else self.joints_m.shape
        if shape != ((len(H36M16), 3) if lifted else None):
            raise BadKeypoints(f"a person with status {self.status.value!r} can't have 3D joints of shape {shape}.")
        if self.keypoints_px.shape != (*self.scores.shape, 2) or self.box.shape != (4,):
            raise BadKeypoints(
                f"keypoints {self.keypoints_px.shape}, scores {self.scores.shape} and box {self.box.shape} are not one "
                "person's: (J, 2), (J,) and (4,)."
            )


@dataclass(frozen=True)
class StageTimes:
    """Seconds spent in the step that took one picture in; `lift_s` lifts whatever windows that picture completed."""

    read_s: float
    detect_s: float
    track_s: float
    lift_s: float


@dataclass(frozen=True)
class PoseFrame:
    """One picture with its people; image, 2D and 3D belong to the same instant.

    Attributes:
        index: Of the picture in its source, from 0.
        timestamp_s: As of the source, in seconds.
        image: (H, W, 3) uint8 BGR.
        people: In the order of their numbers.
        detections: How many people the detector found; more than `people` where some are not yet, or too weakly seen
            to be, tracked.
        stage_times_s: Of the step that read this picture.
        delay_s: How far behind it was yielded: for live sources by the clock, from the picture's arrival; for
            recordings in the recording's time, how much further had to be read.
    """

    index: int
    timestamp_s: float
    image: np.ndarray
    people: tuple[PersonPose, ...]
    detections: int
    stage_times_s: StageTimes
    delay_s: float
