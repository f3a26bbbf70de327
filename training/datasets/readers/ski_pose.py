"""Ski-Pose PTZ-Camera's official files: {train, test}/labels.h5 and ski_centers.csv."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from sdk.errors import BadDataset
from sdk.files.input_files import shown
from training.datasets.camera import SequenceCamera
from training.datasets.readers.files import files_in, read_hdf5
from training.datasets.readers.layout import Layout, Unit, make_sequence, new_facts
from training.datasets.sequence import PreparedSequence, SequenceFacts

DEFINITION = "Ski-Pose's own 17 in Human3.6M's order"
CROP_PX = 256
_NAMES = ("seq", "cam", "frame", "subj", "3D", "2D", "cam_intrinsic", "cam_position", "R_cam_2_world")


def find_labels(folder: Path) -> Layout | None:
    """The layout of the folder, or None if there is no labels.h5 in a folder train or test."""
    files = {path.parent.name: path for path in files_in(folder, "labels.h5") if path.parent.name in ("train", "test")}
    if not files:
        return None
    centers = next(iter(files_in(folder, "ski_centers.csv")), None)
    missing = [f"{split}/labels.h5" for split in ("train", "test") if split not in files]
    if centers is None:
        missing.append("ski_centers.csv: without it the place in the camera is unknown, joints are relative to the hip")
    units = tuple(
        Unit(split, (path, *([centers] if centers else [])), partial(_read_labels, path, centers, split))
        for split, path in sorted(files.items())
    )
    return Layout("ski", "official labels.h5", "h36m17", DEFINITION, units, tuple(missing))


def _read_labels(path: Path, centers: Path | None, split: str, done: Collection[str]) -> Iterator[PreparedSequence]:
    content = read_hdf5(path, _NAMES)
    count = len(content["3D"]) if content["3D"].ndim else 0
    sizes = {"3D": 51, "2D": 34, "cam_intrinsic": 9, "cam_position": 3, "R_cam_2_world": 9}
    for name in _NAMES:
        values = content[name]
        if not count or values.size != count * sizes.get(name, 1) or len(values) != count:
            raise BadDataset(
                f"{shown(path)}: {name} has shape {values.shape}, not {sizes.get(name, 1)} numbers a sample."
            )
        content[name] = values.reshape(count, -1).astype(np.float64)
    keys = np.concatenate([content[name] for name in ("seq", "cam", "frame", "subj")], 1)
    if not (np.isfinite(keys).all() and (keys == np.round(keys)).all() and (np.abs(keys) < 1e6).all()):
        raise BadDataset(f"{shown(path)}: seq, cam, frame and subj are not whole numbers.")
    keys = keys.astype(np.int64)
    places = read_centers(centers) if centers else None
    order = np.lexsort((keys[:, 2], keys[:, 1], keys[:, 0]))
    edges = np.flatnonzero((np.diff(keys[order][:, :2], axis=0) != 0).any(1)) + 1
    for rows in np.split(order, edges):
        sequence, camera, _, subject = keys[rows[0]].tolist()
        facts = new_facts(
            f"{split}_seq_{sequence:03d}_cam_{camera:02d}", f"subject_{subject}", f"seq_{sequence:03d}", split,
            f"{camera:02d}", notes=("pixels are of the crop of 256", "the frame rate is not told"),
            root_known=places is not None,
        )  # fmt: skip
        if facts.name in done:
            continue
        if places is not None:
            known = np.array([(sequence, frame) in places for frame in keys[rows, 2].tolist()])
            if not known.any():
                raise BadDataset(
                    f"{shown(path)}: ski_centers.csv has no line for sequence {sequence}. It is another's file."
                )
            if not known.all():
                note = f"{(~known).sum()} samples are left out: ski_centers.csv has no line for them"
                facts = replace(facts, notes=(*facts.notes, note))
                rows = rows[known]
        yield _sequence(facts, {name: content[name][rows] for name in _NAMES}, keys[rows, 2], places, sequence)


def _sequence(
    facts: SequenceFacts,
    content: dict[str, np.ndarray],
    frames: np.ndarray,
    places: dict[tuple[int, int], np.ndarray] | None,
    sequence: int,
) -> PreparedSequence:
    """What one camera sees of one sequence; in labels.h5 joints are relative to the hip."""
    joints = content["3D"].reshape(-1, 17, 3)
    keypoints = content["2D"].reshape(-1, 17, 2) * CROP_PX
    inside = content["cam_intrinsic"].reshape(-1, 3, 3) * CROP_PX
    lens = np.stack([inside[:, 0, 0], inside[:, 1, 1], inside[:, 0, 2], inside[:, 1, 2]], 1)
    if places is None:
        return make_sequence(facts, "h36m17", keypoints, joints, frames=frames)
    rotation = content["R_cam_2_world"].reshape(-1, 3, 3).transpose(0, 2, 1)
    center = np.array([places[sequence, frame] for frame in frames.tolist()])
    root = np.einsum("tij,tj->ti", rotation, center - content["cam_position"])
    translation = -np.einsum("tij,tj->ti", rotation, content["cam_position"])
    camera = SequenceCamera(lens, CROP_PX, CROP_PX, np.zeros(5), rotation, translation)
    return make_sequence(facts, "h36m17", keypoints, joints + root[:, None], frames=frames, camera=camera)


def read_centers(path: Path) -> dict[tuple[int, int], np.ndarray]:
    """Place of the hip in the world, (3,) metres, by sequence and frame.

    Raises:
        BadDataset: a line does not have five numbers.
    """
    if path.stat().st_size > 64 << 20:
        raise BadDataset(f"{shown(path)} is too large for a ski_centers.csv.")
    centers = {}
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        if not line.strip():
            continue
        try:
            values = np.array([float(word) for word in line.replace(",", " ").split()])
            if len(values) != 5 or not (np.abs(values) < 1e6).all():
                raise ValueError("not five numbers: seq, frame, x, y, z")
            centers[int(values[0]), int(values[1])] = values[2:]
        except ValueError as error:
            raise BadDataset(f"{shown(path)}, line {number}: {str(error)[:120]}.") from error
    return centers
