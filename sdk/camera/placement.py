"""From a lifted pose to a person in the room: the body's size, and where it stands before the camera."""

from __future__ import annotations

import numpy as np

from sdk.camera.body_size import BodySize
from sdk.camera.pinhole_camera import ASSUMED, Pinhole
from sdk.camera.root_translation import RootTrack


class Placement:
    """Places one person's poses, frame by frame; live and afterwards alike.

    Args:
        camera: Whose pictures they are; an assumed field of view if not given, and then depths are only in proportion.
        settle_bones: Whether bone lengths settle over time instead of breathing from frame to frame.
        height_m: The person's height, if it is known: poses and positions are scaled to it.

    Raises:
        BadBodyHeight: a height that no person has.
    """

    def __init__(self, camera: Pinhole = ASSUMED, *, settle_bones: bool = False, height_m: float | None = None) -> None:
        self.camera = camera
        sized = settle_bones or height_m is not None
        self._body = BodySize(settle=settle_bones, height_m=height_m) if sized else None
        self._root = RootTrack(camera)

    def reset(self) -> None:
        """Forget the person: the next pose is of another one, or of the same after a long gap."""
        if self._body is not None:
            self._body.reset()
        self._root.reset()

    def __call__(
        self, joints_m: np.ndarray, keypoints: np.ndarray, timestamp_s: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """Place the next frame's pose.

        Args:
            joints_m: (16, 3) as lifted.
            keypoints: (16, 2) the same frame's 2D in screen coordinates, NaN where a joint is not seen.
            timestamp_s: Seconds, larger than the one before.

        Returns:
            (16, 3) metres relative to the pelvis, and (3,) metres, the pelvis in the camera; the latter NaN where it
            can't be told.
        """
        if self._body is not None:
            joints_m = self._body(joints_m)
        return joints_m, self._root(joints_m, keypoints, timestamp_s)
