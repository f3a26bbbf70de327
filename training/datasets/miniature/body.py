"""A drawn person who walks about: named joints in world axes, from which each data set's own joints are picked."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

_OFFSETS_M: dict[str, tuple[str, tuple[float, float, float]]] = {
    "right_hip": ("pelvis", (0.13, 0, 0)),
    "right_knee": ("right_hip", (0, 0, -0.44)),
    "right_ankle": ("right_knee", (0, 0, -0.42)),
    "right_foot": ("right_ankle", (0, 0.14, -0.06)),
    "right_toe": ("right_foot", (0, 0.07, 0)),
    "left_hip": ("pelvis", (-0.13, 0, 0)),
    "left_knee": ("left_hip", (0, 0, -0.44)),
    "left_ankle": ("left_knee", (0, 0, -0.42)),
    "left_foot": ("left_ankle", (0, 0.14, -0.06)),
    "left_toe": ("left_foot", (0, 0.07, 0)),
    "spine1": ("pelvis", (0, 0, 0.11)),
    "spine": ("spine1", (0, 0, 0.12)),
    "spine3": ("spine", (0, 0, 0.12)),
    "thorax": ("spine3", (0, 0, 0.13)),
    "nose": ("thorax", (0, 0.08, 0.1)),
    "head": ("nose", (0, -0.06, 0.12)),
    "left_collar": ("thorax", (-0.05, 0, -0.02)),
    "left_shoulder": ("left_collar", (-0.11, 0, -0.01)),
    "left_elbow": ("left_shoulder", (0, 0, -0.28)),
    "left_wrist": ("left_elbow", (0, 0, -0.25)),
    "left_hand": ("left_wrist", (0, 0, -0.09)),
    "right_collar": ("thorax", (0.05, 0, -0.02)),
    "right_shoulder": ("right_collar", (0.11, 0, -0.01)),
    "right_elbow": ("right_shoulder", (0, 0, -0.28)),
    "right_wrist": ("right_elbow", (0, 0, -0.25)),
    "right_hand": ("right_wrist", (0, 0, -0.09)),
}
"""Parent and place in its axes at rest: x to the right, y forward, z up; 1.75 m from sole to crown."""
_TURN_RAD = {
    "hip": (0.5, 0.15), "knee": (0.5, 0.02), "ankle": (0.15, 0.02), "spine1": (0.1, 0.1), "spine": (0.12, 0.1),
    "spine3": (0.1, 0.1), "nose": (0.2, 0.3), "shoulder": (0.7, 0.4), "elbow": (0.5, 0.1), "wrist": (0.1, 0.1),
}  # fmt: skip
"""How far a joint turns about its x axis and about its y or z axis."""
_STANDING_M = 0.94
"""Height of the pelvis."""


def draw_motion(
    frames: int, rate_hz: float, generator: np.random.Generator, scale: float = 1.0
) -> dict[str, np.ndarray]:
    """A person on a way of slow turns, with swinging limbs; every bone keeps its length.

    Args:
        frames: Frames T.
        rate_hz: Frames a second.
        generator: Randomness.
        scale: Size of the person; 1 is 1.75 m.

    Returns:
        By joint name (T, 3) metres in world axes, z up; the person stays within 1.5 m of the origin.
    """
    time_s = np.arange(frames) / rate_hz
    stride_hz = generator.uniform(0.7, 1.1)
    around = generator.uniform(0, 2 * np.pi) + generator.choice((-1, 1)) * time_s * generator.uniform(0.2, 0.6)
    radius = generator.uniform(0.3, 1.0)
    place = np.stack([radius * np.cos(around), radius * np.sin(around), np.full(frames, _STANDING_M * scale)], 1)
    place[:, 2] += 0.03 * np.cos(4 * np.pi * stride_hz * time_s)
    heading = around + generator.uniform(-0.5, 0.5) + 0.3 * _wave(time_s, 0.2, generator)

    turned = {"pelvis": _about(heading, 2)}
    joints = {"pelvis": place}
    phase = generator.uniform(0, 2 * np.pi)
    for name, (parent, offset) in _OFFSETS_M.items():
        joints[name] = joints[parent] + scale * (turned[parent] @ np.array(offset))
        turned[name] = turned[parent] @ _turn(name, time_s, stride_hz, phase, generator)
    return joints


def _turn(name: str, time_s: np.ndarray, stride_hz: float, phase: float, generator: np.random.Generator) -> np.ndarray:
    """(T, 3, 3) rotation of what hangs on a joint."""
    kind = name.split("_")[-1]
    swing, other = _TURN_RAD.get(kind, (0.0, 0.0))
    opposite = name.startswith("left") != (kind in ("shoulder", "elbow"))
    stride = np.sin(2 * np.pi * stride_hz * time_s + phase + np.pi * opposite)
    if kind == "knee":
        angle = -swing * (1 + stride) * 0.9
    elif kind == "elbow":
        angle = swing * (1.2 + stride)
    else:
        angle = swing * (0.7 * stride + 0.5 * _wave(time_s, 0.4, generator))
    aside = other * _wave(time_s, 0.3, generator)
    if kind == "shoulder":
        aside = aside + (0.3 if name.startswith("right") else -0.3)
    return _about(angle, 0) @ _about(-aside if kind == "shoulder" else aside, 1 if kind in ("hip", "shoulder") else 2)


def _wave(time_s: np.ndarray, frequency_hz: float, generator: np.random.Generator) -> np.ndarray:
    """(T,) smooth, within -1 and 1."""
    rates = frequency_hz * generator.uniform(0.5, 1.5, 3)
    phases = generator.uniform(0, 2 * np.pi, 3)
    return np.sin(2 * np.pi * time_s[:, None] * rates + phases).mean(1)


def _about(angle_rad: np.ndarray, axis: int) -> np.ndarray:
    """(T,) angles about x, y or z to (T, 3, 3)."""
    cos, sin = np.cos(angle_rad), np.sin(angle_rad)
    rotation = np.zeros((len(angle_rad), 3, 3))
    first, second = [(1, 2), (2, 0), (0, 1)][axis]
    rotation[:, axis, axis] = 1
    rotation[:, first, first] = rotation[:, second, second] = cos
    rotation[:, first, second], rotation[:, second, first] = -sin, sin
    return rotation


def pick(joints: dict[str, np.ndarray], names: Sequence[str]) -> np.ndarray:
    """(T, J, 3) of the named joints; `a+b` is the middle of two."""
    return np.stack([np.mean([joints[part] for part in name.split("+")], axis=0) for name in names], 1)


def look_at(position_m: np.ndarray, target_m: np.ndarray) -> np.ndarray:
    """Rotation world to camera, (3, 3), of a camera that looks at a point, with the world's z up in the image."""
    forward = target_m - position_m
    forward = forward / np.linalg.norm(forward)
    right = np.cross(forward, (0, 0, 1))
    right = right / np.linalg.norm(right)
    return np.stack([right, np.cross(forward, right), forward])
