"""From joint positions to the rotations of a rigid skeleton."""

from __future__ import annotations

import numpy as np

from sdk.skeletons import H36M16

PARENTS = H36M16.parents
CHILDREN = tuple(tuple(j for j, parent in enumerate(PARENTS) if parent == joint) for joint in range(len(H36M16)))
_DOWN, _UP, _LEFT, _RIGHT = (0.0, -1.0, 0.0), (0.0, 1.0, 0.0), (1.0, 0.0, 0.0), (-1.0, 0.0, 0.0)
_REST = {
    **dict.fromkeys(("right_hip", "right_shoulder", "right_elbow", "right_wrist"), _RIGHT),
    **dict.fromkeys(("left_hip", "left_shoulder", "left_elbow", "left_wrist"), _LEFT),
    **dict.fromkeys(("right_knee", "right_ankle", "left_knee", "left_ankle"), _DOWN),
    **dict.fromkeys(("pelvis", "spine", "thorax", "head"), _UP),
}
REST_DIRECTIONS = np.array([_REST[joint] for joint in H36M16.joints])
"""(16, 3): where each joint lies from its parent when nothing is rotated: a T-pose that looks along +z, y up."""


def bone_rotations(joints_m: np.ndarray) -> np.ndarray:
    """Rotations that put the rest skeleton into a pose.

    A joint with one child turns it the shortest way; pelvis and thorax, which have three, are fitted to all of them.

    Args:
        joints_m: (16, 3) metres, y up.

    Returns:
        (16, 3, 3): of each joint relative to its parent; identity for joints without children.
    """
    turned = np.tile(np.eye(3), (len(PARENTS), 1, 1))
    local = turned.copy()
    for joint, children in enumerate(CHILDREN):
        parent = PARENTS[joint]
        above = turned[parent] if parent >= 0 else np.eye(3)
        turned[joint] = above
        if children:
            bones = joints_m[list(children)] - joints_m[joint]
            rest = REST_DIRECTIONS[list(children)]
            if len(children) == 1:
                turned[joint] = _shortest_turn(above @ rest[0], bones[0]) @ above
            else:
                turned[joint] = _best_turn(rest, bones)
            local[joint] = above.T @ turned[joint]
    return local


def euler_zxy(rotations: np.ndarray) -> np.ndarray:
    """Angles z, x, y in radians, (..., 3), of rotations (..., 3, 3): R = Rz Rx Ry."""
    x = np.arcsin(np.clip(rotations[..., 2, 1], -1, 1))
    z = np.arctan2(-rotations[..., 0, 1], rotations[..., 1, 1])
    y = np.arctan2(-rotations[..., 2, 0], rotations[..., 2, 2])
    return np.stack([z, x, y], -1)


def _shortest_turn(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Rotation (3, 3) that takes one direction (3,) to another the shortest way (Rodrigues)."""
    length = np.linalg.norm(end)
    if length < 1e-9:
        return np.eye(3)
    end = end / length
    cosine = float(start @ end)
    if cosine < -1 + 1e-9:  # straight back: half a turn about any axis across
        across = np.cross(start, np.eye(3)[np.argmin(np.abs(start))])
        across /= np.linalg.norm(across)
        return 2 * np.outer(across, across) - np.eye(3)
    x, y, z = np.cross(start, end)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + cross + cross @ cross / (1 + cosine)


def _best_turn(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Rotation (3, 3) that best takes directions (N, 3) to vectors (N, 3) (Kabsch)."""
    lengths = np.linalg.norm(end, axis=-1, keepdims=True)
    u, _, vt = np.linalg.svd((end / np.maximum(lengths, 1e-9)).T @ start)
    return u @ np.diag([1.0, 1.0, np.sign(np.linalg.det(u @ vt))]) @ vt
