"""What a pose stream yields: the people of one picture in 2D and 3D."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np

from sdk.errors import BadKeypoints, UnknownMeasurement
from sdk.skeletons.skeleton import H36M16


class LiftStatus(Enum):
    """Whether a person has a 3D pose in this picture, and if not, why."""

    LIFTED = "lifted"
    """From a window full of this person's own frames."""
    AT_EDGE = "at the edge"
    """Lifted; near the first or last frame of a track, which stands in for the rest of the window."""
    TOO_SHORT = "too short"
    """Not lifted: the person was seen in too few frames in a row."""
    NOT_FINITE = "not finite"
    """Not lifted: the detector gave NaN or infinity for every joint, or for one that the lifter can't do without, or a
    score of nothing for all; and no frame before and after bridges it."""
    BRIDGED = "bridged"
    """Lifted, though not detected in this picture: the 2D is interpolated between the pictures before and after."""


LIFTED_STATUSES = frozenset({LiftStatus.LIFTED, LiftStatus.AT_EDGE, LiftStatus.BRIDGED})
"""Those that come with a 3D pose."""


@dataclass(frozen=True)
class Measurement:
    """A number that a processor adds to a person, such as the joint angle `left_knee_flexion`.

    Attributes:
        name: Snake case, with a side prefix where there is one.
        value: NaN where it can't be told.
        unit: Such as `rad` or `m`.
    """

    name: str
    value: float
    unit: str


@dataclass(frozen=True)
class PersonPose:
    """One person in one picture.

    Attributes:
        track_id: From 1, unique within a stream.
        box: (4,) float32 pixels: left, top, right, bottom.
        keypoints_px: (J, 2) float32 pixels, in the detector's skeleton; sides put right, interpolated where bridged.
            NaN where a joint was not seen.
        scores: (J,) float32 in [0, 1]; zero where bridged, or where a joint was not seen.
        status: Whether there is a 3D pose, and what of it is not of this person's own frames.
        joints_m: (16, 3) float32, H36M-16, metres relative to the pelvis, camera axes x right, y down, z forward; None
            where the status says that the person was not lifted.
        visibility: (16,) float32 in [0, 1], how surely each joint of `joints_m` was seen in this picture: the smallest
            score of the keypoints it is made of. Joints with little of it are the lifter's guess. None where nobody
            stated it.
        root_m: (3,) float32 metres, the pelvis in the camera's axes; None where it was not solved.
        window_filling: The track is younger than the lifter's window: its first frame stands in for what was before.
        exchanged: Limbs (`arms`, `legs`) whose left and right were exchanged because the detector had mixed them up.
        measurements: What processors added.
    """

    track_id: int
    box: np.ndarray
    keypoints_px: np.ndarray
    scores: np.ndarray
    status: LiftStatus
    joints_m: np.ndarray | None
    visibility: np.ndarray | None = None
    root_m: np.ndarray | None = None
    window_filling: bool = False
    exchanged: tuple[str, ...] = ()
    measurements: tuple[Measurement, ...] = ()

    def __post_init__(self) -> None:
        shape = None if self.joints_m is None else self.joints_m.shape
        if shape != ((len(H36M16), 3) if self.status in LIFTED_STATUSES else None):
            raise BadKeypoints(f"a person with status {self.status.value!r} can't have 3D joints of shape {shape}.")
        if self.keypoints_px.shape != (*self.scores.shape, 2) or self.box.shape != (4,):
            raise BadKeypoints(
                f"keypoints {self.keypoints_px.shape}, scores {self.scores.shape} and box {self.box.shape} are not one "
                "person's: (J, 2), (J,) and (4,)."
            )
        if self.visibility is not None and self.visibility.shape != (len(H36M16),):
            raise BadKeypoints(f"visibility has shape ({len(H36M16)},), not {self.visibility.shape}.")
        if self.root_m is not None and self.root_m.shape != (3,):
            raise BadKeypoints(f"a root position has shape (3,), not {self.root_m.shape}.")

    def measurement(self, name: str) -> float:
        """The value of a measurement.

        Raises:
            UnknownMeasurement: no processor added one of that name; lists those there are.
        """
        for one in self.measurements:
            if one.name == name:
                return one.value
        raise UnknownMeasurement(name, [one.name for one in self.measurements])


@dataclass(frozen=True)
class StageTimes:
    """Seconds spent on one picture in each stage.

    `lift_s` lifts whatever windows the picture completed, of pictures before it too; `smooth_s` and `process_s` are of
    the picture's own people.
    """

    read_s: float
    detect_s: float
    track_s: float
    lift_s: float
    smooth_s: float = 0.0
    process_s: float = 0.0


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
        stage_times_s: What this picture took in each stage.
        delay_s: How far behind its result is: for live sources by the clock, from the picture's arrival; for
            recordings in the recording's time, how much further had to be read.
        latency_s: Seconds on the clock from the picture's arrival in this process to its result, for any source.
        fault: What went wrong with this picture (the detector failed); it then has no people. None as a rule.
        after_gap: The source was lost before this picture, or its time or size jumped: nobody is known from before.
        untracked: Of the detections, those without a number: not yet tracked, or seen too weakly to be.
        forgotten: Numbers of people who were away for too long, or known before a gap: nobody has them any more.
    """

    index: int
    timestamp_s: float
    image: np.ndarray
    people: tuple[PersonPose, ...]
    detections: int
    stage_times_s: StageTimes
    delay_s: float
    latency_s: float = 0.0
    fault: str | None = None
    after_gap: bool = False
    untracked: int = 0
    forgotten: tuple[int, ...] = ()
