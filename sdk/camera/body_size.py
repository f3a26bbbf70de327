"""A person's body over time: bone lengths that settle, and a scale from a known height."""

from __future__ import annotations

import numpy as np

from sdk.errors import BadBodyHeight
from sdk.skeletons.skeleton import H36M16, pose_skeleton

CROWN_ABOVE_HEAD_JOINT = 0.09
SOLE_BELOW_ANKLE = 0.08
"""In metres, on a person of `_USUAL_HEIGHT_M`: head joint to crown, and sole to ankle."""
_USUAL_HEIGHT_M = 1.75
_BONES = len(H36M16) - 1
_SEEN_BEFORE = 5.0
"""Weight of the first frame. Later frames have weight one, so a single bad frame changes the body little."""
_BONE_DEVIATION_M = 0.05
"""A bone whose ends are as sure as this has weight one, where their spread is known; others the inverse of their
variance against it."""
_MOST_WEIGHT = 9.0


def _index(joint: str) -> int:
    return H36M16.index(joint) - 1


_LEG = [_index(f"{side}_{joint}") for side in ("left", "right") for joint in ("knee", "ankle")]
_TRUNK = [_index(joint) for joint in ("spine", "thorax", "head")]


def stature_m(bone_lengths_m: np.ndarray) -> float:
    """Height from sole to crown of a standing person with these (15,) bone lengths."""
    body = bone_lengths_m[_LEG].sum() / 2 + bone_lengths_m[_TRUNK].sum()
    extra = (CROWN_ABOVE_HEAD_JOINT + SOLE_BELOW_ANKLE) / _USUAL_HEIGHT_M
    return float(body / (1 - extra))


class BodySize:
    """Gives the poses of one person settled bone lengths: the mean over all frames so far, the same left and right.

    Args:
        settle: Whether bone lengths settle. If not, each frame keeps its own.
        height_m: The person's height from sole to crown, if it is known. Poses are scaled to it, by the mean bone
            lengths so far.

    Raises:
        BadBodyHeight: the height is not between 0.5 and 2.6 m.
    """

    def __init__(self, *, settle: bool = True, height_m: float | None = None) -> None:
        if height_m is not None and not 0.5 <= height_m <= 2.6:
            raise BadBodyHeight(f"a person's height is between 0.5 and 2.6 metres, not {height_m}.")
        self._settle, self._height_m = settle, height_m
        self.reset()

    def reset(self) -> None:
        """Forget the lengths so far, for another person."""
        self._sum: np.ndarray | None = None
        self._frames: float | np.ndarray = 0.0

    def __call__(self, joints_m: np.ndarray, deviations_m: np.ndarray | None = None) -> np.ndarray:
        """The next frame's pose with the settled body.

        Args:
            joints_m: (16, 3) or (20, 3) metres relative to the pelvis.
            deviations_m: Standard deviations of its coordinates, of the same shape: lengths that are sure weigh more.
                None if they are not known.
        """
        skeleton = pose_skeleton(len(joints_m))
        parents, mirrored = np.array(skeleton.parents[1:]), np.array(skeleton.mirror[1:]) - 1
        bones = joints_m[1:].astype(np.float64) - joints_m[parents]
        lengths = np.linalg.norm(bones, axis=-1)
        weight: float | np.ndarray = _SEEN_BEFORE if self._sum is None else 1.0
        if deviations_m is None:
            both = (lengths + lengths[mirrored]) / 2
        else:
            sure = _weights(bones, deviations_m, parents)
            both = (lengths * sure + (lengths * sure)[mirrored]) / (sure + sure[mirrored])
            weight = weight * (sure + sure[mirrored]) / 2
        self._sum = both * weight + (0.0 if self._sum is None else self._sum)
        self._frames += weight
        settled = self._sum / self._frames
        if self._settle:
            bones *= (settled / np.maximum(lengths, 1e-6))[:, None]
        if self._height_m is not None:
            bones *= self._height_m / stature_m(settled[:_BONES])
        joints = np.zeros_like(joints_m, np.float64)
        for joint, parent in enumerate(parents, 1):
            joints[joint] = joints[parent] + bones[joint - 1]
        return joints.astype(np.float32)


def _weights(bones: np.ndarray, deviations_m: np.ndarray, parents: np.ndarray) -> np.ndarray:
    """(K,) weights of the lengths of bones (K, 3): against the variance along each bone."""
    squares = np.square(deviations_m.astype(np.float64))
    along = np.square(bones) / np.maximum(np.square(bones).sum(-1, keepdims=True), 1e-12)
    variance = (along * (squares[1:] + squares[parents])).sum(-1)
    return np.clip(_BONE_DEVIATION_M**2 / np.maximum(variance, 1e-12), 1 / _MOST_WEIGHT, _MOST_WEIGHT)
