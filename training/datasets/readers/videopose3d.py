"""VideoPose3D's and PoseAug's files of Human3.6M: data_3d_h36m.npz (world), data_2d_h36m_gt.npz (pixels).

They hold no cameras: metadata.xml has them, or they are fitted to the exact 2D, one for each subject and camera.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from sdk.errors import BadDataset
from sdk.files.input_files import shown
from training.datasets.camera import SequenceCamera
from training.datasets.camera_fitting import fit_camera
from training.datasets.joints import H36M32_TO_17, to_h36m16
from training.datasets.readers.archives import archives_with, nested, object_in, poses, table
from training.datasets.readers.files import files_in
from training.datasets.readers.human36m import DAMAGED, DEFINITION, RATE_HZ, SPLIT_OF, TAKES_OF_A_SUBJECT
from training.datasets.readers.human36m_metadata import CAMERAS, SIZES, read_metadata
from training.datasets.readers.layout import OFF_PX, Layout, Unit, make_sequence, new_facts
from training.datasets.sequence import PreparedSequence

Takes = dict[tuple[str, str], Any]
_SAMPLES = 40
"""Frames of each take that a camera is fitted to."""


def find_videopose3d(folder: Path) -> Layout | None:
    """The layout of the folder, or None if there is no such 3D in it.

    Raises:
        BadDataset: no 2D that belongs to it and no metadata.xml; or a file is damaged.
    """
    found = next(_takes(folder, "positions_3d", "positions_2d"), None)
    if found is None:
        return None
    path, joints = found
    joints = {take: _moving(path, take, value) for take, value in joints.items() if take != DAMAGED}
    metadata = next(iter(files_in(folder, "metadata.xml")), None)
    known = read_metadata(metadata) if metadata else {}
    tried: list[str] = []
    for pixels_path, pixels in _takes(folder, "positions_2d", "positions_3d"):
        try:
            cameras = _cameras(pixels_path, joints, pixels, known)
        except BadDataset as error:
            tried.append(f"{pixels_path.name} ({error})")
            continue
        break
    else:
        raise BadDataset(
            f"{shown(path)} has 3D in the world, but there is no exact 2D that belongs to it, data_2d_h36m_gt.npz. "
            + (f"Tried: {'; '.join(tried)}." if tried else "Put it beside it.")
        )
    sixteen = any(array.shape[1] == 16 for takes in pixels.values() for array in takes)
    inputs = (path, pixels_path, *([metadata] if metadata else []))
    subjects = [subject for subject in SPLIT_OF if any(take[0] == subject for take in joints)]
    units = tuple(
        Unit(
            subject, inputs, partial(_read_subject, pixels_path, subject, joints, pixels, cameras, sixteen, bool(known))
        )
        for subject in subjects
    )
    missing = []
    for subject in SPLIT_OF:
        lack = TAKES_OF_A_SUBJECT - (subject == DAMAGED[0]) - sum(take[0] == subject for take in joints)
        if lack > 0:
            missing.append(f"{subject}: {lack} of its takes")
    order = "h36m16" if sixteen else "h36m17"
    left_out = [f"{name}: not exact 2D of this 3D" for name in tried]
    return Layout("h36m", "data_3d_h36m.npz with exact 2D", order, DEFINITION, units, tuple(missing), tuple(left_out))


def _takes(folder: Path, name: str, without: str) -> Iterator[tuple[Path, Takes]]:
    """Files with Human3.6M's subjects, flat by subject and action."""
    for path in archives_with(folder, (name,), (without,)):
        content = object_in(path, name)
        if isinstance(content, dict) and set(content) & set(SPLIT_OF):
            subjects = {key: value for key, value in table(path, name, content).items() if key in SPLIT_OF}
            first = next(iter(table(path, name, next(iter(subjects.values())))))
            if not first.startswith("Seq"):  # that is 3DHP
                yield path, {(subject, action): value for subject, action, value in nested(subjects, path, name)}


