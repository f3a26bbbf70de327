"""Human3.6M's official files: S*/MyPoseFeatures/{D3_Positions_mono, D2_Positions, D3_Positions}/*.cdf, metadata.xml."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path

import numpy as np

from sdk.errors import BadDataset
from sdk.files.input_files import shown
from training.datasets.camera import SequenceCamera
from training.datasets.camera_fitting import fit_lens
from training.datasets.joints import H36M32_TO_17
from training.datasets.readers.files import files_in, read_cdf
from training.datasets.readers.human36m_metadata import CAMERAS, SIZES, read_metadata
from training.datasets.readers.layout import Layout, Unit, make_sequence, new_facts
from training.datasets.sequence import PreparedSequence

SPLIT_OF = {**dict.fromkeys(("S1", "S5", "S6", "S7", "S8"), "train"), **dict.fromkeys(("S9", "S11"), "test")}
RATE_HZ = 50.0
DEFINITION = "Human3.6M's own: 17 of its 32 joints (head is the top of the head, nose its neck/nose)"
DAMAGED = ("S11", "Directions")
TAKES_OF_A_SUBJECT = 30
_SAME_PLACE_M = 0.02
_COMPARED = 200
"""Frames of a take of which the camera's place is checked."""


def find_cdf(folder: Path) -> Layout | None:
    """The layout of the folder, or None if there is neither D3_Positions_mono nor D3_Positions in it.

    Raises:
        BadDataset: metadata.xml is damaged, or no take can be used.
    """
    files = _solid_files(folder)
    if not files:
        return None
    metadata = next(iter(files_in(folder, "metadata.xml")), None)
    cameras = read_metadata(metadata) if metadata else {}
    missing, left_out, units = [], [], []
    if metadata is None:
        missing.append("metadata.xml (code release): intrinsics are fitted to each file, places of cameras are unknown")
    for path, action, identity in files:
        subject = path.parts[-4]
        pixels = path.parents[1] / "D2_Positions" / f"{action}.{identity}.cdf"
        if (subject, action) == DAMAGED:
            left_out.append(f"{subject} {action} {identity}: damaged in the official files")
        elif action == "_ALL" or not action:
            left_out.append(f"{subject} {path.stem}: no take")
        elif identity not in CAMERAS:
            left_out.append(f"{subject} {path.name}: {identity} is none of the cameras {', '.join(CAMERAS)}")
        elif path.parent.name == "D3_Positions" and (subject, identity) not in cameras:
            missing.append(f"{subject} {action}: D3_Positions_mono, or metadata.xml to make it of D3_Positions")
        elif not pixels.is_file() and (subject, identity) not in cameras:
            missing.append(f"{shown(pixels)} (or metadata.xml): without it {path.name} has no 2D and is left out")
        else:
            inputs = (path, *([pixels] if pixels.is_file() else []), *([metadata] if metadata else []))
            read = partial(_read_take, path, pixels, subject, action, identity, cameras.get((subject, identity)))
            units.append(Unit(f"{subject} {action} {identity}", inputs, read))
    for subject in SPLIT_OF:
        takes = {action for path, action, _ in files if path.parts[-4] == subject} - {"_ALL"}
        if len(takes) < TAKES_OF_A_SUBJECT:
            missing.append(f"{subject}: {TAKES_OF_A_SUBJECT - len(takes)} of its {TAKES_OF_A_SUBJECT} takes")
    if not units:
        raise BadDataset(f"{shown(folder)} has CDF files of Human3.6M, but no take can be used: {'; '.join(missing)}.")
    return Layout(
        "h36m", "official CDF files", "h36m17", DEFINITION, tuple(units), tuple(dict.fromkeys(missing)), tuple(left_out)
    )


