"""The files of AdaptPose's authors (3DHP, 3DPW, Ski-Pose), and PoseAug's test_3dhp.npz."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from sdk.errors import BadDataset
from sdk.files.input_files import shown
from training.datasets.about import (
    FAST_3DHP,
    TEST_FRAMES_3DHP,
    TRAINING_FRAMES_3DHP,
    VALID_FRAMES_3DHP,
    image_size_3dhp,
)
from training.datasets.camera import SequenceCamera
from training.datasets.camera_fitting import fit_pinhole
from training.datasets.readers import mpi_inf_3dhp, pw3d, ski_pose
from training.datasets.readers.archives import (
    archives_with,
    in_metres,
    nested,
    object_in,
    poses,
    screen_to_px,
    split_by_name,
    table,
)
from training.datasets.readers.layout import OFF_PX, Layout, Unit, make_sequence, new_facts, reprojection_px
from training.datasets.sequence import PreparedSequence, SequenceFacts

_TRAINING_ORDER = (0, 4, 5, 6, 1, 2, 3, 7, 8, 9, 13, 14, 15, 10, 11, 12)
"""Brings the 2D of data_3dhp_gt_train.npz to h36m16: its left and right are exchanged."""
_TEST_LEGS = (0, 4, 5, 6, 1, 2, 3, 7, 8, 9, 10, 11, 12, 13, 14, 15)
"""Exchanges the legs, as AdaptPose does with data_3dpw_gt_test.npz."""
_NOMINAL_PX = 1920
_RELATIVE = "3D is relative to the root"


def find_adaptpose_3dhp(folder: Path) -> Layout | None:
    """data_3dhp_*_test.npz, and data_3dhp_gt_train.npz with data_3dhp_gt_train_3d.npz beside it or without."""
    units: list[Unit] = []
    for path in archives_with(folder, ("positions_2d", "positions_3d")):
        content = object_in(path, "positions_2d")
        if isinstance(content, dict) and content and set(content) <= set(TEST_FRAMES_3DHP):
            three = table(path, "positions_3d", object_in(path, "positions_3d"))
            units.append(Unit(path.stem, (path,), partial(_read_tests, path, content, three)))
    solid: dict[Path, dict[tuple[str, str], Any]] = {}
    for path in archives_with(folder, ("positions_3d",), ("positions_2d",)):
        if takes := _of_3dhp(path, "positions_3d"):
            solid[path] = takes
    for path in archives_with(folder, ("positions_2d",), ("positions_3d",)):
        if takes := _of_3dhp(path, "positions_2d"):
            beside = list(solid)[:1]
            given = solid[beside[0]] if beside else {}
            units.append(Unit(path.stem, (path, *beside), partial(_read_training, path, takes, given)))
    if not units:
        return None
    definition = mpi_inf_3dhp.DEFINITION
    return Layout("3dhp", "AdaptPose's 3DHP npz", "h36m16", definition, tuple(units))


def _of_3dhp(path: Path, name: str) -> dict[tuple[str, str], Any]:
    """Values by subject and sequence, or nothing if it is another data set's file."""
    content = object_in(path, name)
    if not isinstance(content, dict) or not all(isinstance(value, dict) for value in content.values()):
        return {}
    takes = {
        (str(subject), str(action)): value for subject, action, value in nested(table(path, name, content), path, name)
    }
    known = {(f"S{subject}", f"Seq{sequence}") for subject, sequence in TRAINING_FRAMES_3DHP}
    return takes if takes and set(takes) <= known else {}


def _read_tests(
    path: Path, content: dict[str, Any], three: dict[str, Any], done: Collection[str]
) -> Iterator[PreparedSequence]:
    for name, value in content.items():
        if name in done:
            continue
        keypoints = poses(path, name, value, (16,), 2)
        joints = poses(path, name, three.get(name), (16,), 3) / 1000
        facts = new_facts(name, name, "", "test", notes=("valid frames are not told: all are taken",))
        yield _where_it_projects(facts, keypoints, joints, image_size_3dhp(name))


def _where_it_projects(
    facts: SequenceFacts, keypoints: np.ndarray, joints_m: np.ndarray, size: tuple[int, int]
) -> PreparedSequence:
    """3D that projects onto the 2D is in the camera; what does not is taken as of the universal height."""
    camera: SequenceCamera | None
    try:
        camera = fit_pinhole(joints_m, keypoints, size)
        off = reprojection_px(camera, joints_m, keypoints, np.ones(len(keypoints), bool))
    except BadDataset:
        off = float("inf")
    if off <= OFF_PX:
        facts = replace(facts, notes=(*facts.notes, "intrinsics are fitted: the file has no camera"))
        return make_sequence(facts, "h36m16", keypoints, joints_m, camera=camera)
    note = "its 3D does not project onto its 2D: taken as of the universal height, relative to the root"
    facts = replace(facts, root_known=False, notes=(*facts.notes, note))
    return make_sequence(facts, "h36m16", keypoints, None, universal_m=joints_m - joints_m[:, :1])


