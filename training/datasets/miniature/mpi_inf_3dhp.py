"""Miniature MPI-INF-3DHP: drawn motion in annot.mat, camera.calibration and the HDF5 files of the test set."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from training.datasets.camera import SequenceCamera
from training.datasets.miniature.body import draw_motion, look_at, pick

CAMERAS = 14
_SIZE = (2048, 2048)
_NO_LENS = np.zeros(5)
_JOINTS = (
    "spine3", "spine3+thorax", "spine", "spine1", "pelvis", "thorax", "nose", "head", "left_collar", "left_shoulder",
    "left_elbow", "left_wrist", "left_hand", "right_collar", "right_shoulder", "right_elbow", "right_wrist",
    "right_hand", "left_hip", "left_knee", "left_ankle", "left_foot", "left_toe", "right_hip", "right_knee",
    "right_ankle", "right_foot", "right_toe",
)  # fmt: skip
"""The 28 of the training set."""
_TEST_JOINTS = (7, 5, 14, 15, 16, 9, 10, 11, 23, 24, 25, 18, 19, 20, 4, 3, 6)
"""The 17 of the test set among the 28."""
_UNIVERSAL_SCALE = 1.0


def write_mpi_inf_3dhp(
    folder: Path,
    *,
    seed: int = 0,
    frames: int = 60,
    subjects: tuple[int, ...] = (1, 2, 8),
    tests: tuple[int, ...] = (1, 2, 3, 4, 5, 6),
) -> None:
    """Write `S*/Seq{1,2}/{annot.mat, camera.calibration}` and `TS*/annot_data.mat`.

    In the test sequences some frames are invalid: in a row, alone, and at the end.

    Args:
        folder: Where to.
        seed: Of the drawn motion and cameras.
        frames: Frames of the shortest sequence.
        subjects: Numbers of the training subjects, 1 to 8.
        tests: Numbers of the test sequences, 1 to 6.
    """
    generator = np.random.default_rng(seed)
    for subject in subjects:
        for sequence in (1, 2):
            size = 0.92 + 0.02 * subject
            motion = draw_motion(frames + 4 * sequence, 25.0, generator, size)
            _write_training(folder / f"S{subject}" / f"Seq{sequence}", pick(motion, _JOINTS), size, generator)
    for test in tests:
        size = 0.94 + 0.02 * test
        motion = draw_motion(frames + 5 * test, 25.0, generator, size)
        _write_test(folder / f"TS{test}", test, pick(motion, _JOINTS)[:, _TEST_JOINTS], size, generator)


def _write_training(folder: Path, world_m: np.ndarray, size: float, generator: np.random.Generator) -> None:
    from scipy.io import savemat

    folder.mkdir(parents=True, exist_ok=True)
    cells = {name: np.empty((CAMERAS, 1), object) for name in ("annot2", "annot3", "univ_annot3")}
    lines = ["Skeletool Camera Calibration File V1.0"]
    for camera in range(CAMERAS):
        around = 2 * np.pi * camera / 11 if camera < 11 else 2 * np.pi * (camera - 11) / 3
        distance, height = (3.8, generator.uniform(0.6, 2.0)) if camera < 11 else (1.5, 4.2)
        position = np.array([distance * np.cos(around), distance * np.sin(around), height])
        rotation = look_at(position, np.array([0, 0, 0.95]))
        view = _view(generator.uniform(1495, 1505, 2), generator.uniform(1015, 1045, 2), _SIZE)
        joints = (world_m - position) @ rotation.T
        cells["annot2"][camera, 0] = view.project(joints).reshape(len(joints), -1)
        cells["annot3"][camera, 0] = joints.reshape(len(joints), -1) * 1000
        cells["univ_annot3"][camera, 0] = _universal(joints, size, 4).reshape(len(joints), -1) * 1000
        lines += _calibration(camera, view, rotation, -rotation @ position)
    count = len(world_m)
    rest = {"cameras": np.arange(CAMERAS)[None], "frames": np.arange(1, count + 1)[:, None]}
    savemat(folder / "annot.mat", {**cells, **rest}, do_compression=True)
    (folder / "camera.calibration").write_text("\n".join(lines) + "\n")


def _calibration(camera: int, view: SequenceCamera, rotation: np.ndarray, translation_m: np.ndarray) -> list[str]:
    fx, fy, cx, cy = view.intrinsics_px[0]
    inside = np.array([[fx, 0, cx, 0], [0, fy, cy, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    outside = np.eye(4)
    outside[:3, :3], outside[:3, 3] = rotation, translation_m * 1000
    return [
        f"name          {camera}",
        "  sensor      10 10",
        f"  size        {view.width} {view.height}",
        "  animated    0",
        "  intrinsic   " + " ".join(f"{number:.9g}" for number in inside.ravel()),
        "  extrinsic   " + " ".join(f"{number:.9g}" for number in outside.ravel()),
        "  radial      0",
    ]


def _write_test(folder: Path, test: int, world_m: np.ndarray, size: float, generator: np.random.Generator) -> None:
    import h5py

    folder.mkdir(parents=True, exist_ok=True)
    around = generator.uniform(0, 2 * np.pi)
    position = np.array([3.6 * np.cos(around), 3.6 * np.sin(around), 1.4])
    outdoors = test > 4
    view = (
        _view(np.array([1683.5, 1672]), np.array([939.9, 560.1]), (1920, 1080))
        if outdoors
        else _view(np.array([1500.0, 1500.6]), np.array([1017.4, 1043.0]), _SIZE)
    )
    joints = (world_m - position) @ look_at(position, np.array([0, 0, 0.95])).T
    count = len(joints)
    valid = np.ones((count, 1))
    valid[5:9] = valid[count // 2] = valid[-2:] = 0
    # MATLAB 7.3 files are HDF5 behind 512 bytes of MATLAB's own.
    with h5py.File(folder / "annot_data.mat", "w", userblock_size=512) as file:
        file["annot2"] = view.project(joints)[:, None]
        file["annot3"] = joints[:, None] * 1000
        file["univ_annot3"] = _universal(joints, size, 14)[:, None] * 1000
        file["valid_frame"] = valid
        file["activity_annotation"] = 1.0 + (np.arange(count)[:, None] * 7 // count)


def _universal(joints_m: np.ndarray, size: float, root: int) -> np.ndarray:
    """The pose at the universal height, about its root."""
    return joints_m[:, root : root + 1] + (joints_m - joints_m[:, root : root + 1]) * _UNIVERSAL_SCALE / size


def _view(focal_px: np.ndarray, center_px: np.ndarray, size: tuple[int, int]) -> SequenceCamera:
    return SequenceCamera(np.concatenate([focal_px, center_px])[None], *size, _NO_LENS)
