"""Prepared data sets: one layout for Human3.6M, MPI-INF-3DHP, 3DPW and Ski-Pose. What `adaptpose-data prepare` writes.

A folder DATA holds `dataset.json` and `sequences/NAME.npz`, without pickles:

`dataset.json`: `format` and `version`; `data_set` (h36m, 3dhp, 3dpw, ski); `joint_order` (one of
`training.datasets.joints.JOINT_ORDERS`), `joint_names` and `joint_definition` (whose joints they are, in words);
`units`; `origin` (the files it was made of); `complete` (false until the last sequence is written); `miniature` (true
for drawn data in the official layout: figures from it are a rehearsal's); `counts` and `published` by split; `notes`;
`sequences`: for each its `name` and all of `SequenceFacts`.

`sequences/NAME.npz`: `facts` (the sequence's `SequenceFacts` and the camera's width and height, as JSON text);
`keypoints_px` (T, J, 2) float32; `valid` (T,) bool; `frames` (T,) int64; and where there are: `joints_camera_m`
(T, J, 3) float32, `joints_universal_m` (T, J, 3) float32, `activity` (T,) int16, `intrinsics_px` (R, 4), `distortion`
(5,), `rotation_world_to_camera` (R, 3, 3), `translation_world_to_camera_m` (R, 3) float64; R is 1 or T.

A sequence is one person before one camera in one take. Frames are in order; where one is missing, `frames` jumps, and
no window may cross it (`PreparedSequence.pieces`). Sequences are read one at a time: a data set never stands in memory.

    data = open_prepared(Path("DATA"))
    for sequence in data.sequences(split="test"):
        sequence.keypoints_px, sequence.joints_camera_m, sequence.camera
"""

from __future__ import annotations

import dataclasses
import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sdk.errors import BadDataset
from sdk.files.input_files import shown
from sdk.skeletons.skeleton import Skeleton
from training.datasets.camera import SequenceCamera
from training.datasets.joints import JOINT_ORDERS, to_h36m16
from training.datasets.sequence import OPTIONAL, REQUIRED, PreparedSequence, SequenceFacts, facts_of
from training.files.array_file import read_arrays
from training.files.atomic_file import replacing

FORMAT = "adaptpose prepared data set"
VERSION = 1
DATA_SETS = ("h36m", "3dhp", "3dpw", "ski")
INDEX_FILE = "dataset.json"
_LARGEST_BYTES = 1 << 30
"""Of a sequence's arrays: three hundred times 3DHP's longest."""
_OF_CAMERA = ("intrinsics_px", "distortion", "rotation_world_to_camera", "translation_world_to_camera_m")


