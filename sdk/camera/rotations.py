"""Rotations between directions and between poses, as matrices (3, 3) for column vectors."""

from __future__ import annotations

import numpy as np

_NO_LENGTH = 1e-9


def shortest_rotation(start: np.ndarray, end: np.ndarray, half_turn_about: np.ndarray | None = None) -> np.ndarray:
    """The rotation (3, 3) that takes the direction of one vector (3,) to that of another the shortest way (Rodrigues).

    Args:
        start: Vector (3,). If it or `end` has no length, the rotation is the identity.
        end: Vector (3,).
        half_turn_about: Axis (3,) of the half turn between opposite directions, at a right angle to them. None: any.
    """
    lengths = float(np.linalg.norm(start)), float(np.linalg.norm(end))
    if min(lengths) < _NO_LENGTH:
        return np.eye(3)
    start, end = start / lengths[0], end / lengths[1]
    cosine = float(start @ end)
    if cosine < -1 + 1e-9:
        across = half_turn_about
        if across is None:
            across = np.cross(start, np.eye(3)[np.argmin(np.abs(start))])
        across = across - (across @ start) * start
        across = across / np.linalg.norm(across)
        return 2 * np.outer(across, across) - np.eye(3)
    x, y, z = np.cross(start, end)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + cross + cross @ cross / (1 + cosine)


def best_rotation(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """The rotation (3, 3) that takes directions (N, 3) nearest to those of vectors (N, 3) (Kabsch)."""
    lengths = np.linalg.norm(end, axis=-1, keepdims=True)
    u, _, vt = np.linalg.svd((end / np.maximum(lengths, _NO_LENGTH)).T @ start)
    return u @ np.diag([1.0, 1.0, np.sign(np.linalg.det(u @ vt))]) @ vt


def euler_zxy(rotations: np.ndarray) -> np.ndarray:
    """Angles z, x, y in radians, (..., 3), of rotations (..., 3, 3): R = Rz Rx Ry."""
    x = np.arcsin(np.clip(rotations[..., 2, 1], -1, 1))
    z = np.arctan2(-rotations[..., 0, 1], rotations[..., 1, 1])
    y = np.arctan2(-rotations[..., 2, 0], rotations[..., 2, 2])
    return np.stack([z, x, y], -1)
