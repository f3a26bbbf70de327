"""What a reader finds in a folder: units that are read one after another, and sequences checked on the way."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from sdk.errors import BadDataset
from training.datasets.camera import SequenceCamera
from training.datasets.joints import JOINT_ORDERS
from training.datasets.sequence import PreparedSequence, SequenceFacts

_FARTHEST_PX = 1e5
_FARTHEST_M = 1e3
"""Values beyond are no measurement: the row is kept, its frame is not valid."""
_TRUNK_M = (0.25, 1.3)
"""Pelvis to head of any person in any posture: tells millimetres from metres, and a pose from another array."""
_CHECKED_ROWS = 200
OFF_PX = 1.0
"""Of the median: 3D further beside its 2D is told."""


@dataclass(frozen=True)
class Unit:
    """Part of a data set that is read at once.

    Attributes:
        key: Its name, unique in the data set.
        inputs: Files that it comes from: where they change, it is read again.
        read: Gives its sequences one at a time, without those whose names it is given.
    """

    key: str
    inputs: tuple[Path, ...]
    read: Callable[[Collection[str]], Iterator[PreparedSequence]]

    def sequences(self, done: Collection[str] = ()) -> Iterator[PreparedSequence]:
        """As `read`; numbers too large for a sum or a cast become infinite without a warning, and frames not valid."""
        reading = self.read(done)
        while True:
            with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
                sequence = next(reading, None)
            if sequence is None:
                return
            yield sequence


@dataclass(frozen=True)
class Layout:
    """Files of one kind in a folder.

    Attributes:
        data_set: Data set they belong to.
        name: The kind, in words: `official CDF files`.
        joint_order: Of the sequences.
        joint_definition: Whose joints they are.
        units: What is to be read.
        missing: Official parts that are not there, a line each.
        left_out: What is there and is not read, a line each with the reason.
    """

    data_set: str
    name: str
    joint_order: str
    joint_definition: str
    units: tuple[Unit, ...]
    missing: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


def make_sequence(
    facts: SequenceFacts,
    joint_order: str,
    keypoints_px: np.ndarray,
    joints_m: np.ndarray | None,
    *,
    valid: np.ndarray | None = None,
    frames: np.ndarray | None = None,
    universal_m: np.ndarray | None = None,
    activity: np.ndarray | None = None,
    camera: SequenceCamera | None = None,
) -> PreparedSequence:
    """A sequence out of what a file has, checked.

    Rows with values that are not finite, or no measurement, become zeros and not valid; a note says how many. 3D that
    does not project onto its 2D gets a note, too.

    Args:
        facts: As known; counts and what there is are filled in.
        joint_order: One of `JOINT_ORDERS`.
        keypoints_px: (T, J, 2) of any numeric type.
        joints_m: (T, J, 3), or None.
        valid: (T,), or None for all.
        frames: (T,) numbers, or None for 0, 1, 2 and so on.
        universal_m: (T, J, 3), or None.
        activity: (T,), or None.
        camera: The camera, or None.

    Raises:
        BadDataset: shapes do not fit, nothing is usable, or lengths are not a person's in metres.
    """
    count, joints = len(keypoints_px), len(JOINT_ORDERS[joint_order])
    if not count:
        raise BadDataset(f"{facts.name} has no frame.")
    arrays = {
        "keypoints_px": (keypoints_px, (count, joints, 2), _FARTHEST_PX),
        "joints_camera_m": (joints_m, (count, joints, 3), _FARTHEST_M),
        "joints_universal_m": (universal_m, (count, joints, 3), _FARTHEST_M),
    }
    usable = np.ones(count, bool)
    kept: dict[str, np.ndarray] = {}
    for name, (array, shape, most) in arrays.items():
        if array is None:
            continue
        if array.shape != shape or array.dtype.kind not in "fiu":
            raise BadDataset(f"{facts.name}: {name} is {array.dtype} {array.shape}, not numbers {shape}.")
        usable &= (np.abs(array) <= most).all((1, 2))  # false for NaN as well
        kept[name] = array
    if not usable.any():
        raise BadDataset(f"{facts.name} has no frame with finite values in pixels and metres.")
    for name, array in kept.items():
        kept[name] = np.where(usable[:, None, None], array, 0).astype(np.float32)
        if name != "keypoints_px":
            _check_person(facts.name, kept[name][usable], joint_order)
    notes = list(facts.notes)
    if not usable.all():
        notes.append(f"{count - usable.sum()} frames have values that are no measurement: set to zero, not valid")
    valid = usable if valid is None else usable & _checked(facts.name, "valid", valid, count).astype(bool)
    frames = np.arange(count) if frames is None else _checked(facts.name, "frames", frames, count)
    known = kept.get("joints_camera_m")
    if known is not None and facts.root_known and camera is not None:
        off_px = reprojection_px(camera, known, kept["keypoints_px"], usable)
        if not off_px <= OFF_PX:
            notes.append(f"its 3D projects {off_px:.1f} px beside its 2D (median)")
    facts = replace(
        facts,
        count=count,
        valid_count=int(valid.sum()),
        has_joints=known is not None,
        has_universal="joints_universal_m" in kept,
        notes=tuple(notes),
    )
    activity = None if activity is None else _checked(facts.name, "activity", activity, count).astype(np.int16)
    return PreparedSequence(
        facts, valid=valid, frames=frames.astype(np.int64), activity=activity, camera=camera, **kept
    )


def _checked(name: str, what: str, array: np.ndarray, count: int) -> np.ndarray:
    """(T,) numbers out of (T,), (T, 1) or (1, T), as MATLAB's files have them."""
    flat = np.asarray(array).reshape(-1)
    if len(flat) != count or flat.dtype.kind not in "fiub" or not (np.abs(flat.astype(float)) < 1e9).all():
        raise BadDataset(f"{name}: {what} is {flat.dtype} of {len(flat)} values, not a number for {count} frames.")
    return flat


