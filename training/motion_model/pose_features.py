"""A pose as numbers that do not depend on the body: bone directions in the heading frame, heading, path."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from sdk.skeletons.skeleton import H36M16
from training.geometry.bones import PARENTS, bone_lengths, bones_to_joints

_SIDES = ("right", "left")
DIRECTIONS: tuple[tuple[str, str], ...] = (
    ("right_hip", "left_hip"),
    ("right_shoulder", "left_shoulder"),
    ("pelvis", "spine"),
    ("spine", "thorax"),
    ("thorax", "head"),
    *((f"{side}_hip", f"{side}_knee") for side in _SIDES),
    *((f"{side}_knee", f"{side}_ankle") for side in _SIDES),
    *((f"{side}_shoulder", f"{side}_elbow") for side in _SIDES),
    *((f"{side}_elbow", f"{side}_wrist") for side in _SIDES),
)
"""Directions, from joint to joint. The pelvis lies between the hips and the thorax between the shoulders, so each of
these pairs of bones has one direction."""

YAW = 3 * len(DIRECTIONS)
"""Index of the heading among a pose's numbers: radians about the vertical, not wrapped."""
PATH = slice(YAW + 1, YAW + 4)
"""Indices of the pelvis' position (z up); the unit is the length of the person's leg."""
_FLAT = slice(YAW + 1, YAW + 3)
_LINES = 2
"""So many of the first directions go from the right to the left side."""

_HEADING_SMOOTHED_S = 0.15
"""Standard deviation of the Gaussian window that smooths the heading. Without it, the heading jumps when somebody lies
on the side, where it has no meaning."""


def _bone_directions() -> tuple[list[int], Tensor]:
    """The direction of each of the 15 bones, and its sign."""
    rows, signs = [], []
    for bone, parent in enumerate(PARENTS):
        names = H36M16.joints[parent], H36M16.joints[bone + 1]
        line = next((i for i, ends in enumerate(DIRECTIONS[:_LINES]) if names[1] in ends), None)
        rows.append(DIRECTIONS.index(names) if line is None else line)
        signs.append(-1.0 if line is not None and names[1] == DIRECTIONS[line][0] else 1.0)
    return rows, torch.tensor(signs)


_ROWS, _SIGNS = _bone_directions()
_LEG_BONES = [H36M16.index(joint) - 1 for joint in ("right_knee", "right_ankle", "left_knee", "left_ankle")]


def _twins() -> list[int]:
    """For each direction, its index on the other side of the body."""
    swapped = {"right": "left", "left": "right"}

    def twin(joint: str) -> str:
        side, _, rest = joint.partition("_")
        return f"{swapped[side]}_{rest}" if rest else joint

    return [i if i < _LINES else DIRECTIONS.index((twin(a), twin(b))) for i, (a, b) in enumerate(DIRECTIONS)]


_TWINS = _twins()
_ENDS = [[H36M16.index(pair[end]) for pair in DIRECTIONS] for end in (0, 1)]


def pose_features(joints_world_m: np.ndarray, frame_rate_hz: float) -> np.ndarray:
    """The features of each frame of a clip, float64 (T, `FEATURES`).

    Args:
        joints_world_m: (T, 16, 3), z up.
        frame_rate_hz: Frame rate of the clip.
    """
    joints = joints_world_m.astype(np.float64)
    leg_m = leg_lengths(torch.from_numpy(bone_lengths(torch.from_numpy(joints)).median(0).values.numpy())).item()
    lines = joints[:, _ENDS[1]] - joints[:, _ENDS[0]]
    lines /= np.maximum(np.linalg.norm(lines, axis=-1, keepdims=True), 1e-9)
    left = _smoothed(lines[:, :_LINES, :2].mean(1), _HEADING_SMOOTHED_S * frame_rate_hz)
    yaw = np.unwrap(np.arctan2(-left[:, 0], left[:, 1]))
    local = _turned_flat(torch.from_numpy(lines), torch.from_numpy(-yaw)[:, None]).numpy()
    return np.concatenate([local.reshape(len(joints), -1), yaw[:, None], joints[:, 0] / leg_m], 1)


def features_to_joints(features: Tensor, lengths_m: Tensor) -> Tensor:
    """Joint positions from features and bone lengths.

    Args:
        features: (B, T, `FEATURES`); directions need not have unit length.
        lengths_m: (B, 15) bone lengths.

    Returns:
        (B, T, 16, 3) metres, z up; all bones have the given lengths in every frame.
    """
    local = torch.nn.functional.normalize(features[..., :YAW].unflatten(-1, (-1, 3)), dim=-1)
    lines = _turned_flat(local, features[..., YAW, None])
    bones = lines[..., _ROWS, :] * (lengths_m * _SIGNS.to(lengths_m))[:, None, :, None]
    return bones_to_joints(bones) + features[..., None, PATH] * leg_lengths(lengths_m)[:, None, None, None]


