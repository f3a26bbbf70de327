"""MPI-INF-3DHP's official files: S*/Seq*/annot.mat with camera.calibration, TS*/annot_data.mat."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from sdk.errors import BadDataset
from sdk.files.input_files import shown
from training.datasets.about import FAST_3DHP, TEST_FRAMES_3DHP, TRAINING_FRAMES_3DHP, image_size_3dhp
from training.datasets.camera import SequenceCamera
from training.datasets.camera_fitting import fit_pinhole
from training.datasets.joints import MPI17_TO_H36M17, MPI28_TO_H36M17
from training.datasets.readers.files import files_in, read_hdf5, read_mat
from training.datasets.readers.layout import Layout, Unit, make_sequence, new_facts
from training.datasets.sequence import PreparedSequence

DEFINITION = "3DHP's own: head is the top of the head, nose its head, thorax its neck"
_CAMERAS = 14


def find_official(folder: Path) -> Layout | None:
    """The layout of the folder, or None if there are no files of such names in such folders."""
    training = {
        (int(path.parts[-3][1:]), int(path.parts[-2][3:])): path
        for path in files_in(folder, "annot.mat")
        if path.parts[-2] in ("Seq1", "Seq2") and path.parts[-3] in [f"S{number}" for number in range(1, 9)]
    }
    tests = {path.parts[-2]: path for path in files_in(folder, "annot_data.mat") if path.parts[-2] in TEST_FRAMES_3DHP}
    if not training and not tests:
        return None
    units, missing = [], []
    for (subject, sequence), count in TRAINING_FRAMES_3DHP.items():
        path = training.get((subject, sequence))
        if path is None:
            missing.append(f"S{subject}/Seq{sequence}/annot.mat")
            continue
        calibration = path.with_name("camera.calibration")
        if not calibration.is_file():
            missing.append(f"{shown(calibration)}: intrinsics are fitted, places of cameras are unknown")
        inputs = (path, *([calibration] if calibration.is_file() else []))
        units.append(
            Unit(
                f"S{subject} Seq{sequence}",
                inputs,
                partial(_read_training, path, calibration, subject, sequence, count),
            )
        )
    for name, count in TEST_FRAMES_3DHP.items():
        if name in tests:
            units.append(Unit(name, (tests[name],), partial(_read_test, tests[name], name, count)))
        else:
            missing.append(f"{name}/annot_data.mat")
    return Layout("3dhp", "official annot.mat and annot_data.mat", "h36m17", DEFINITION, tuple(units), tuple(missing))


def _read_training(
    path: Path, calibration: Path, subject: int, sequence: int, count: int, done: Collection[str]
) -> Iterator[PreparedSequence]:
    names = [f"S{subject}_Seq{sequence}_{camera}" for camera in range(_CAMERAS)]
    if set(names) <= set(done):
        return
    cameras = read_calibration(calibration) if calibration.is_file() else {}
    content = read_mat(path, ("annot2", "annot3", "univ_annot3"), ("frames",))
    for key in ("annot2", "annot3", "univ_annot3"):
        if content[key].dtype != object or content[key].size != _CAMERAS:
            raise BadDataset(
                f"{shown(path)}: {key} is {content[key].dtype} {content[key].shape}, not {_CAMERAS} cells."
            )
    numbers = content.get("frames", np.zeros(0)).reshape(-1)
    for camera, name in enumerate(names):
        if name in done:
            continue
        cells = [
            _cell(path, content, key, camera, size) for key, size in (("annot2", 2), ("annot3", 3), ("univ_annot3", 3))
        ]
        length = len(cells[0])
        if any(len(cell) != length for cell in cells):
            raise BadDataset(
                f"{shown(path)}: camera {camera} has {[len(cell) for cell in cells]} frames in its three cells."
            )
        keypoints, joints, universal = (cell[:count] for cell in cells)
        counted = len(numbers) == length and numbers.dtype.kind in "fiu" and (np.diff(numbers.astype(float)) > 0).all()
        view, notes = cameras.get(camera), []
        if view is None:
            view = fit_pinhole(joints / 1000, keypoints, image_size_3dhp("S1"))
            notes.append("intrinsics are fitted: camera.calibration does not have this camera")
        facts = new_facts(
            name, f"S{subject}", f"Seq{sequence}", "train", str(camera),
            frame_rate_hz=50.0 if (subject, sequence) in FAST_3DHP else 25.0, notes=tuple(notes),
        )  # fmt: skip
        yield make_sequence(
            facts,
            "h36m17",
            keypoints,
            joints / 1000,
            universal_m=universal / 1000,
            frames=numbers[:count] if counted else None,
            camera=view,
        )


def _cell(path: Path, content: dict[str, np.ndarray], key: str, camera: int, coordinates: int) -> np.ndarray:
    """(T, 17, C) of one camera."""
    cell = np.asarray(content[key].reshape(-1)[camera])
    if cell.ndim != 2 or cell.shape[1] != 28 * coordinates or cell.dtype.kind not in "fiu":
        raise BadDataset(
            f"{shown(path)}: {key} of camera {camera} is {cell.dtype} {cell.shape}, not (T, {28 * coordinates})."
        )
    return cell.reshape(len(cell), 28, coordinates)[:, list(MPI28_TO_H36M17)].astype(np.float64)


def read_calibration(path: Path) -> dict[int, SequenceCamera]:
    """The cameras of a camera.calibration file, by number.

    Raises:
        BadDataset: it is none, or is cut off.
    """
    if path.stat().st_size > 1 << 20:
        raise BadDataset(f"{shown(path)} is too large for a camera.calibration.")
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    if not lines or "Skeletool Camera Calibration" not in lines[0]:
        raise BadDataset(
            f"{shown(path)} is no camera.calibration: it does not begin with 'Skeletool Camera Calibration'."
        )
    entries: list[dict[str, Sequence[str]]] = []
    for line in lines[1:]:
        word, *values = line.split() or [""]
        if word == "name":
            entries.append({})
        if word and entries:
            entries[-1][word] = values
    cameras = {}
    for entry in entries:
        try:
            size = [int(float(value)) for value in entry["size"]]
            inside, outside = (np.array(entry[key], float).reshape(4, 4) for key in ("intrinsic", "extrinsic"))
            lens = np.array([[inside[0, 0], inside[1, 1], inside[0, 2], inside[1, 2]]])
            rotation, translation = outside[None, :3, :3], outside[None, :3, 3] / 1000
            cameras[int(entry["name"][0])] = SequenceCamera(lens, size[0], size[1], np.zeros(5), rotation, translation)
        except (KeyError, ValueError, IndexError, OverflowError) as error:  # BadDataset is a ValueError
            name = " ".join(entry.get("name", ["?"]))[:40]
            raise BadDataset(f"{shown(path)}: camera {name} is cut off or damaged: {str(error)[:200]}.") from error
    return cameras


def _read_test(path: Path, name: str, count: int, done: Collection[str]) -> Iterator[PreparedSequence]:
    if name in done:
        return
    content = read_hdf5(path, ("annot2", "annot3", "univ_annot3", "valid_frame"), ("activity_annotation",))
    arrays = {
        key: _frames(path, key, content[key], size) for key, size in (("annot2", 2), ("annot3", 3), ("univ_annot3", 3))
    }
    length = len(arrays["annot2"])
    if any(len(array) != length for array in arrays.values()):
        raise BadDataset(f"{shown(path)}: its arrays have {[len(array) for array in arrays.values()]} frames.")
    keypoints, joints, universal = (array[:count] for array in arrays.values())
    activity = content.get("activity_annotation")
    facts = replace(
        new_facts(name, name, "", "test"),
        notes=("intrinsics are fitted: the test set has no camera file", "frame rate not told by the files"),
    )
    yield make_sequence(
        facts,
        "h36m17",
        keypoints,
        joints / 1000,
        valid=_per_frame(path, "valid_frame", content["valid_frame"], length)[:count] != 0,
        frames=np.arange(1, len(keypoints) + 1),
        universal_m=universal / 1000,
        activity=None if activity is None else _per_frame(path, "activity_annotation", activity, length)[:count],
        camera=fit_pinhole(joints / 1000, keypoints, image_size_3dhp(name)),
    )


def _frames(path: Path, key: str, array: np.ndarray, coordinates: int) -> np.ndarray:
    """(n, 1, 17, C) to (n, 17, C) in the order h36m17."""
    if array.size == 0 or array.shape[-2:] != (17, coordinates) or array.size != len(array) * 17 * coordinates:
        raise BadDataset(f"{shown(path)}: {key} has shape {array.shape}, not (frames, 1, 17, {coordinates}).")
    return array.reshape(len(array), 17, coordinates)[:, list(MPI17_TO_H36M17)].astype(np.float64)


def _per_frame(path: Path, key: str, array: np.ndarray, length: int) -> np.ndarray:
    if array.size != length:
        raise BadDataset(f"{shown(path)}: {key} has {array.size} values for {length} frames.")
    return array.reshape(-1)
