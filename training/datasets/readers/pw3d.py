"""3DPW's official files: sequenceFiles/{train, validation, test}/*.pkl."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from sdk.errors import BadDataset
from sdk.files.input_files import shown
from training.datasets.camera import SequenceCamera
from training.datasets.readers.files import files_in, read_objects
from training.datasets.readers.layout import Layout, Unit, make_sequence, new_facts
from training.datasets.sequence import SPLITS, PreparedSequence

DEFINITION = "SMPL's 24 joints, from the files' jointPositions; other than those regressed from the mesh"
_RATE_HZ = 30.0
_MOST_PEOPLE = 10


def find_pickles(folder: Path) -> Layout | None:
    """The layout of the folder, or None if there are no pickles in folders train, validation and test."""
    files = [path for path in files_in(folder, "*.pkl") if path.parent.name in SPLITS]
    if not files:
        return None
    units = tuple(
        Unit(f"{path.parent.name} {path.stem}", (path,), partial(_read_sequence, path, path.parent.name))
        for path in files
    )
    missing = [
        f"sequenceFiles/{split}/*.pkl" for split in SPLITS if not any(path.parent.name == split for path in files)
    ]
    return Layout("3dpw", "official sequenceFiles", "smpl24", DEFINITION, units, tuple(missing))


def _read_sequence(path: Path, split: str, done: Collection[str]) -> Iterator[PreparedSequence]:
    content = read_objects(path)
    if not isinstance(content, dict) or "jointPositions" not in content or "cam_poses" not in content:
        keys = ", ".join(map(str, list(content)[:12]))[:200] if isinstance(content, dict) else type(content).__name__
        raise BadDataset(f"{shown(path)} is no sequence of 3DPW: it holds {keys}, not jointPositions and cam_poses.")
    people = content["jointPositions"]
    if not isinstance(people, list) or not 0 < len(people) <= _MOST_PEOPLE:
        raise BadDataset(f"{shown(path)}: jointPositions is no list of people.")
    poses = _array(path, content, "cam_poses", (-1, 4, 4))
    inside = _array(path, content, "cam_intrinsics", (3, 3))
    images = len(poses)
    width, height = (round(2 * float(side)) for side in np.clip(inside[:2, 2], -1e6, 1e6))
    lens = np.array([[inside[0, 0], inside[1, 1], inside[0, 2], inside[1, 2]]])
    usable = np.isfinite(poses).all((1, 2))
    rotation = np.where(usable[:, None, None], poses[:, :3, :3], np.eye(3))
    translation = np.where(usable[:, None], poses[:, :3, 3], 0)
    try:
        camera = SequenceCamera(lens, width, height, np.zeros(5), rotation, translation)
    except BadDataset as error:
        raise BadDataset(f"{shown(path)}: {error}") from error
    valid = content.get("campose_valid")
    if not isinstance(valid, list) or len(valid) != len(people):
        raise BadDataset(f"{shown(path)}: campose_valid is not one array a person.")
    frames = _frame_numbers(path, content, images)
    for person, positions in enumerate(people):
        facts = new_facts(
            f"{split}_{path.stem}_{person}", path.stem, "", split, person=person, frame_rate_hz=_RATE_HZ,
            notes=("2D is projected; the image's size is twice the principal point",),
        )  # fmt: skip
        if facts.name in done:
            continue
        world = _array(path, {"jointPositions": positions}, "jointPositions", (images, 72)).reshape(images, 24, 3)
        with np.errstate(all="ignore"):
            joints = np.einsum("tij,tkj->tki", rotation, world) + translation[:, None]
            keypoints = camera.project(joints)
        yield make_sequence(
            facts,
            "smpl24",
            keypoints,
            joints,
            valid=usable & (_array(path, {"campose_valid": valid[person]}, "campose_valid", (images,)) != 0),
            frames=frames,
            camera=camera,
        )


def _frame_numbers(path: Path, content: dict[str, Any], images: int) -> np.ndarray:
    """Image numbers from 0; where images are missing (`img_frame_ids`, counted at 60 Hz), numbers jump as well."""
    if "img_frame_ids" not in content:
        return np.arange(images)
    ids = _array(path, content, "img_frame_ids", (images,))
    steps = np.diff(ids)
    if images < 2 or not (np.isfinite(ids).all() and (steps > 0).all() and steps.max() < 1e6):
        return np.arange(images)
    usual = float(np.median(steps))
    # At least 1 further each time, and exactly 1 where nothing is missing (60 Hz ids step by 2, sometimes by 1 or 3).
    return np.concatenate([[0], np.cumsum(np.maximum(1, np.floor(steps / usual).astype(np.int64)))])


def _array(path: Path, content: dict[str, Any], key: str, shape: tuple[int, ...]) -> np.ndarray:
    """Numbers of that shape (-1 for any) as float64."""
    value = content.get(key)
    if not isinstance(value, np.ndarray):
        raise BadDataset(f"{shown(path)}: {key} is {type(value).__name__}, not an array {shape}.")
    if value.ndim != len(shape) or any(have != want != -1 for have, want in zip(value.shape, shape, strict=True)):
        raise BadDataset(f"{shown(path)}: {key} has shape {value.shape}, not {shape}.")
    if value.dtype.kind not in "fiub" or not value.size:
        raise BadDataset(f"{shown(path)}: {key} holds {value.dtype}, not numbers.")
    return value.astype(np.float64)
