"""One person's 2D keypoints over time. Readers return them, the cache keeps them, adaptation uses them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from sdk.errors import BadKeypoints
from sdk.skeletons.keypoint_normalisation import check_image_size
from sdk.skeletons.skeleton import find_skeleton


@dataclass(frozen=True)
class KeypointTrack:
    """One person over time. Frames in which the person was not seen are left out.

    Attributes:
        name: Unique inside its file: `<video name>#<track id>`.
        keypoints_px: (T, J, 2) float32 pixels, x right and y down; finite.
        scores: (T, J) float32 in [0, 1]. A coordinate that was filled in keeps the score of its detection.
        timestamps_s: (T,) float64, strictly increasing.
        frame_indices: (T,) int64, strictly increasing: position in the video.
        skeleton: Name of the layout of the joints.
        image_size: Width and height in pixels.
        frame_rate_hz: Frames per second of the video.

    Raises:
        BadKeypoints: a shape, a value or an order is not as above.
        UnknownSkeleton: the skeleton is not known.
    """

    name: str
    keypoints_px: np.ndarray
    scores: np.ndarray
    timestamps_s: np.ndarray
    frame_indices: np.ndarray
    skeleton: str
    image_size: tuple[int, int]
    frame_rate_hz: float

    def __post_init__(self) -> None:
        joints = find_skeleton(self.skeleton).joints
        frames = len(self.keypoints_px)
        shapes = {
            "keypoints_px": (self.keypoints_px.shape, (frames, len(joints), 2)),
            "scores": (self.scores.shape, (frames, len(joints))),
            "timestamps_s": (self.timestamps_s.shape, (frames,)),
            "frame_indices": (self.frame_indices.shape, (frames,)),
        }
        for field, (shape, wanted) in shapes.items():
            if shape != wanted:
                raise BadKeypoints(
                    f"track {self.name!r}: {field} has shape {shape}, not {wanted} "
                    f"({frames} frames, {len(joints)} joints of {self.skeleton!r})."
                )
        if frames == 0:
            raise BadKeypoints(f"track {self.name!r} has no frames.")
        check_image_size(self.image_size)
        if not (np.isfinite(self.frame_rate_hz) and self.frame_rate_hz > 0):
            raise BadKeypoints(f"track {self.name!r}: frame_rate_hz is {self.frame_rate_hz}; it must be positive.")
        for field, bad in (
            ("keypoint", ~np.isfinite(self.keypoints_px).all(-1)),
            ("score", ~np.isfinite(self.scores)),
        ):
            if bad.any():
                frame, joint = np.argwhere(bad)[0]
                raise BadKeypoints(
                    f"track {self.name!r}: the {field} of joint {joint} ({joints[joint]}) in frame {frame} is not a "
                    f"finite number ({bad.sum()} of them in all). Leave out frames without the person."
                )
        for field, values in (("timestamps_s", self.timestamps_s), ("frame_indices", self.frame_indices)):
            if not np.isfinite(values).all() or (np.diff(values) <= 0).any():
                frame = int(np.argmin(np.diff(values, prepend=-np.inf) > 0))
                raise BadKeypoints(f"track {self.name!r}: {field} do not increase at frame {frame}.")

    def __len__(self) -> int:
        """Number of frames."""
        return len(self.keypoints_px)

    @property
    def duration_s(self) -> float:
        """Time from the first frame to the last."""
        return float(self.timestamps_s[-1] - self.timestamps_s[0])

    def at(self, frames: np.ndarray) -> KeypointTrack:
        """The track with these frames only. `frames` are increasing positions in the track."""
        return replace(
            self,
            keypoints_px=self.keypoints_px[frames],
            scores=self.scores[frames],
            timestamps_s=self.timestamps_s[frames],
            frame_indices=self.frame_indices[frames],
        )