def _moving(path: Path, take: tuple[str, str], value: Any) -> np.ndarray:
    joints = poses(path, " ".join(take)[:60], value, (32, 17, 16), 3)
    return joints[:, list(H36M32_TO_17)] if joints.shape[1] == 32 else joints


def _cameras(
    path: Path, joints: Takes, pixels: Takes, known: dict[tuple[str, str], SequenceCamera]
) -> dict[tuple[str, str], SequenceCamera]:
    """A camera for each subject and camera; raises BadDataset where the 2D is not the 3D's projection."""
    cameras = {}
    for subject in dict.fromkeys(subject for subject, _ in joints):
        for at, identity in enumerate(CAMERAS):
            world, flat = [], []
            for take in joints:
                if take[0] != subject:
                    continue
                two = _view(path, take, pixels, at)
                three = joints[take]
                if len(two) < len(three):
                    raise BadDataset(
                        f"{shown(path)}: {' '.join(take)[:60]} has {len(two)} frames, its 3D {len(three)}."
                    )
                rows = np.linspace(0, len(three) - 1, min(len(three), _SAMPLES)).astype(int)
                three, two = _same_joints(three[rows], two[rows])
                world.append(three)
                flat.append(two)
            all_world, all_flat = np.concatenate(world).astype(float), np.concatenate(flat).astype(float)
            camera = known.get((subject, identity)) or fit_camera(all_world, all_flat, SIZES[identity])
            seen = camera.project(_in_camera(camera, all_world))
            off = float(np.nanmedian(np.linalg.norm(seen - all_flat, axis=-1)))
            if not off <= OFF_PX:
                raise BadDataset(f"2D of {subject} is {off:.1f} px beside the projected 3D: detections, or another's")
            cameras[subject, identity] = camera
    return cameras


def _view(path: Path, take: tuple[str, str], pixels: Takes, at: int) -> np.ndarray:
    views = pixels.get(take)
    if not isinstance(views, list) or len(views) != len(CAMERAS):
        raise BadDataset(f"{shown(path)}: {' '.join(take)[:60]} has no list of {len(CAMERAS)} cameras.")
    return poses(path, " ".join(take)[:60], views[at], (17, 16), 2)


def _same_joints(three: np.ndarray, two: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both with 17 joints, or both with 16."""
    if three.shape[1] == two.shape[1]:
        return three, two
    if three.shape[1] == 17:
        return to_h36m16(three, "h36m17"), two
    return three, to_h36m16(two, "h36m17")


def _in_camera(camera: SequenceCamera, world_m: np.ndarray) -> np.ndarray:
    assert camera.rotation_world_to_camera is not None
    assert camera.translation_world_to_camera_m is not None
    return world_m @ camera.rotation_world_to_camera[0].T + camera.translation_world_to_camera_m[0]


def _read_subject(
    path: Path,
    subject: str,
    joints: Takes,
    pixels: Takes,
    cameras: dict[tuple[str, str], SequenceCamera],
    sixteen: bool,
    known: bool,
    done: Collection[str],
) -> Iterator[PreparedSequence]:
    for take, world in joints.items():
        if take[0] != subject:
            continue
        for at, identity in enumerate(CAMERAS):
            action = take[1]
            facts = new_facts(
                f"{subject}_{action}_{identity}", subject, action, SPLIT_OF[subject], identity, frame_rate_hz=RATE_HZ
            )
            if facts.name in done:
                continue
            if not known:
                facts = replace(facts, notes=("the camera is fitted to 2D and 3D: there is no metadata.xml",))
            camera = cameras[subject, identity]
            two = _view(path, take, pixels, at)[: len(world)]
            three, two = _same_joints(_in_camera(camera, world.astype(np.float64)), two)
            if sixteen and three.shape[1] == 17:
                three, two = to_h36m16(three, "h36m17"), to_h36m16(two, "h36m17")
            yield make_sequence(facts, "h36m16" if sixteen else "h36m17", two, three, camera=camera)
