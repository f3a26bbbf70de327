"""BVH, the animated skeleton that Blender and game engines read: y up, metres, degrees, rigid bones."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

from sdk.camera.rotations import best_rotation, euler_zxy, shortest_rotation
from sdk.skeletons.skeleton import H36M16, H36M20, Skeleton, pose_skeleton
from sdk.writers.base import HeadedFile

_END_M = 0.08
"""Hands, feet and head get a stump, for programs that drop bones without length."""
_COUNT_DIGITS = 9


class BvhFile(HeadedFile):
    """One person as a skeleton with the median bone lengths of their own track.

    The rest pose is a T-pose looking along +z. The root has a position, all joints the rotations z, x, y. Frames begin
    with the stream. BVH knows no missing frames: where the person was not seen, the last pose is repeated, and before
    they come the first one.
    """

    def __init__(
        self, path: Path, frame_rate_hz: float, start_s: float = 0.0, pose_skeleton: Skeleton = H36M16
    ) -> None:
        """Open the file and write its head; an older one of that name is replaced.

        Args:
            path: The file.
            frame_rate_hz: Of its rows.
            start_s: When the person comes, since the stream's first frame.
            pose_skeleton: Skeleton of the poses. With feet, the ankles have a child each, `left_toe_base` and
                `right_toe_base`; heels only say how the foot is turned.
        """
        self._tree = pose_skeleton
        self._frame_time_s = 1 / frame_rate_hz
        self._lead = round(start_s * frame_rate_hz)
        self._lengths = LengthHistogram(len(pose_skeleton))
        self._last = np.zeros(0)
        self._joint_order: list[int] = []
        super().__init__(path)

    def add(self, joints_m: np.ndarray | None) -> None:
        """Write a row, (J, 3) metres, y up."""
        if joints_m is not None:
            self._lengths.add(np.linalg.norm(joints_m - joints_m[list(self._tree.parents)], axis=-1))
            angles = np.degrees(euler_zxy(bone_rotations(joints_m)))
            self._last = np.concatenate([joints_m[0], angles[self._joint_order].ravel()])
        row = " ".join(f"{value:.4f}" for value in self._last).encode() + b"\n"
        for _ in range(self._lead + 1):
            self._add(row)
        self._lead = 0

    def _head(self) -> bytes:
        """As long whatever the lengths and the number of frames."""
        self._joint_order = []
        offsets = REST_DIRECTIONS[: len(self._tree)] * self._lengths.medians()[:, None]
        lines = ["HIERARCHY", *self._joint(0, offsets, ""), "MOTION"]
        lines += [f"Frames: {self._rows:0{_COUNT_DIGITS}d}", f"Frame Time: {self._frame_time_s:.8f}", ""]
        return "\n".join(lines).encode()

    def _joint(self, joint: int, offsets: np.ndarray, indent: str) -> list[str]:
        self._joint_order.append(joint)
        inner = indent + "  "
        root = self._tree.parents[joint] < 0
        children = [child for child in _children(self._tree)[joint] if not self._tree.joints[child].endswith("_heel")]
        name = self._tree.joints[joint]
        offset = np.zeros(3) if root else offsets[joint]
        channels = "6 Xposition Yposition Zposition" if root else "3"
        lines = [
            f"{indent}{'ROOT' if root else 'JOINT'} {_BVH_NAMES.get(name, name)}",
            indent + "{",
            f"{inner}OFFSET {_numbers(offset)}",
            f"{inner}CHANNELS {channels} Zrotation Xrotation Yrotation",
        ]
        for child in children:
            lines += self._joint(child, offsets, inner)
        if not children:
            stump = f"{inner}  OFFSET {_numbers(REST_DIRECTIONS[joint] * _END_M)}"
            lines += [f"{inner}End Site", inner + "{", stump, inner + "}"]
        return [*lines, indent + "}"]


def _numbers(vector: np.ndarray) -> str:
    """As long whatever the values, and with one space between them: some readers take two for an empty number."""
    return " ".join(f"{value + 0.0:08.5f}" for value in vector)


_BVH_NAMES = {f"{side}_toe": f"{side}_toe_base" for side in ("left", "right")}
"""Names that animation programs map to their own feet."""


@cache
def _children(skeleton: Skeleton) -> tuple[tuple[int, ...], ...]:
    """The children of each joint."""
    parents = skeleton.parents
    return tuple(tuple(j for j, parent in enumerate(parents) if parent == joint) for joint in range(len(parents)))


_DOWN, _UP, _LEFT, _RIGHT = (0.0, -1.0, 0.0), (0.0, 1.0, 0.0), (1.0, 0.0, 0.0), (-1.0, 0.0, 0.0)
_REST = {
    **dict.fromkeys(("right_hip", "right_shoulder", "right_elbow", "right_wrist"), _RIGHT),
    **dict.fromkeys(("left_hip", "left_shoulder", "left_elbow", "left_wrist"), _LEFT),
    **dict.fromkeys(("right_knee", "right_ankle", "left_knee", "left_ankle"), _DOWN),
    **dict.fromkeys(("pelvis", "spine", "thorax", "head"), _UP),
    **dict.fromkeys(("right_heel", "left_heel"), (0.0, -0.822, -0.569)),
    **dict.fromkeys(("right_toe", "left_toe"), (0.0, -0.177, 0.984)),
}
REST_DIRECTIONS = np.array([_REST[joint] for joint in H36M20.joints])
REST_DIRECTIONS /= np.linalg.norm(REST_DIRECTIONS, axis=1, keepdims=True)
"""(20, 3): where each joint lies from its parent when nothing is rotated: a T-pose that looks along +z, y up, with
soles on the floor: an ankle lies 7 cm over it, 4.5 cm before the heel and 16.5 cm behind the tip of the toes."""


def bone_rotations(joints_m: np.ndarray) -> np.ndarray:
    """Rotations that put the rest skeleton into a pose.

    A joint with one child turns it the shortest way; pelvis, thorax and ankles, which have two or three, are fitted to
    all of them.

    Args:
        joints_m: (J, 3) metres, y up; 16 or 20 joints.

    Returns:
        (J, 3, 3): of each joint relative to its parent; identity for joints without children.
    """
    skeleton = pose_skeleton(len(joints_m))
    turned = np.tile(np.eye(3), (len(skeleton), 1, 1))
    local = turned.copy()
    for joint, children in enumerate(_children(skeleton)):
        parent = skeleton.parents[joint]
        above = turned[parent] if parent >= 0 else np.eye(3)
        turned[joint] = above
        if children:
            bones = joints_m[list(children)] - joints_m[joint]
            rest = REST_DIRECTIONS[list(children)]
            if len(children) == 1:
                turned[joint] = shortest_rotation(above @ rest[0], bones[0]) @ above
            else:
                turned[joint] = best_rotation(rest, bones)
            local[joint] = above.T @ turned[joint]
    return local


_STEP_M = 0.001
_LONGEST_M = 2.0


class LengthHistogram:
    """Counts lengths in steps of a millimetre, for each of a number of bones."""

    def __init__(self, bones: int) -> None:
        self._counts = np.zeros((bones, round(_LONGEST_M / _STEP_M) + 1), np.int64)

    def add(self, lengths_m: np.ndarray) -> None:
        """Count one length for each bone, (bones,) metres; longer ones than two metres count as that."""
        steps = np.round(np.clip(lengths_m, 0, _LONGEST_M) / _STEP_M).astype(int)
        self._counts[np.arange(len(steps)), steps] += 1

    def medians(self) -> np.ndarray:
        """(bones,) metres, to the millimetre; zero before the first."""
        below = np.cumsum(self._counts, 1)
        return (below * 2 >= below[:, -1:]).argmax(1) * _STEP_M
