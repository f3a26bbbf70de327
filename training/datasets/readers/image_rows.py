"""Files with a row an image, grouped by the images' names: mmpose's of Human3.6M and 3DHP, SPIN's of 3DHP."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from sdk.errors import BadDataset
from sdk.files.input_files import shown
from training.datasets.about import FAST_3DHP, image_size_3dhp
from training.datasets.camera import SequenceCamera
from training.datasets.camera_fitting import fit_lens, fit_pinhole
from training.datasets.joints import MPI17_TO_H36M17
from training.datasets.readers import human36m
from training.datasets.readers.archives import archives_with, shape_in
from training.datasets.readers.files import files_in, numbered, read_objects
from training.datasets.readers.human36m_metadata import SIZES
from training.datasets.readers.layout import Layout, Unit, make_sequence, new_facts
from training.datasets.readers.mpi_inf_3dhp import DEFINITION
from training.datasets.sequence import PreparedSequence
from training.files.array_file import read_arrays

_SPIN_TO_H36M16 = (14, 2, 1, 0, 3, 4, 5, 16, 12, 18, 9, 10, 11, 8, 7, 6)
"""SPIN's 24 joints as PoseAug picks them."""
_H36M_NAME = re.compile(r"(?:.*/)?(S\d+)_(.+?)\.(\d{8})_(\d{6})\.\w+")
_TRAIN_NAME = re.compile(r"(?:.*/)?(S[1-8])[_/](Seq[12])[_/](?:Cam|.*video_)(\d+)[_/](?:frame_)?(\d{6})\.\w+")
_TEST_NAME = re.compile(r"(?:.*/)?(TS[1-6])(?:/.*/img)?()()_(\d{6})\.\w+")


_LONGEST_NAME = 300


@dataclass(frozen=True)
class _Row:
    """What an image's name tells."""

    subject: str
    action: str
    camera: str
    frame: int


def find_mmpose_h36m(folder: Path) -> Layout | None:
    """mmpose's h36m_{train,test}.npz, with cameras.pkl if there."""
    return _find(folder, "h36m", "mmpose's h36m npz", 17, [_H36M_NAME], human36m.DEFINITION, "h36m17", _mmpose_h36m)


def find_mmpose_3dhp(folder: Path) -> Layout | None:
    """mmpose's mpi_inf_3dhp_{train,test_valid}.npz, with its cameras."""
    return _find(folder, "3dhp", "mmpose's 3DHP npz", 17, [_TRAIN_NAME, _TEST_NAME], DEFINITION, "h36m17", _mmpose_3dhp)


def find_spin(folder: Path) -> Layout | None:
    """SPIN's mpi_inf_3dhp_{train,valid,test}.npz: 3D relative to the root, of the test set at the universal height."""
    return _find(folder, "3dhp", "SPIN's npz", 24, [_TRAIN_NAME, _TEST_NAME], DEFINITION, "h36m16", _spin)


Maker = Callable[[_Row, np.ndarray, np.ndarray, np.ndarray, dict[Any, Any]], PreparedSequence]


def _find(
    folder: Path,
    data_set: str,
    name: str,
    joints: int,
    patterns: list[re.Pattern[str]],
    definition: str,
    order: str,
    make: Maker,
) -> Layout | None:
    units = []
    cameras: dict[Any, Any] = {}
    for path in archives_with(folder, ("imgname", "part", "S")):
        shape = shape_in(path, "part")
        if len(shape) != 3 or shape[1] != joints:
            continue
        names = read_arrays(path, ("imgname",), BadDataset)["imgname"]
        if names.ndim != 1 or names.dtype.kind != "U" or not len(names) or names.dtype.itemsize > 4 * _LONGEST_NAME:
            continue
        if not any(pattern.fullmatch(str(names[0])) for pattern in patterns):
            continue
        units.append(Unit(path.stem, (path,), partial(_read, path, patterns, order, make, cameras)))
    if not units:
        return None
    for path in files_in(folder, "cameras*.pkl"):
        content = read_objects(path)
        if not isinstance(content, dict):
            raise BadDataset(f"{shown(path)} is no table of cameras.")
        cameras.update(content)
    return Layout(data_set, name, order, definition, tuple(units))


def _read(
    path: Path,
    patterns: list[re.Pattern[str]],
    order: str,
    make: Maker,
    cameras: dict[Any, Any],
    done: Collection[str],
) -> Iterator[PreparedSequence]:
    arrays = {}
    for name in ("imgname", "part", "S"):  # one at a time: together they take gigabytes
        array = read_arrays(path, (name,), BadDataset)[name]
        arrays[name] = array.astype(np.float32) if array.dtype.kind == "f" else array
    names, part, joints = arrays["imgname"], arrays["part"], arrays["S"]
    fit = names.ndim == 1 and part.ndim == joints.ndim == 3 and part.shape[:2] == joints.shape[:2]
    if not fit or len(part) != len(names):
        raise BadDataset(f"{shown(path)}: imgname, part and S have shapes {names.shape}, {part.shape}, {joints.shape}.")
    if part.shape[2] != 3 or joints.shape[2] != 4 or part.dtype.kind != "f" or joints.dtype.kind != "f":
        raise BadDataset(
            f"{shown(path)}: part and S are not numbers with a visibility beside: {part.shape}, {joints.shape}."
        )
    rows = [_row(path, str(name), patterns) for name in names]
    takes = ["\0".join((row.subject, row.action, row.camera)) for row in rows]
    for _, places in numbered(takes):
        frames = np.array([rows[place].frame for place in places])
        places = places[np.argsort(frames, kind="stable")]
        first = rows[places[0]]
        sequence_name = "_".join(filter(None, (first.subject, first.action, first.camera))).replace(" ", "-")
        if sequence_name not in done:
            yield make(first, np.sort(frames), part[places, :, :2], joints[places, :, :3], cameras)