@dataclass(frozen=True)
class PreparedDataset:
    """A prepared data set on disk. Nothing of its sequences is in memory.

    Attributes:
        folder: DATA.
        data_set: `h36m`, `3dhp`, `3dpw` or `ski`.
        joint_order: Name of the joint order, one of `JOINT_ORDERS`.
        joint_definition: Whose joints they are, in words.
        origin: The files it was made of, in words.
        miniature: Drawn data in the official layout. Figures from it are a rehearsal's and must be labelled so.
        facts: Of every sequence, in the order of the names.
        published: Published counts by split: `poses`, `valid` or `sequences`.
        notes: What whoever uses it should know.
    """

    folder: Path
    data_set: str
    joint_order: str
    joint_definition: str
    origin: str
    miniature: bool
    facts: tuple[SequenceFacts, ...]
    published: Mapping[str, Mapping[str, int]]
    notes: tuple[str, ...] = ()

    @property
    def skeleton(self) -> Skeleton:
        """Joint names, bones and mirror pairs of the order."""
        return JOINT_ORDERS[self.joint_order]

    @property
    def counts(self) -> dict[str, dict[str, int]]:
        """By split: `sequences`, `poses` and `valid` poses."""
        counts: dict[str, dict[str, int]] = {}
        for facts in self.facts:
            of_split = counts.setdefault(facts.split, {"sequences": 0, "poses": 0, "valid": 0})
            of_split["sequences"] += 1
            of_split["poses"] += facts.count
            of_split["valid"] += facts.valid_count
        return counts

    def select(self, split: str | None = None, subjects: Sequence[str] | None = None) -> list[SequenceFacts]:
        """Facts of the sequences of a split, and of some subjects.

        Raises:
            BadDataset: there is none; lists what there is.
        """
        chosen = [
            facts
            for facts in self.facts
            if (split is None or facts.split == split) and (subjects is None or facts.subject in subjects)
        ]
        if not chosen:
            there = sorted({f"{facts.split} {facts.subject}" for facts in self.facts})
            wanted = " ".join(filter(None, [split, *(subjects or ())]))
            raise BadDataset(f"{shown(self.folder)} has no sequence of {wanted}. It has: {', '.join(there[:40])}.")
        return chosen

    def sequences(self, split: str | None = None, subjects: Sequence[str] | None = None) -> Iterator[PreparedSequence]:
        """Read the sequences of `select`, one at a time.

        Raises:
            BadDataset: there is none, or a file is missing, damaged or of other facts than `dataset.json` has.
        """
        for facts in self.select(split, subjects):
            yield self.read(facts)

    def read(self, facts: SequenceFacts) -> PreparedSequence:
        """Read one sequence.

        Raises:
            BadDataset: its file is missing or damaged.
        """
        sequence = read_sequence(sequence_path(self.folder, facts.name))
        if sequence.facts != facts:
            raise BadDataset(
                f"{shown(sequence_path(self.folder, facts.name))} is another sequence than {INDEX_FILE} names. "
                "Prepare the data set again."
            )
        if sequence.keypoints_px.shape[1] != len(self.skeleton):
            raise BadDataset(
                f"{facts.name} has {sequence.keypoints_px.shape[1]} joints, not those of {self.skeleton.name}."
            )
        return sequence

    def to_h36m16(self, joints: np.ndarray) -> np.ndarray:
        """Pick the 16 joints of AdaptPose out of (..., J, C) in this data set's order."""
        return to_h36m16(joints, self.joint_order)


def sequence_path(folder: Path, name: str) -> Path:
    """Where a sequence of a prepared data set lies."""
    return folder / "sequences" / f"{name}.npz"