def _check_person(name: str, joints_m: np.ndarray, joint_order: str) -> None:
    order = JOINT_ORDERS[joint_order]
    trunk = np.linalg.norm(joints_m[:, order.index("head")] - joints_m[:, order.index("pelvis")], axis=-1)
    length = float(np.median(trunk))
    if not _TRUNK_M[0] < length < _TRUNK_M[1]:
        raise BadDataset(
            f"{name}: from pelvis to head it is {length:.3g} m (median). It is no person in metres: other units, "
            "another joint order, or another array."
        )


def reprojection_px(
    camera: SequenceCamera, joints_m: np.ndarray, keypoints_px: np.ndarray, usable: np.ndarray
) -> float:
    """Median distance of projected 3D from 2D over some hundred rows, in pixels; NaN if none is before the camera."""
    rows = np.flatnonzero(usable)
    rows = rows[np.linspace(0, len(rows) - 1, min(len(rows), _CHECKED_ROWS)).astype(int)] if len(rows) else rows
    off = np.linalg.norm(camera.rows(rows).project(joints_m[rows]) - keypoints_px[rows], axis=-1)
    off = off[np.isfinite(off)]
    return float(np.median(off)) if off.size else float("nan")


def new_facts(name: str, subject: str, action: str, split: str, camera: str = "", **changes: object) -> SequenceFacts:
    """Facts of which the counts are not known yet; see `make_sequence`."""
    facts = SequenceFacts(slug(name), subject, action, split, camera, 0, None, 1, 1, 0, True, False, False)
    return replace(facts, **changes)  # type: ignore[arg-type]


def slug(name: str) -> str:
    """A name that can be a file's: spaces become dashes, what else is unusual is refused.

    Raises:
        BadDataset: later, by `SequenceFacts`, for names that can't be a file's.
    """
    return name.replace(" ", "-")