def _row(path: Path, name: str, patterns: list[re.Pattern[str]]) -> _Row:
    for pattern in patterns:
        if found := pattern.fullmatch(name):
            subject, action, camera, frame = found.groups()
            return _Row(subject, action.replace("_", " "), camera, int(frame))
    raise BadDataset(f"{shown(path)}: the image name {name[:100]!r} is not of the form that such files have.")


def _step(frames: np.ndarray) -> int:
    """The usual difference of frame numbers: 5 in files of every fifth frame."""
    return max(1, int(np.median(np.diff(frames)))) if len(frames) > 1 else 1


def _mmpose_h36m(
    row: _Row, frames: np.ndarray, keypoints: np.ndarray, joints: np.ndarray, cameras: dict[Any, Any]
) -> PreparedSequence:
    if row.subject not in human36m.SPLIT_OF or row.camera not in SIZES:
        raise BadDataset(f"{row.subject} {row.camera} is no subject or camera of Human3.6M.")
    step, notes = _step(frames), []
    camera = _lens(cameras.get((row.subject, row.camera)), SIZES[row.camera])
    if camera is None:
        camera = fit_lens(joints, keypoints, SIZES[row.camera])
        notes.append("intrinsics are fitted: there is no cameras.pkl")
    facts = new_facts(
        f"{row.subject}_{row.action}_{row.camera}", row.subject, row.action, human36m.SPLIT_OF[row.subject], row.camera,
        frame_rate_hz=human36m.RATE_HZ / step, frame_step=step, notes=tuple(notes),
    )  # fmt: skip
    return make_sequence(facts, "h36m17", keypoints, joints, frames=frames, camera=camera)


def _facts_3dhp(row: _Row, step: int, notes: list[str], **changes: object) -> Any:
    training = row.subject.startswith("S")
    rate = None
    if training:
        rate = (50.0 if (int(row.subject[1:]), int(row.action[3:])) in FAST_3DHP else 25.0) / step
    name = "_".join(filter(None, (row.subject, row.action, row.camera)))
    split = "train" if training else "test"
    return new_facts(
        name,
        row.subject,
        row.action,
        split,
        row.camera,
        frame_rate_hz=rate,
        frame_step=step,
        notes=tuple(notes),
        **changes,
    )


def _mmpose_3dhp(
    row: _Row, frames: np.ndarray, keypoints: np.ndarray, joints: np.ndarray, cameras: dict[Any, Any]
) -> PreparedSequence:
    order, notes = list(MPI17_TO_H36M17), []
    keypoints, joints = keypoints[:, order], joints[:, order]
    # The sizes in these cameras are wrong where the calibration's columns are (204 for 2048): ours are known.
    size = image_size_3dhp(row.subject)
    key = f"{row.subject}_{row.action}_Cam{row.camera}" if row.action else row.subject
    camera = _lens(cameras.get(key), size)
    if camera is None:
        camera = fit_pinhole(joints, keypoints, size)
        notes.append("intrinsics are fitted: there is no camera file")
    step = _step(frames) if row.action else 1  # of the test set, frames are left out here and there
    facts = _facts_3dhp(row, step, notes)
    return make_sequence(facts, "h36m17", keypoints, joints, frames=frames, camera=camera)


def _spin(
    row: _Row, frames: np.ndarray, keypoints: np.ndarray, joints: np.ndarray, cameras: dict[Any, Any]
) -> PreparedSequence:
    keypoints, joints = keypoints[:, list(_SPIN_TO_H36M16)], joints[:, list(_SPIN_TO_H36M16)]
    joints = joints - joints[:, :1]
    training = bool(row.action)
    step = _step(frames) if training else 1
    facts = _facts_3dhp(row, step, ["3D is relative to the root"], root_known=False)
    return make_sequence(
        facts,
        "h36m16",
        keypoints,
        joints if training else None,
        universal_m=None if training else joints,
        frames=frames,
    )


def _lens(content: Any, size: tuple[int, int]) -> SequenceCamera | None:
    """Intrinsics and distortion of one of mmpose's cameras."""
    if content is None:
        return None
    try:
        focal, center = (np.asarray(content[key], float).reshape(2) for key in ("f", "c"))
        bent = [
            *np.asarray(content.get("k", np.zeros(3)), float).reshape(3),
            *np.asarray(content.get("p", np.zeros(2)), float).reshape(2),
        ]
        return SequenceCamera(np.concatenate([focal, center])[None], *size, np.array(bent))
    except (KeyError, ValueError, TypeError, AttributeError) as error:  # BadDataset is a ValueError
        raise BadDataset(f"a camera in cameras.pkl is damaged: {str(error)[:200]}.") from error
