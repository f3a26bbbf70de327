"""Places a lifted pose in the camera: the size of the body, and its position."""

from __future__ import annotations

import numpy as np

from sdk.camera.body_size import BodySize
from sdk.camera.pinhole_camera import ASSUMED, Pinhole
from sdk.camera.root_translation import RootTrack


class Placement:
    """Places one person's poses, frame by frame. Live and offline give the same result.

    Args:
        camera: The camera. Default: an assumed field of view; then depths are right only up to a factor.
        settle_bones: Whether bone lengths settle over time. If not, they vary from frame to frame.
        height_m: The person's height, if it is known. Poses and positions are scaled to it.

    Raises:
        BadBodyHeight: no person has this height.
    """

    def __init__(self, camera: Pinhole = ASSUMED, *, settle_bones: bool = False, height_m: float | None = None) -> None:
        self.camera = camera
        sized = settle_bones or height_m is not None
        self._body = BodySize(settle=settle_bones, height_m=height_m) if sized else None
        self._root = RootTrack(camera)

    def reset(self) -> None:
        """Forget the person, before another one or after a long gap."""
        if self._body is not None:
            self._body.reset()
        self._root.reset()

    def __call__(
        self,
        joints_m: np.ndarray,
        keypoints: np.ndarray,
        timestamp_s: float,
        deviations_m: np.ndarray | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Place the next frame's pose.

        Args:
            joints_m: (J, 3) lifted pose. One that is not finite is returned as it is, and later poses are placed as if
                it had not come.
            keypoints: (J, 2) 2D of the same frame in screen coordinates, NaN where a joint is not seen.
            timestamp_s: Seconds, larger than the one before.
            deviations_m: (J, 3) standard deviations of the coordinates, metres: sure joints then weigh more in the
                position, and in the lengths of bones. None if they are not known.

        Returns:
            The pose, (J, 3) metres relative to the pelvis, and the pelvis in the camera, (3,) metres; NaN if it can't
            be solved.
        """
        if not np.isfinite(joints_m).all():
            return joints_m, np.full(3, np.nan, np.float32)
        if self._body is not None:
            joints_m = self._body(joints_m, deviations_m)
        return joints_m, self._root(joints_m, keypoints, timestamp_s, deviations_m)