def _solid_files(folder: Path) -> list[tuple[Path, str, str]]:
    """File, action and camera of every 3D: in the camera where there is, otherwise in the world for each camera."""
    files = [path for path in files_in(folder, "*.cdf") if path.parts[-4:-3] and path.parts[-4] in SPLIT_OF]
    mono = [(path, *path.stem.rpartition(".")[::2]) for path in files if path.parent.name == "D3_Positions_mono"]
    there = {(path.parts[-4], action) for path, action, _ in mono}
    world = [path for path in files if path.parent.name == "D3_Positions" and (path.parts[-4], path.stem) not in there]
    return [*mono, *((path, path.stem, identity) for path in world for identity in CAMERAS)]


def _read_take(
    path: Path,
    pixels: Path,
    subject: str,
    action: str,
    identity: str,
    camera: SequenceCamera | None,
    done: Collection[str],
) -> Iterator[PreparedSequence]:
    facts = new_facts(
        f"{subject}_{action}_{identity}", subject, action, SPLIT_OF[subject], identity, frame_rate_hz=RATE_HZ
    )
    if facts.name in done:
        return
    joints = _joints(path, 3) / 1000
    notes = []
    if path.parent.name == "D3_Positions":
        assert camera is not None
        assert camera.rotation_world_to_camera is not None
        assert camera.translation_world_to_camera_m is not None
        joints = joints @ camera.rotation_world_to_camera[0].T + camera.translation_world_to_camera_m[0]
        notes.append("3D is brought from the world into the camera: there is no D3_Positions_mono")
    if pixels.is_file():
        keypoints = _joints(pixels, 2)
        if len(keypoints) != len(joints):
            raise BadDataset(
                f"{shown(path)} has {len(joints)} frames, {shown(pixels)} {len(keypoints)}: one is cut off."
            )
    else:
        assert camera is not None
        keypoints = camera.project(joints)
        notes.append("2D is projected: there is no D2_Positions")
    if camera is None:
        camera = fit_lens(joints, keypoints, SIZES[identity])
        notes.append("intrinsics are fitted: there is no metadata.xml")
    else:
        camera, note = _checked_place(path, action, joints, camera)
        notes += note
    facts = replace(facts, notes=tuple(notes))
    yield make_sequence(facts, "h36m17", keypoints, joints, camera=camera)


def _joints(path: Path, coordinates: int) -> np.ndarray:
    """(T, 17, C) of the file's 32 joints."""
    values = read_cdf(path)
    if values.shape[1] != 32 * coordinates:
        raise BadDataset(f"{shown(path)}: Pose has {values.shape[1]} values a frame, not {32 * coordinates}.")
    return values.reshape(len(values), 32, coordinates)[:, list(H36M32_TO_17)]


def _checked_place(
    path: Path, action: str, joints_m: np.ndarray, camera: SequenceCamera
) -> tuple[SequenceCamera, list[str]]:
    """The camera, without its place if D3_Positions of the same take say another."""
    world = path.parents[1] / "D3_Positions" / f"{action}.cdf"
    if not world.is_file():
        return camera, []
    about = world.stat()
    expected = _world(world, about.st_size, about.st_mtime_ns)
    if expected.shape == joints_m.shape:
        rows = np.linspace(0, len(joints_m) - 1, min(len(joints_m), _COMPARED)).astype(int)
        told = camera.to_world(joints_m[rows])
        assert told is not None
        off = float(np.median(np.linalg.norm(told - expected[rows], axis=-1)))
        if off < _SAME_PLACE_M:
            return camera, []
        note = f"the camera's place in metadata.xml is {off:.2f} m beside D3_Positions: left out"
    else:
        note = "D3_Positions has another number of frames: the camera's place is left out"
    return SequenceCamera(camera.intrinsics_px, camera.width, camera.height, camera.distortion), [note]


@lru_cache(maxsize=1)
def _world(path: Path, size: int, changed_ns: int) -> np.ndarray:
    """D3_Positions in metres; the four cameras of a take come one after another and share it."""
    return _joints(path, 3) / 1000
