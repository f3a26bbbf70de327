"""BVH, the animated skeleton that Blender and game engines read: y up, metres, degrees."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from sdk.skeletons import H36M16
from sdk.writers.bone_rotations import CHILDREN, PARENTS, REST_DIRECTIONS, bone_rotations, euler_zxy
from sdk.writers.headed_file import HeadedFile
from sdk.writers.length_histogram import LengthHistogram

_END_M = 0.08
"""Hands, feet and head get a stump, for programs that drop bones without length."""
_COUNT_DIGITS = 9


class BvhFile(HeadedFile):
    """One person as a skeleton with the median bone lengths of their own track.

    The rest pose is a T-pose looking along +z. The root has a position, all joints the rotations z, x, y. Where the
    person was not seen, the last pose is repeated: BVH knows no missing frames.
    """

    def __init__(self, path: Path, frame_rate_hz: float) -> None:
        """Open the file and write its head; an older one of that name is replaced."""
        self._frame_time_s = 1 / frame_rate_hz
        self._lengths = LengthHistogram(len(H36M16))
        self._last = np.zeros(0)
        self._joint_order: list[int] = []
        super().__init__(path)

    def add(self, joints_m: np.ndarray | None) -> None:
        """Write a row, (16, 3) metres, y up."""
        if joints_m is not None:
            self._lengths.add(np.linalg.norm(joints_m - joints_m[list(PARENTS)], axis=-1))
            angles = np.degrees(euler_zxy(bone_rotations(joints_m)))
            self._last = np.concatenate([joints_m[0], angles[self._joint_order].ravel()])
        self._add(" ".join(f"{value:.4f}" for value in self._last).encode() + b"\n")

    def _head(self) -> bytes:
        """As long whatever the lengths and the number of frames."""
        self._joint_order = []
        offsets = REST_DIRECTIONS * self._lengths.medians()[:, None]
        lines = ["HIERARCHY", *self._joint(0, offsets, ""), "MOTION"]
        lines += [f"Frames: {self._rows:0{_COUNT_DIGITS}d}", f"Frame Time: {self._frame_time_s:.8f}", ""]
        return "\n".join(lines).encode()

    def _joint(self, joint: int, offsets: np.ndarray, indent: str) -> list[str]:
        self._joint_order.append(joint)
        inner = indent + "  "
        root = PARENTS[joint] < 0
        offset = np.zeros(3) if root else offsets[joint]
        channels = "6 Xposition Yposition Zposition" if root else "3"
        lines = [
            f"{indent}{'ROOT' if root else 'JOINT'} {H36M16.joints[joint]}",
            indent + "{",
            f"{inner}OFFSET {_numbers(offset)}",
            f"{inner}CHANNELS {channels} Zrotation Xrotation Yrotation",
        ]
        for child in CHILDREN[joint]:
            lines += self._joint(child, offsets, inner)
        if not CHILDREN[joint]:
            stump = f"{inner}  OFFSET {_numbers(REST_DIRECTIONS[joint] * _END_M)}"
            lines += [f"{inner}End Site", inner + "{", stump, inner + "}"]
        return [*lines, indent + "}"]


def _numbers(vector: np.ndarray) -> str:
    return " ".join(f"{value + 0.0:9.5f}" for value in vector)