def with_joints(features: Tensor, joints_m: Tensor, leg_m: Tensor) -> Tensor:
    """Features (B, T, `FEATURES`) with directions and path from joints, and their old heading.

    Args:
        features: (B, T, `FEATURES`); their heading is kept.
        joints_m: (B, T, 16, 3), z up.
        leg_m: (B,) leg lengths of these bodies.
    """
    lines = torch.nn.functional.normalize(joints_m[..., _ENDS[1], :] - joints_m[..., _ENDS[0], :], dim=-1)
    local = _turned_flat(lines, -features[..., YAW, None])
    return torch.cat([local.flatten(-2), features[..., YAW, None], joints_m[..., 0, :] / leg_m[:, None, None]], -1)


def unit_bones(features: Tensor) -> Tensor:
    """(..., `FEATURES`) to (..., 15, 3): bones of unit length in the heading frame."""
    local = features[..., :YAW].unflatten(-1, (-1, 3))
    return local[..., _ROWS, :] * _SIGNS.to(features)[:, None]


def with_bones(features: Tensor, bones: Tensor) -> Tensor:
    """Features (..., `FEATURES`) with the directions of bones (..., 15, 3), given in the heading frame."""
    bone_of_line = [_ROWS.index(row) for row in range(len(DIRECTIONS))]
    lines = bones[..., bone_of_line, :] * _SIGNS.to(features)[bone_of_line, None]
    return torch.cat([lines.flatten(-2), features[..., YAW:]], -1)


def mirrored_features(features: Tensor) -> Tensor:
    """The mirrored motion (..., `FEATURES`): left and right are swapped."""
    lines = features[..., :YAW].unflatten(-1, (-1, 3))[..., _TWINS, :]
    across = torch.ones(len(DIRECTIONS), 3).to(features) * torch.tensor([1.0, -1.0, 1.0]).to(features)
    across[:_LINES] *= -1
    rest = features[..., YAW:] * torch.tensor([-1.0, 1.0, -1.0, 1.0]).to(features)
    return torch.cat([(lines * across).flatten(-2), rest], -1)


def moved(features: Tensor, yaw_rad: Tensor, flat: Tensor) -> Tensor:
    """Motion rotated about the vertical at the origin, then moved along the floor.

    Args:
        features: (B, T, `FEATURES`).
        yaw_rad: (B,) rotation.
        flat: (B, 2) shift along the floor; the unit is the length of the leg.
    """
    path = _turned_flat(features[..., _FLAT], yaw_rad[:, None]) + flat[:, None]
    yaw = features[..., YAW : YAW + 1] + yaw_rad[:, None, None]
    return torch.cat([features[..., :YAW], yaw, path, features[..., PATH.stop - 1 :]], -1)


def from_first_pose(features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Motion (B, T, `FEATURES`), moved so that it begins at the origin and heads along x.

    Returns:
        The moved motion, and the `yaw_rad` and `flat` with which `moved` brings it back.
    """
    yaw, flat = features[:, 0, YAW], features[:, 0, _FLAT]
    at_origin = torch.cat([features[..., : YAW + 1], features[..., _FLAT] - flat[:, None], features[..., -1:]], -1)
    return moved(at_origin, -yaw, torch.zeros_like(flat)), yaw, flat


def leg_lengths(lengths_m: Tensor) -> Tensor:
    """Leg lengths (...) from bone lengths (..., 15): hip to ankle, mean of both sides."""
    return lengths_m[..., _LEG_BONES].sum(-1) / 2


def _turned_flat(points: Tensor, yaw_rad: Tensor) -> Tensor:
    """(..., 2 or 3) points, z up, rotated about the vertical by angles of shape (...)."""
    cos, sin = torch.cos(yaw_rad), torch.sin(yaw_rad)
    x, y = points[..., 0], points[..., 1]
    return torch.cat([torch.stack([cos * x - sin * y, sin * x + cos * y], -1), points[..., 2:]], -1)


def _smoothed(values: np.ndarray, deviation: float) -> np.ndarray:
    """(T, C) smoothed with a Gaussian window; edge frames are repeated."""
    reach = math.ceil(3 * deviation)
    window = np.exp(-0.5 * (np.arange(-reach, reach + 1) / deviation) ** 2)
    padded = np.pad(values, ((reach, reach), (0, 0)), mode="edge")
    return np.stack([np.convolve(column, window / window.sum(), mode="valid") for column in padded.T], 1)