def _read_training(
    path: Path,
    views: dict[tuple[str, str], Any],
    three: dict[tuple[str, str], Any],
    done: Collection[str],
) -> Iterator[PreparedSequence]:
    for take, cameras in views.items():
        subject, action = take
        if not isinstance(cameras, dict) or not cameras:
            raise BadDataset(f"{shown(path)}: {subject} {action} is no table of cameras.")
        solid = three.get(take)
        rate = 50.0 if (int(subject[1:]), int(action[3:])) in FAST_3DHP else 25.0
        for at, (camera, value) in enumerate(cameras.items()):
            facts = new_facts(f"{subject}_{action}_{camera}", subject, action, "train", str(camera), frame_rate_hz=rate)
            if facts.name in done:
                continue
            raw = poses(path, facts.name, value, (16,), 2)
            keypoints = raw[:, list(_TRAINING_ORDER)]
            entries = list(solid.values()) if isinstance(solid, dict) else solid
            if not isinstance(entries, list) or at >= len(entries):
                facts = replace(facts, root_known=False, notes=("there is no 3D to it",))
                yield make_sequence(facts, "h36m16", keypoints, None)
                continue
            joints = poses(path, f"3D of {facts.name}", entries[at], (16,), 3)[: len(raw)] / 1000
            yield _in_either_order(facts, keypoints[: len(joints)], joints)


def _in_either_order(facts: SequenceFacts, keypoints: np.ndarray, joints_m: np.ndarray) -> PreparedSequence:
    """The file does not tell the order of its 3D: the one that projects onto the 2D is taken."""
    size = image_size_3dhp(facts.subject)
    for order in (_TRAINING_ORDER, tuple(range(16))):
        made = _where_it_projects(facts, keypoints, joints_m[:, list(order)], size)
        if made.facts.root_known:
            return made
    facts = replace(facts, root_known=False, notes=("its 3D does not project onto its 2D in any order: left out",))
    return make_sequence(facts, "h36m16", keypoints, None)


def find_poseaug(folder: Path) -> Layout | None:
    """PoseAug's test_3dhp.npz: the 2,929 valid frames, 2D divided by the width, 3D at the universal height."""
    units = tuple(
        Unit(path.stem, (path,), partial(_read_poseaug, path)) for path in archives_with(folder, ("pose3d", "pose2d"))
    )
    if not units:
        return None
    return Layout("3dhp", "PoseAug's test_3dhp.npz", "h36m16", mpi_inf_3dhp.DEFINITION, units)


def _read_poseaug(path: Path, done: Collection[str]) -> Iterator[PreparedSequence]:
    joints = poses(path, "pose3d", object_in(path, "pose3d"), (16,), 3)
    keypoints = poses(path, "pose2d", object_in(path, "pose2d"), (16,), 2)
    counted = sum(VALID_FRAMES_3DHP.values())
    if len(joints) != len(keypoints) or len(joints) != counted:
        raise BadDataset(
            f"{shown(path)} has {len(joints)} poses and {len(keypoints)} keypoints, not {counted:,} of each: which are "
            "of which test sequence, and how wide its images are, can't be told."
        )
    start = 0
    for name, count in VALID_FRAMES_3DHP.items():
        rows = slice(start, start + count)
        start += count
        notes = (_RELATIVE, "numbers of frames are not told: each stands alone")
        facts = new_facts(name, name, "", "test", root_known=False, notes=notes)
        if name not in done:
            relative = joints[rows] - joints[rows, :1]
            pixels = screen_to_px(keypoints[rows], image_size_3dhp(name))
            frames = 2 * np.arange(count)
            yield make_sequence(facts, "h36m16", pixels, None, universal_m=relative, frames=frames)


def find_adaptpose_3dpw(folder: Path) -> Layout | None:
    """data_3dpw_gt_{train,test}.npz."""
    note = f"2D was divided by half of the image's longer side: pixels are of a square of {_NOMINAL_PX}"
    return _find_rows(folder, "3dpw", "AdaptPose's 3DPW npz", pw3d.DEFINITION.split(",")[0], note)


def find_adaptpose_ski(folder: Path) -> Layout | None:
    """data_skii_gt_{train,test}.npz."""
    note = f"pixels are of the crop of {ski_pose.CROP_PX}"
    return _find_rows(folder, "ski", "AdaptPose's Ski-Pose npz", ski_pose.DEFINITION, note)


def _find_rows(folder: Path, data_set: str, name: str, definition: str, note: str) -> Layout | None:
    """Files of rows without sequences."""
    units = []
    for path in archives_with(folder, ("positions_2d", "positions_3d")):
        keypoints = object_in(path, "positions_2d")
        if isinstance(keypoints, np.ndarray) and keypoints.ndim == 3:
            split = split_by_name(path)
            units.append(Unit(path.stem, (path,), partial(_read_rows, path, data_set, split, note)))
    return Layout(data_set, name, "h36m16", definition, tuple(units)) if units else None


def _read_rows(path: Path, data_set: str, split: str, note: str, done: Collection[str]) -> Iterator[PreparedSequence]:
    keypoints = poses(path, "positions_2d", object_in(path, "positions_2d"), (16,), 2)
    joints, millimetres = in_metres(poses(path, "positions_3d", object_in(path, "positions_3d"), (16,), 3), "h36m16")
    notes = [note, _RELATIVE, "sequences are not told: rows stand end to end, with cuts nobody marked"]
    if millimetres:
        notes.append("3D was in millimetres")
    if data_set == "3dpw":
        if split == "test":
            keypoints, joints = keypoints[:, list(_TEST_LEGS)], joints[:, list(_TEST_LEGS)]
            notes.append("legs are exchanged, as AdaptPose does with this file")
        pixels = screen_to_px(keypoints, (_NOMINAL_PX, _NOMINAL_PX))
    else:
        shares = bool(len(keypoints)) and float(np.nanmedian(np.abs(keypoints))) <= 1
        pixels = keypoints * ski_pose.CROP_PX if shares else keypoints
        notes.append("2D was in shares of the crop" if shares else "2D was in pixels")
    facts = new_facts(f"{split}_{path.stem}", path.stem, "", split, root_known=False, notes=tuple(notes))
    if facts.name not in done:
        yield make_sequence(facts, "h36m16", pixels, joints - joints[:, :1])
