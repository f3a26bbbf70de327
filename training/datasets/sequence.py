"""One person before one camera in one take: what is known of it, and its arrays."""

from __future__ import annotations

import dataclasses
import itertools
import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from sdk.errors import BadDataset
from training.datasets.camera import SequenceCamera

SPLITS = ("train", "validation", "test")
REQUIRED = ("keypoints_px", "valid", "frames")
OPTIONAL = ("joints_camera_m", "joints_universal_m", "activity")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,120}")


@dataclass(frozen=True)
class SequenceFacts:
    """What is known of a sequence without reading its arrays.

    Attributes:
        name: Name of its file, without suffix; unique in the data set.
        subject: Who is filmed, in the data set's own word (S1, TS1, downtown_cafe_00).
        action: What they do, in the data set's own word (`Directions 1`, `Seq1`); empty if not told.
        split: `train`, `validation` or `test`.
        camera_name: The camera in the data set's own word; empty if not told.
        person: Number of the person in the take, from 0.
        frame_rate_hz: Rows a second where none is missing, or None if unknown (Ski-Pose).
        frame_step: Difference of `frames` from one row to the next where none is missing.
        count: Rows T.
        valid_count: Rows that the data set says are to be scored.
        root_known: Whether joints stand at their place in camera axes. False: they are given relative to the root
            only, which is at zero, and can't be projected.
        has_joints: Whether there are 3D joints at all.
        has_universal: Whether there are joints of 3DHP's universal height.
        notes: What is particular, one line each: an image size that is assumed, a camera that was fitted.
    """

    name: str
    subject: str
    action: str
    split: str
    camera_name: str
    person: int
    frame_rate_hz: float | None
    frame_step: int
    count: int
    valid_count: int
    root_known: bool
    has_joints: bool
    has_universal: bool
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value, kind = getattr(self, field.name), str(field.type)
            if kind not in ("tuple[str, ...]", "float | None") and type(value).__name__ != kind:
                raise BadDataset(f"{field.name} is {value!r}, which is no {kind}.")
        if not _NAME.fullmatch(self.name):
            raise BadDataset(f"{self.name[:80]!r} is no name of a sequence: letters, digits, '.', '_' and '-' only.")
        if self.split not in SPLITS:
            raise BadDataset(f"{self.split!r} is not a split. Known: {', '.join(SPLITS)}.")
        rate = self.frame_rate_hz
        if rate is not None and not (isinstance(rate, int | float) and 0 < rate < 1e4):
            raise BadDataset(f"frame_rate_hz is {rate!r}; it must be a positive number, or null if unknown.")
        if self.frame_step < 1 or self.person < 0 or not 0 <= self.valid_count <= self.count or not self.count:
            raise BadDataset(f"{self.name}: numbers of frames, step or person that can't be.")


@dataclass(frozen=True)
class PreparedSequence:
    """One person before one camera in one take.

    Attributes:
        facts: Subject, action, split, camera, rate and so on.
        keypoints_px: (T, J, 2) float32 pixels from the image's upper left corner.
        valid: (T,) bool: whether the data set says that the frame is to be scored.
        frames: (T,) int64, increasing: numbers of the data set's own frames.
        joints_camera_m: (T, J, 3) float32 metres in camera axes (x right, y down, z forward), or None.
        joints_universal_m: (T, J, 3) float32 metres: 3DHP's joints scaled to one height, its official truth, or None.
        activity: (T,) int16 official activity of each frame (3DHP's test set), or None.
        camera: The camera, or None if unknown.

    Raises:
        BadDataset: shapes, counts or values that are not as above.
    """

    facts: SequenceFacts
    keypoints_px: np.ndarray
    valid: np.ndarray
    frames: np.ndarray
    joints_camera_m: np.ndarray | None = None
    joints_universal_m: np.ndarray | None = None
    activity: np.ndarray | None = None
    camera: SequenceCamera | None = None

    def __post_init__(self) -> None:
        name, count = self.facts.name, self.facts.count
        joints = self.keypoints_px.shape[1] if self.keypoints_px.ndim == 3 else 0
        shapes: dict[str, tuple[tuple[int, ...], Any]] = {
            "keypoints_px": ((count, joints, 2), np.float32),
            "valid": ((count,), np.bool_),
            "frames": ((count,), np.int64),
            "joints_camera_m": ((count, joints, 3), np.float32),
            "joints_universal_m": ((count, joints, 3), np.float32),
            "activity": ((count,), np.int16),
        }
        for key, (shape, kind) in shapes.items():
            array = getattr(self, key)
            if array is None and key not in REQUIRED:
                continue
            if array.shape != shape or array.dtype != kind:
                raise BadDataset(f"{name}: {key} is {array.dtype} {array.shape}, not {np.dtype(kind)} {shape}.")
            if kind is np.float32 and not np.isfinite(array).all():
                raise BadDataset(f"{name}: {key} holds values that are not finite.")
        if (np.diff(self.frames) < 1).any():
            raise BadDataset(f"{name}: its frame numbers do not increase.")
        if int(self.valid.sum()) != self.facts.valid_count:
            raise BadDataset(f"{name}: {self.valid.sum()} frames are valid, not {self.facts.valid_count}.")
        given = (self.joints_camera_m is not None, self.joints_universal_m is not None)
        if given != (self.facts.has_joints, self.facts.has_universal):
            raise BadDataset(f"{name}: its joints are not those that its facts tell of.")
        moving = self.camera and (self.camera.intrinsics_px, self.camera.rotation_world_to_camera)
        if moving and any(array is not None and len(array) not in (1, count) for array in moving):
            raise BadDataset(f"{name}: its camera has another number of frames than {count}.")

    def pieces(self) -> list[slice]:
        """Stretches of rows without a missing frame, in order. Windows must not cross from one to the next."""
        cuts = np.flatnonzero(np.diff(self.frames) != self.facts.frame_step) + 1
        edges = [0, *cuts.tolist(), len(self.frames)]
        return [slice(start, end) for start, end in itertools.pairwise(edges)]


def facts_of(entry: Any) -> SequenceFacts:
    """Facts from what JSON gave.

    Raises:
        BadDataset: a field is missing, unknown or of another type.
    """
    if not isinstance(entry, dict):
        raise BadDataset("the facts of a sequence are no table of names and values.")
    fields = {field.name for field in dataclasses.fields(SequenceFacts)}
    if set(entry) != fields:
        raise BadDataset(
            f"the facts of a sequence lack or have too many: {', '.join(sorted(set(entry) ^ fields))[:200]}."
        )
    notes = entry["notes"]
    if not isinstance(notes, list) or not all(isinstance(note, str) for note in notes):
        raise BadDataset("the notes of a sequence are no list of texts.")
    return SequenceFacts(**{**entry, "notes": tuple(notes)})
