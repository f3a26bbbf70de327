"""What lifting one person gives: poses, with a status that says whether each frame was lifted, and if not, why."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from sdk.camera.pinhole_camera import Pinhole
from sdk.errors import BadKeypoints
from sdk.lifting.answers import PoseAnswer
from sdk.lifting.model_metadata import LifterMetadata
from sdk.lifting.windows import SAME_INSTANT_S
from sdk.results.pose_frame import LiftStatus


@dataclass(frozen=True)
class LiftedPose:
    """One 3D pose.

    Attributes:
        timestamp_s: Timestamp of its frame, as it was pushed.
        joints_m: (J, 3) metres, relative to the pelvis, camera axes x right, y down, z forward; NaN where nothing of
            the person was seen in the whole window.
        root_m: (3,) metres, the pelvis in the camera. NaN if it can't be solved; None if no placement was given.
        status: `LIFTED`; `AT_EDGE` near the first or last frame. `joints_m` is no pose if it is `NOT_SEEN` (nothing of
            the person was seen in the whole window) or `NOT_FINITE` (the lifter's answer is NaN or infinite).
        answer: What the lifter said: the pose before it was placed, and if it tells more, how sure it is, which way is
            up, and which feet stand.
    """

    timestamp_s: float
    joints_m: np.ndarray
    root_m: np.ndarray | None = None
    status: LiftStatus = LiftStatus.LIFTED
    answer: PoseAnswer | None = None


@dataclass(frozen=True)
class LiftedTrack:
    """A whole recording of one person.

    Attributes:
        joints_m: (T, J, 3) metres, relative to the pelvis, camera axes x right, y down, z forward.
        root_m: (T, 3) metres, the pelvis in the camera; NaN where it can't be solved.
        camera: The camera that positions were solved with. It is `assumed` if none was given.
        status: Of each of the T frames, as in `LiftedPose`.
        answer: Of the T frames, as in `LiftedPose`.
        tilt_rad: Pitch and roll of the camera, if the poses are in level axes (`Lifter(upright=True)`): joints,
            positions and answer then have y down along gravity. None: they are in camera axes.
        tilts_rad: (T, 2) the same of each frame. They differ if the camera moves; `tilt_rad` is then their median.
    """

    joints_m: np.ndarray
    root_m: np.ndarray
    camera: Pinhole
    status: tuple[LiftStatus, ...]
    answer: PoseAnswer | None = None
    tilt_rad: tuple[float, float] | None = None
    tilts_rad: np.ndarray | None = None

    def __post_init__(self) -> None:
        if not len(self.joints_m) == len(self.root_m) == len(self.status):
            raise BadKeypoints(
                f"{len(self.joints_m)} poses, {len(self.root_m)} positions and {len(self.status)} statuses are not of "
                "one track."
            )


def lift_status(
    pose: np.ndarray, seen: bool, since_first_s: float, until_last_s: float, metadata: LifterMetadata
) -> LiftStatus:
    """Whether a frame was lifted, and if not, why.

    Args:
        pose: Answer of the lifter, any shape.
        seen: Whether anything of the person was seen in the window.
        since_first_s: Seconds from the track's first frame.
        until_last_s: Seconds to its last frame so far.
        metadata: Metadata of the lifter, with the look-ahead in use.
    """
    if not seen:
        return LiftStatus.NOT_SEEN
    # The sum of squares is the fastest check. It is infinite for finite numbers beyond 1e19 too.
    if not math.isfinite(np.vdot(pose, pose)) and not np.isfinite(pose).all():
        return LiftStatus.NOT_FINITE
    filling = since_first_s < metadata.window_reach_s - SAME_INSTANT_S
    at_end = until_last_s < metadata.lookahead_s - SAME_INSTANT_S
    return LiftStatus.AT_EDGE if filling or at_end else LiftStatus.LIFTED


def lift_statuses(
    joints_m: np.ndarray, seen: np.ndarray, times_s: np.ndarray, metadata: LifterMetadata
) -> tuple[LiftStatus, ...]:
    """`lift_status` of a whole track: answers (T, ...), seen (T,), times (T,) seconds."""
    return tuple(
        lift_status(pose, bool(one), t - times_s[0], times_s[-1] - t, metadata)
        for pose, one, t in zip(joints_m, seen, times_s, strict=True)
    )
