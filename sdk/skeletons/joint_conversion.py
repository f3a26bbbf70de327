"""Converts a detector's joints to H36M-16, with one table of weights per skeleton.

Every H36M-16 joint is an affine combination of the detector's joints: the weights of a row sum to one. So the result
moves and scales with the image. `FITTED_TABLES` has weights that were fitted on motion capture with the offsets of
annotated joints from centres of rotation, and their errors in 3D. The fits start from the tables made by hand, below.
The fractions for spine and head come from the skeleton that
the shipped lifter is trained on (CMU motion capture, 315 clips, mean over clips): the spine joint projects to 0.42 of
the way from pelvis to mid-shoulders, and the head joint lies 0.228 m above mid-shoulders, 8-10 cm below the crown.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np

from sdk.errors import BadKeypoints, UnknownSkeleton
from sdk.skeletons.skeleton import H36M16, POSE_SKELETONS, Skeleton, find_skeleton

SPINE_FRACTION = 0.42
"""Position of the spine joint, as a share of the way from pelvis to mid-shoulders."""
HEAD_BEYOND_EARS = 1.2
"""Mid-shoulders to head joint, in units of mid-shoulders to mid-ears. Ears are about 13 cm below the crown."""
HEAD_BELOW_CROWN = 0.72
"""Mid-shoulders to head joint, in units of mid-shoulders to crown: 0.228 / (0.228 + 0.09)."""

FITTED_TABLES = Path(__file__).with_name("joint_tables.json")
"""Weights for each skeleton, fitted by benchmarks/joint_tables.py on motion capture, with their errors in mm."""

_FIT_OF = {"coco23": "coco17"}
"""Layouts whose body is that of another one: its fit is theirs."""
_Row = dict[str, float]


def _mean(*names: str) -> _Row:
    return {name: 1 / len(names) for name in names}


def _between(start: _Row, end: _Row, fraction: float) -> _Row:
    row = {name: weight * (1 - fraction) for name, weight in start.items()}
    for name, weight in end.items():
        row[name] = row.get(name, 0.0) + weight * fraction
    return row


def _rows(pelvis: _Row, thorax: _Row, head: _Row, spine: _Row | None = None) -> dict[str, _Row]:
    rows = {name: {name: 1.0} for name in H36M16.joints}
    rows.update(pelvis=pelvis, thorax=thorax, head=head, spine=spine or _between(pelvis, thorax, SPINE_FRACTION))
    return rows


_HIPS, _SHOULDERS, _EARS = (
    _mean("left_hip", "right_hip"),
    _mean("left_shoulder", "right_shoulder"),
    _mean("left_ear", "right_ear"),
)
_HEAD_FROM_EARS = _between(_SHOULDERS, _EARS, HEAD_BEYOND_EARS)

_TABLES: dict[str, dict[str, _Row]] = {
    "h36m16": {name: {name: 1.0} for name in H36M16.joints},
    "h36m20": {name: {name: 1.0} for name in H36M16.joints},
    "h36m17": {name: {name: 1.0} for name in H36M16.joints},
    "coco17": _rows(_HIPS, _SHOULDERS, _HEAD_FROM_EARS),
    "coco23": _rows(_HIPS, _SHOULDERS, _HEAD_FROM_EARS),
    "mediapipe33": _rows(_HIPS, _SHOULDERS, _HEAD_FROM_EARS),
    "body25": _rows({"mid_hip": 1.0}, {"neck": 1.0}, _between({"neck": 1.0}, _EARS, HEAD_BEYOND_EARS)),
    "coco18": _rows(_HIPS, {"neck": 1.0}, _between({"neck": 1.0}, _EARS, HEAD_BEYOND_EARS)),
    "mpii16": _rows({"pelvis": 1.0}, _SHOULDERS, _between(_SHOULDERS, {"head": 1.0}, HEAD_BELOW_CROWN)),
    "deeplabcut14": _rows(_HIPS, _SHOULDERS, {"forehead": 1.0}),
    "halpe26": _rows({"hip": 1.0}, {"neck": 1.0}, _between({"neck": 1.0}, {"head": 1.0}, HEAD_BELOW_CROWN)),
}


@cache
def anatomical_matrix(skeleton: str) -> np.ndarray:
    """Weights (16, J) of the table made by hand. Fits start from it and are compared with it.

    Raises:
        UnknownSkeleton: there is no table for this name.
    """
    find_skeleton(skeleton)
    if skeleton not in _TABLES:
        raise UnknownSkeleton(skeleton, _TABLES)
    return _matrix(skeleton, _TABLES[skeleton])


@cache
def conversion_matrix(skeleton: str) -> np.ndarray:
    """Weights (16, J) from a skeleton's joints to H36M-16: the fitted table if there is one, else that made by hand.

    Raises:
        UnknownSkeleton: there is no table for this name.
    """
    by_hand = anatomical_matrix(skeleton)
    fitted = json.loads(FITTED_TABLES.read_text(encoding="utf-8")) if FITTED_TABLES.is_file() else {}
    fit = _FIT_OF.get(skeleton, skeleton)
    return _matrix(skeleton, fitted[fit]["rows"]) if fit in fitted else by_hand


def _matrix(skeleton: str, rows: dict[str, _Row]) -> np.ndarray:
    source = find_skeleton(skeleton)
    matrix = np.zeros((len(H36M16), len(source)))
    for row, joint in enumerate(H36M16.joints):
        for name, weight in rows[joint].items():
            matrix[row, source.index(name)] = weight
    # The file has four digits. Rows must sum to exactly one, else the result does not move with the image.
    matrix = (matrix / matrix.sum(1, keepdims=True)).astype(np.float32)
    matrix.setflags(write=False)
    return matrix


def to_h36m16(keypoints: np.ndarray, skeleton: str, *, without_nan: bool = False) -> np.ndarray:
    """Keypoints of any known skeleton as H36M-16.

    Args:
        keypoints: (..., J, C), C = 2 for x, y in pixels (or any unit), 3 with a score in [0, 1].
        skeleton: Name of the skeleton of the J joints.
        without_nan: The caller knows that no coordinate is NaN, so it is not looked for (in a stream, that takes time).

    Returns:
        (..., 16, C) float32. A score is the smallest score of the joints that are used. A joint is NaN if one of the
        joints that it is made of is NaN.

    Raises:
        UnknownSkeleton: there is no table for this name.
        BadKeypoints: the number of joints or channels is wrong.
    """
    matrix = conversion_matrix(skeleton)
    keypoints = np.asarray(keypoints, np.float32)
    if keypoints.ndim < 2 or keypoints.shape[-2] != matrix.shape[1] or keypoints.shape[-1] not in (2, 3):
        raise BadKeypoints(
            f"keypoints of skeleton {skeleton!r} have shape (..., {matrix.shape[1]}, 2 or 3), not {keypoints.shape}. "
            "Name the layout of your joints with skeleton=..., or reorder them."
        )
    place = keypoints[..., :2]
    if not without_nan and np.isnan(place).any():
        missing = np.isnan(place).any(-1)
        position = np.einsum("hj,...jc->...hc", matrix, np.where(missing[..., None], 0, place))
        position[(_used(skeleton) & missing[..., None, :]).any(-1)] = np.nan
    else:
        position = np.einsum("hj,...jc->...hc", matrix, place)
    if keypoints.shape[-1] == 2:
        return position
    return np.concatenate([position, scores_of_h36m16(keypoints[..., 2], skeleton)[..., None]], -1)


_FEET: dict[str, dict[str, _Row]] = {
    **{
        name: {
            f"{side}_{joint}": row
            for side in ("left", "right")
            for joint, row in (
                ("heel", {f"{side}_heel": 1.0}),
                ("toe", {f"{side}_big_toe": 2 / 3, f"{side}_small_toe": 1 / 3}),
            )
        }
        for name in ("halpe26", "body25", "coco23")
    },
    "mediapipe33": {
        f"{side}_{joint}": {f"{side}_{theirs}": 1.0}
        for side in ("left", "right")
        for joint, theirs in (("heel", "heel"), ("toe", "foot_index"))
    },
    "h36m20": {f"{side}_{joint}": {f"{side}_{joint}": 1.0} for side in ("left", "right") for joint in ("heel", "toe")},
}
"""Heel and tip of the toes of each skeleton that has feet. The big toe is the longest; the tip of the foot lies a
little towards the small one."""


def to_pose_joints(
    keypoints: np.ndarray, skeleton: str, pose_skeleton: str, *, without_nan: bool = False
) -> np.ndarray:
    """Keypoints of any known skeleton as the joints of a lifter's poses.

    Args:
        keypoints: As for `to_h36m16`.
        skeleton: Name of the skeleton of the J joints.
        pose_skeleton: `h36m16` or `h36m20`.
        without_nan: As for `to_h36m16`.

    Returns:
        (..., 16 or 20, C) float32. Heels and toes of a skeleton without feet are NaN, with score 0.

    Raises:
        UnknownSkeleton, BadKeypoints: as `to_h36m16`.
    """
    body = to_h36m16(keypoints, skeleton, without_nan=without_nan)
    wanted = POSE_SKELETONS[pose_skeleton]
    if wanted is H36M16:
        return body
    keypoints = np.asarray(keypoints, np.float32)
    feet = np.full((*body.shape[:-2], len(wanted) - len(H36M16), body.shape[-1]), np.nan, np.float32)
    if feet.shape[-1] == 3:
        feet[..., 2] = 0
    source = find_skeleton(skeleton)
    for joint, row in _FEET.get(skeleton, {}).items():
        columns = [source.index(name) for name in row]
        place = np.einsum("j,...jc->...c", np.array(list(row.values()), np.float32), keypoints[..., columns, :2])
        feet[..., wanted.index(joint) - len(H36M16), :2] = place
        if feet.shape[-1] == 3:
            feet[..., wanted.index(joint) - len(H36M16), 2] = keypoints[..., columns, 2].min(-1)
    return np.concatenate([body, feet], -2)


def has_feet(skeleton: str) -> bool:
    """Whether heels and toes can be read from a skeleton's joints."""
    return skeleton in _FEET