def write_sequence(folder: Path, sequence: PreparedSequence) -> Path:
    """Write a sequence, whole or not at all. Returns its path.

    Raises:
        BadOutput: the disk is full, or the folder can't be written to.
    """
    path = sequence_path(folder, sequence.facts.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays = {key: getattr(sequence, key) for key in (*REQUIRED, *OPTIONAL)}
    facts: dict[str, Any] = dataclasses.asdict(sequence.facts)
    camera = sequence.camera
    if camera is not None:
        arrays |= {key: getattr(camera, key) for key in _OF_CAMERA}
        facts["image_size"] = [camera.width, camera.height]
    with replacing(path) as part, open(part, "wb") as file:
        np.savez(file, facts=np.array(json.dumps(facts)), **{k: v for k, v in arrays.items() if v is not None})
    return path


def read_sequence(path: Path) -> PreparedSequence:
    """Read a file that `write_sequence` wrote.

    Raises:
        BadDataset: missing, damaged, or not of this layout.
    """
    present = _array_names(path)
    missing = [name for name in ("facts", *REQUIRED) if name not in present]
    if missing:
        raise BadDataset(f"{shown(path)} is no sequence of a prepared data set: it lacks {', '.join(missing)}.")
    known = [name for name in ("facts", *REQUIRED, *OPTIONAL, *_OF_CAMERA) if name in present]
    arrays = read_arrays(path, known, BadDataset)
    try:
        facts = json.loads(str(arrays.pop("facts")))
        size = facts.pop("image_size", None)
        of_camera = {name: arrays.pop(name) for name in _OF_CAMERA if name in arrays}
        camera = SequenceCamera(width=int(size[0]), height=int(size[1]), **of_camera) if of_camera else None
        return PreparedSequence(facts_of(facts), camera=camera, **arrays)
    except BadDataset as error:
        raise BadDataset(f"{shown(path)}: {error}") from error
    except (ValueError, TypeError, LookupError, AttributeError, OverflowError, RecursionError) as error:
        raise BadDataset(f"{shown(path)} is damaged: {type(error).__name__}: {str(error)[:200]}.") from error


def _array_names(path: Path) -> list[str]:
    """Arrays of an .npz file that does not unpack to more than a sequence takes."""
    if not path.is_file():
        raise BadDataset(f"{shown(path)} is missing. Prepare the data set again: what is whole is kept.")
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except Exception as error:  # a damaged directory raises whatever its bytes run into
        raise BadDataset(f"{shown(path)} is no .npz file, or is damaged: {str(error)[:200]}.") from error
    if sum(member.file_size for member in members) > _LARGEST_BYTES:
        raise BadDataset(f"{shown(path)} unpacks to over {_LARGEST_BYTES >> 30} GB; no sequence is as long.")
    return [member.filename.removesuffix(".npy") for member in members]


def write_index(data: PreparedDataset, *, complete: bool) -> None:
    """Write `dataset.json`, whole or not at all.

    Args:
        data: What it tells.
        complete: Whether all sequences are written. Until then `open_prepared` refuses the folder.

    Raises:
        BadOutput: the folder can't be written to.
    """
    data.folder.mkdir(parents=True, exist_ok=True)
    content = {
        "format": FORMAT,
        "version": VERSION,
        "data_set": data.data_set,
        "joint_order": data.joint_order,
        "joint_names": list(data.skeleton.joints),
        "joint_definition": data.joint_definition,
        "units": {"keypoints": "px", "joints": "m", "axes": "camera: x right, y down, z forward"},
        "origin": data.origin,
        "complete": complete,
        "miniature": data.miniature,
        "counts": data.counts,
        "published": {split: dict(counts) for split, counts in data.published.items()},
        "notes": list(data.notes),
        "sequences": [dataclasses.asdict(facts) for facts in data.facts],
    }
    with replacing(data.folder / INDEX_FILE) as part:
        part.write_text(json.dumps(content, indent=1), encoding="utf-8")


def open_prepared(folder: Path, *, incomplete: bool = False) -> PreparedDataset:
    """Open a prepared data set; reads `dataset.json` only.

    Args:
        folder: DATA.
        incomplete: Open one whose preparation was interrupted as well.

    Raises:
        BadDataset: it is none, of another version, damaged, or not finished.
    """
    path = folder / INDEX_FILE
    if not path.is_file():
        raise BadDataset(
            f"{shown(folder)} is no prepared data set: there is no {INDEX_FILE} in it. "
            "Make one with: adaptpose-data prepare h36m|3dhp|3dpw|ski FOLDER --out DATA"
        )
    try:
        content = json.loads(path.read_bytes())
        if content.get("format") != FORMAT:
            raise BadDataset(f"its format is {str(content.get('format'))[:60]!r}, not {FORMAT!r}.")
        if content["version"] != VERSION:
            raise BadDataset(f"it is of version {content['version']}; this program reads {VERSION}. Prepare it again.")
        for key, known in (("data_set", DATA_SETS), ("joint_order", tuple(JOINT_ORDERS))):
            if content[key] not in known:
                raise BadDataset(f"its {key} is {str(content[key])[:60]!r}. Known: {', '.join(known)}.")
        data = PreparedDataset(
            folder,
            content["data_set"],
            content["joint_order"],
            str(content["joint_definition"]),
            str(content["origin"]),
            bool(content["miniature"]),
            tuple(facts_of(entry) for entry in content["sequences"]),
            {str(s): {str(k): int(n) for k, n in counts.items()} for s, counts in content["published"].items()},
            tuple(map(str, content["notes"])),
        )
        if len({facts.name for facts in data.facts}) != len(data.facts):
            raise BadDataset("two of its sequences have one name.")
        complete = bool(content["complete"])
    except BadDataset as error:
        raise BadDataset(f"{shown(path)}: {error}") from error
    except (ValueError, TypeError, LookupError, AttributeError, OverflowError, OSError, RecursionError) as error:
        raise BadDataset(f"{shown(path)} is damaged: {type(error).__name__}: {str(error)[:200]}.") from error
    if not complete and not incomplete:
        raise BadDataset(f"{shown(folder)} is not finished. Give the same adaptpose-data prepare again: it goes on.")
    return data
