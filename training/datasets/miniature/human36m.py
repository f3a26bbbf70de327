"""Miniature Human3.6M: drawn motion in the official CDF files and metadata.xml."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from training.datasets.miniature.body import draw_motion, look_at, pick
from training.datasets.readers.human36m_metadata import CAMERAS, SIZES, camera_of

SUBJECTS = ("S1", "S5", "S6", "S7", "S8", "S9", "S11")
TAKES = ("Directions", "Directions 1", "Walking 1")
_JOINTS = (
    "pelvis", "right_hip", "right_knee", "right_ankle", "right_foot", "right_toe", "left_hip", "left_knee",
    "left_ankle", "left_foot", "left_toe", "pelvis", "spine", "thorax", "nose", "head", "thorax", "left_shoulder",
    "left_elbow", "left_wrist", "left_wrist", "left_hand", "left_hand", "left_hand", "thorax", "right_shoulder",
    "right_elbow", "right_wrist", "right_wrist", "right_hand", "right_hand", "right_hand",
)  # fmt: skip


def write_human36m(
    folder: Path,
    *,
    seed: int = 0,
    frames: int = 60,
    subjects: tuple[str, ...] = SUBJECTS,
    takes: tuple[str, ...] = TAKES,
    growing: int = 3,
) -> None:
    """Write `S*/MyPoseFeatures/{D3_Positions, D3_Positions_mono, D2_Positions}/*.cdf` and `metadata.xml`.

    There are takes to be skipped as well: `_ALL`, and the damaged `S11/Directions`.

    Args:
        folder: Where to.
        seed: Of the drawn motion and cameras.
        frames: Frames of the shortest take.
        subjects: Official names.
        takes: Official names, the same for every subject.
        growing: Frames by which each take is longer than the one before.
    """
    generator = np.random.default_rng(seed)
    angles, positions_m, lenses = draw_cameras(generator)
    _write_metadata(folder / "metadata.xml", angles, positions_m, lenses)
    for at, subject in enumerate(subjects):
        number = int(subject[1:]) - 1
        features = folder / subject / "MyPoseFeatures"
        for take, action in enumerate((*takes, "_ALL")):
            motion = draw_motion(frames + growing * take, 50.0, generator, 0.93 + 0.03 * at)
            world_m = pick(motion, _JOINTS)
            write_pose(features / "D3_Positions" / f"{action}.cdf", world_m * 1000, compression=6)
            for camera, identity in enumerate(CAMERAS):
                view = camera_of(angles[camera, number], positions_m[camera, number], lenses[camera], SIZES[identity])
                assert view.rotation_world_to_camera is not None
                mono_m = (world_m - positions_m[camera, number]) @ view.rotation_world_to_camera[0].T
                pixels = view.project(mono_m)
                if (subject, action) == ("S11", "Directions"):
                    mono_m = mono_m * 1.5  # damaged in the official files as well
                write_pose(features / "D3_Positions_mono" / f"{action}.{identity}.cdf", mono_m * 1000)
                write_pose(features / "D2_Positions" / f"{action}.{identity}.cdf", pixels)


def write_pose(path: Path, poses: np.ndarray, *, compression: int = 0) -> None:
    """Write (T, J, C) as the variable `Pose` of a CDF file, (1, T, J * C) float32 as the official ones have it."""
    from cdflib.cdfwrite import CDF

    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    values = poses.reshape(1, len(poses), -1).astype(np.float32)
    file = CDF(path)
    about = {
        "Variable": "Pose",
        "Data_Type": CDF.CDF_FLOAT,
        "Num_Elements": 1,
        "Rec_Vary": True,
        "Compress": compression,
    }
    file.write_var({**about, "Dim_Sizes": list(values.shape[1:])}, var_data=values)
    file.close()


def draw_cameras(generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Angles (4, 11, 3) and positions (4, 11, 3) in metres by camera and subject, and lenses (4, 9) by camera.

    A lens is fx, fy, cx, cy, k1, k2, k3, p1, p2.
    """
    angles, positions = np.zeros((4, 11, 3)), np.zeros((4, 11, 3))
    lenses = np.zeros((4, 9))
    for camera in range(4):
        around = np.pi / 4 + camera * np.pi / 2
        for subject in range(11):
            position = np.array([4.5 * np.cos(around), 4.5 * np.sin(around), 1.5]) + generator.uniform(-0.2, 0.2, 3)
            positions[camera, subject] = position
            angles[camera, subject] = angles_of(look_at(position, np.array([0, 0, 0.95])))
        lenses[camera] = [
            *generator.uniform(1144, 1150, 2), *generator.uniform(508, 516, 2),
            *generator.uniform([-0.21, 0.22, -0.01, -0.002, -0.002], [-0.19, 0.26, 0.01, 0.001, 0.001]),
        ]  # fmt: skip
    return angles, positions, lenses


def angles_of(rotation: np.ndarray) -> np.ndarray:
    """The three angles of metadata.xml of a rotation world to camera Rx(a) Ry(b) Rz(c)."""
    return np.array(
        [
            np.arctan2(-rotation[1, 2], rotation[2, 2]),
            np.arcsin(rotation[0, 2]),
            np.arctan2(-rotation[0, 1], rotation[0, 0]),
        ]
    )


def _write_metadata(path: Path, angles: np.ndarray, positions_m: np.ndarray, lenses: np.ndarray) -> None:
    outside = np.concatenate([angles, positions_m * 1000], -1).ravel()
    numbers = " ".join(f"{number:.9g}" for number in (*outside, *lenses.ravel()))
    cameras = "".join(f"<item>{camera}</item>" for camera in CAMERAS)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"<metadata><dbcameras><index2id>{cameras}</index2id></dbcameras><w0>[{numbers}]</w0></metadata>\n")
