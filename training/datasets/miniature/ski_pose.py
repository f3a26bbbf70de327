"""Miniature Ski-Pose PTZ-Camera: drawn motion in labels.h5 and ski_centers.csv."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from sdk.skeletons.skeleton import H36M17
from training.datasets.miniature.body import draw_motion, look_at, pick

_CAMERAS = 6
_CROP_PX = 256
_TRACK_M = 20.0


def write_ski_pose(folder: Path, *, seed: int = 0, frames: int = 20) -> None:
    """Write `{train, test}/labels.h5` and `ski_centers.csv`.

    The cameras turn and zoom with the skier, frames miss in some cameras, rows are in no order; the test file has its
    matrices as rows of 9.

    Args:
        folder: Where to.
        seed: Of the drawn motion and cameras.
        frames: Frames of the shortest sequence.
    """
    generator = np.random.default_rng(seed)
    centers: list[tuple[float, ...]] = []
    for split, sequences in (("train", (0, 1, 2)), ("test", (3, 4))):
        rows: list[dict[str, np.ndarray | float]] = []
        for sequence in sequences:
            motion = draw_motion(frames + 2 * sequence, 25.0, generator, generator.uniform(0.95, 1.05))
            joints = pick(motion, H36M17.joints)
            joints = joints + np.linspace((0, 0, 6), (_TRACK_M, 3, 0), len(joints))[:, None]  # downhill
            centers += [(sequence, frame, *joints[frame, 0]) for frame in range(len(joints))]
            rows += _samples(sequence, joints, generator)
        _write_labels(folder / split, [rows[at] for at in generator.permutation(len(rows))], flat=split == "test")
    lines = [" ".join(f"{number:.9g}" for number in center) for center in centers]
    (folder / "ski_centers.csv").write_text("\n".join(lines) + "\n")


def _samples(
    sequence: int, joints_m: np.ndarray, generator: np.random.Generator
) -> list[dict[str, np.ndarray | float]]:
    samples: list[dict[str, np.ndarray | float]] = []
    for camera in range(_CAMERAS):
        around = 2 * np.pi * camera / _CAMERAS
        position = np.array([_TRACK_M / 2 + 30 * np.cos(around), 30 * np.sin(around), 8.0])
        for frame, pose in enumerate(joints_m):
            if (frame + camera) % 9 == 4:
                continue
            rotation = look_at(position, pose[0] + generator.normal(0, 0.1, 3))  # world to camera
            local = (pose - position) @ rotation.T
            focal = 0.4 * local[0, 2] * generator.uniform(0.95, 1.05)  # in widths of the crop
            inside = np.array([[focal, 0, 0.5], [0, focal, 0.5], [0, 0, 1 / _CROP_PX]])
            samples.append(
                {
                    "seq": float(sequence), "cam": float(camera), "frame": float(frame),
                    "subj": float(sequence % 2 + 1), "3D": (local - local[0]).ravel(),
                    "2D": (local[:, :2] / local[:, 2:] * focal + 0.5).ravel(),
                    "cam_intrinsic": inside, "cam_position": position, "R_cam_2_world": rotation.T,
                }
            )  # fmt: skip
    return samples


def _write_labels(folder: Path, rows: list[dict[str, np.ndarray | float]], *, flat: bool) -> None:
    import h5py

    folder.mkdir(parents=True, exist_ok=True)
    with h5py.File(folder / "labels.h5", "w") as file:
        for name in rows[0]:
            values = np.array([row[name] for row in rows])
            file[name] = values.reshape(len(rows), -1) if flat and values.ndim == 3 else values
