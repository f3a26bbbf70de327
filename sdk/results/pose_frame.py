"""The results of a pose stream: the people of one frame in 2D and 3D."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np

from sdk.errors import BadKeypoints, UnknownMeasurement
from sdk.skeletons.skeleton import POSE_SKELETONS


class LiftStatus(Enum):
    """Whether a person has a 3D pose in this frame, and if not, why."""

    LIFTED = "lifted"
    """Lifted from a window full of this person's own frames."""
    AT_EDGE = "at the edge"
    """Lifted near the first or last frame of a track. That frame is repeated to fill the window."""
    TOO_SHORT = "too short"
    """Not lifted: the person was seen in too few frames in a row."""
    NOT_FINITE = "not finite"
    """Not lifted: every joint was NaN, infinite or without a score, or a joint that the lifter needs was NaN or
    infinite; and the frames before and after do not bridge it. Or the lifter's answer was NaN or infinite."""
    BRIDGED = "bridged"
    """Lifted, but not detected in this frame: the 2D is interpolated between the frames before and after."""
    NOT_SEEN = "not seen"
    """Not lifted: nothing of the person was seen in the whole window. Only of whole recordings and `LifterStream`; a
    `PoseStream` does not show people whom nobody sees."""


LIFTED_STATUSES = frozenset({LiftStatus.LIFTED, LiftStatus.AT_EDGE, LiftStatus.BRIDGED})
"""All statuses with a 3D pose."""


_POSE_LENGTHS = [(len(one),) for one in POSE_SKELETONS.values()]


@dataclass(frozen=True)
class Measurement:
    """A number that a processor adds to a person, such as the joint angle `left_knee_flexion`.

    Attributes:
        name: Name in snake case, with a prefix for the side if there is one.
        value: The value; NaN if it can't be measured.
        unit: Unit such as `rad` or `m`.
    """

    name: str
    value: float
    unit: str


@dataclass(frozen=True)
class PersonPose:
    """One person in one frame.

    Attributes:
        track_id: Number of the track, from 1, unique within a stream.
        box: (4,) float32 pixels: left, top, right, bottom.
        keypoints_px: (J, 2) float32 pixels, in the detector's skeleton. Left-right swaps are corrected. Interpolated if
            bridged. NaN where a joint was not seen.
        scores: (J,) float32 in [0, 1]; zero if bridged, or where a joint was not seen.
        status: Whether there is a 3D pose, and whether it comes only from this person's own frames.
        joints_m: (16, 3) float32, H36M-16, metres relative to the pelvis, camera axes x right, y down, z forward; None
            if the status says that the person was not lifted. (20, 3), H36M-20, of a lifter that has feet.
        visibility: (16,) or (20,) float32 in [0, 1], how surely each joint of `joints_m` was seen in this frame: the
            smallest score of the keypoints that it is made of. Joints with low values are guesses of the lifter. None
            if it is not known.
        root_m: (3,) float32 metres, the pelvis in camera axes; None if it was not solved.
        window_filling: The track is younger than the lifter's window. Its first frame is repeated to fill the window.
        exchanged: Limbs (`arms`, `legs`) whose left-right swap by the detector was corrected.
        measurements: Measurements that processors added.
        deviations_m: (J, 3) float32 standard deviation of each coordinate of `joints_m`, metres; None if the lifter
            does not tell it.
        up: (3,) float32 of length 1, against gravity, camera axes, as the lifter sees it in this frame; None if it
            does not tell it.
        contact: (4,) float32 probabilities that right heel, right toes, left heel, left toes stand on the ground; None
            if the lifter does not tell it.
        floor_m: How far the floor lies under the pelvis, metres; None if the pose is not upright (`Upright`).
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
    deviations_m: np.ndarray | None = None
    up: np.ndarray | None = None
    contact: np.ndarray | None = None
    floor_m: float | None = None

    def __post_init__(self) -> None:
        shape = None if self.joints_m is None else self.joints_m.shape
        lifted = self.status in LIFTED_STATUSES
        if shape not in ([(*one, 3) for one in _POSE_LENGTHS] if lifted else [None]):
            raise BadKeypoints(f"a person with status {self.status.value!r} can't have 3D joints of shape {shape}.")
        if self.keypoints_px.shape != (*self.scores.shape, 2) or self.box.shape != (4,):
            raise BadKeypoints(
                f"keypoints {self.keypoints_px.shape}, scores {self.scores.shape} and box {self.box.shape} are not one "
                "person's: (J, 2), (J,) and (4,)."
            )
        if self.visibility is not None and self.visibility.shape not in _POSE_LENGTHS:
            raise BadKeypoints(f"visibility has shape (16,) or (20,), not {self.visibility.shape}.")
        if self.root_m is not None and self.root_m.shape != (3,):
            raise BadKeypoints(f"a root position has shape (3,), not {self.root_m.shape}.")

    @property
    def inferred(self) -> np.ndarray | None:
        """(J,) bool: joints of `joints_m` that no keypoint of this frame shows, such as the feet of a layout that has
        none. The lifter infers them from the others. None if that is not known."""
        return None if self.visibility is None else self.visibility <= 0

    def measurement(self, name: str) -> float:
        """The value of a measurement.

        Raises:
            UnknownMeasurement: there is no measurement of that name; lists the existing ones.
        """
        for one in self.measurements:
            if one.name == name:
                return one.value
        raise UnknownMeasurement(name, [one.name for one in self.measurements])


@dataclass(frozen=True)
class StageTimes:
    """Seconds spent on one frame in each stage.

    `lift_s` is for all windows that the frame completed, also those of earlier frames. `smooth_s` and `process_s` are
    for the frame's own people.
    """

    read_s: float
    detect_s: float
    track_s: float
    lift_s: float
    smooth_s: float = 0.0
    process_s: float = 0.0


@dataclass(frozen=True)
class PoseFrame:
    """One frame with its people. Image, 2D and 3D belong to the same moment.

    Attributes:
        index: Number of the frame in its source, from 0.
        timestamp_s: Timestamp from the source, in seconds.
        image: (H, W, 3) uint8 BGR.
        people: People, in the order of their track numbers.
        detections: Number of people that the detector found. It is more than `people` if some are not tracked yet, or
            are seen too weakly to be tracked.
        stage_times_s: Time of this frame in each stage.
        delay_s: How late the result is. Live: wall-clock time from the frame's arrival. For recordings: how much
            further had to be read, in the recording's time.
        latency_s: Wall-clock seconds from the frame's arrival in this process to its result, for any source.
        fault: What went wrong with this frame (the detector failed); it then has no people. Usually None.
        after_gap: The source was lost before this frame, or its time or size jumped. All earlier tracks have ended.
        untracked: Number of detections without a track: not tracked yet, or seen too weakly.
        forgotten: Track numbers that are not used any more: people away for too long, or from before a gap.
        notes: What the keypoints contradict of the image's size, the skeleton or the sense of up, with the likely cause
            and the way out; in the frame that shows it first. Mostly empty.
        bystanders: Track numbers of people in the image who are not meant (`people` of `PoseStream`).
        tilt_rad: Pitch and roll of the camera by which people were turned upright (`Upright`): their `joints_m`,
            `root_m` and `up` are then in level axes, x right, y down along gravity, z forward. None: camera axes.
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
    notes: tuple[str, ...] = ()
    bystanders: tuple[int, ...] = ()
    tilt_rad: tuple[float, float] | None = None
