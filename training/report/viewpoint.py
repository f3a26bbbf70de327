"""From where a camera sees a person (AdaptPose, figure 7): azimuth, elevation, roll.

The paper plots the Euler angles of the rotation between person and camera. Here the same rotation is split into the
three angles that a photographer would name.
"""

from __future__ import annotations

import numpy as np

from sdk.errors import BadKeypoints
from sdk.skeletons.skeleton import H36M16

_RIGHT_HIP, _LEFT_HIP = H36M16.index("right_hip"), H36M16.index("left_hip")
_PELVIS, _THORAX = H36M16.index("pelvis"), H36M16.index("thorax")
_POLE = 1e-6
"""Cosine of the elevation below which azimuth and roll turn about the same axis."""


def body_frame(joints_camera_m: np.ndarray) -> np.ndarray:
    """The person's own axes: forward, left and up, as seen from the camera.

    Up is pelvis to thorax; left is right hip to left hip, made perpendicular to up; forward is left x up.

    Args:
        joints_camera_m: (N, 16, 3) metres, camera axes (x right, y down, z forward); any root.

    Returns:
        (N, 3, 3) rotations person to camera, whose columns are forward, left, up. All NaN where hips or trunk have no
        length or lie along one line.

    Raises:
        BadKeypoints: for another shape.
    """
    joints = np.asarray(joints_camera_m, np.float64)
    if joints.ndim != 3 or joints.shape[1:] != (len(H36M16), 3):
        raise BadKeypoints(f"poses must be (N, 16, 3), not {joints.shape}.")
    up = _unit(joints[:, _THORAX] - joints[:, _PELVIS])
    across = _unit(joints[:, _LEFT_HIP] - joints[:, _RIGHT_HIP])
    left = _unit(across - (across * up).sum(-1, keepdims=True) * up)
    return np.stack([np.cross(left, up), left, up], -1)


def body_viewpoint(joints_camera_m: np.ndarray) -> np.ndarray:
    """Azimuth, elevation and roll of the camera round the person, in radians.

    Azimuth says which side of the person faces the camera: 0 the front, +90 degrees the left side, +-180 the back,
    -90 the right side. Elevation is how far the camera stands above (+) or below (-) the person's waist plane: +90
    looks down on the head. Roll turns the picture: 0 with the head up, + with the head towards the right of the picture
    (clockwise), +-180 upside down. All three refer to the person's trunk, not to the ground: somebody who bends forward
    under a level camera shows the top of the trunk, so its elevation is positive. Only directions count, not where in
    the picture the person is.

    Args:
        joints_camera_m: (N, 16, 3) metres, camera axes (x right, y down, z forward); any root.

    Returns:
        (N, 3) azimuth in (-pi, pi], elevation in [-pi/2, pi/2], roll in (-pi, pi]. At +-90 degrees of elevation the
        azimuth is 0 and roll takes the whole turn. NaN where `body_frame` is.

    Raises:
        BadKeypoints: for another shape.
    """
    frame = body_frame(joints_camera_m)
    # The camera looks along +z, so the direction towards it is -z; in the person's axes that is minus the third row.
    ahead, leftwards, above = np.moveaxis(-frame[:, 2, :], -1, 0)
    pole = np.hypot(ahead, leftwards) < _POLE
    azimuth = np.where(pole, 0.0, np.arctan2(leftwards, ahead))
    elevation = np.arctan2(above, np.hypot(ahead, leftwards))
    # Where azimuth is 0, the head lies along up; at the poles up is hidden, and the person's front shows in its place.
    up_x, up_y = frame[:, 0, 2], frame[:, 1, 2]
    front_x, front_y = frame[:, 0, 0], frame[:, 1, 0]
    sign = np.sign(above)
    roll = np.where(pole, np.arctan2(-sign * front_x, sign * front_y), np.arctan2(up_x, -up_y))
    return np.stack([_wrap(azimuth), elevation + 0.0, _wrap(roll)], -1)


def _wrap(angle: np.ndarray) -> np.ndarray:
    """The same angle in (-pi, pi]; turns -0.0 and -pi into 0.0 and pi."""
    return np.where(angle <= -np.pi, np.pi, angle) + 0.0


def _unit(vectors: np.ndarray) -> np.ndarray:
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.where(length > 1e-9, vectors / np.where(length > 1e-9, length, 1), np.nan)