def inferred_feet_note(skeleton: Skeleton, pose_skeleton: Skeleton) -> tuple[str, ...]:
    """A note for people if poses have feet and their keypoints have none."""
    if len(pose_skeleton) == len(H36M16) or has_feet(skeleton.name):
        return ()
    return (
        f"feet are inferred from the legs: keypoints of {skeleton.name} have none (rtmpose-m, rtmw-m and mediapipe "
        "find them)",
    )


def scores_of_h36m16(scores: np.ndarray, skeleton: str) -> np.ndarray:
    """(..., J) scores of any known skeleton to (..., 16): the smallest score of the joints that each is made of.

    Raises:
        UnknownSkeleton: there is no table for this name.
    """
    return np.where(_used(skeleton), scores[..., None, :], np.inf).min(-1).astype(np.float32)


def pose_scores(scores: np.ndarray, skeleton: str, pose_skeleton: str) -> np.ndarray:
    """(..., J) scores of any known skeleton to those of a pose's joints: 0 for feet that the skeleton has not.

    Raises:
        UnknownSkeleton: there is no table for the skeleton.
    """
    body, wanted = scores_of_h36m16(scores, skeleton), POSE_SKELETONS[pose_skeleton]
    feet = np.zeros((*body.shape[:-1], len(wanted) - len(H36M16)), np.float32)
    source = find_skeleton(skeleton)
    if wanted is not H36M16:
        for joint, row in _FEET.get(skeleton, {}).items():
            feet[..., wanted.index(joint) - len(H36M16)] = scores[..., [source.index(name) for name in row]].min(-1)
    return np.concatenate([body, feet], -1)


@cache
def _used(skeleton: str) -> np.ndarray:
    """(16, J) bool: the joints that each H36M-16 joint is made of."""
    return conversion_matrix(skeleton) != 0
