"""Measures the 3D error of tables from a detector's joints to H36M-16, and fits better tables on motion.

    python -m benchmarks.joint_tables --clips cmu_mocap_h36m17.npz --write sdk/skeletons/joint_tables.json

Tables are fitted on the clips of some people and measured on those of other people, with random cameras and the shipped
lifter. It prints MPJPE with exact 2D, with a naive table, with the table made by hand, and with the fitted table.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tyro

from benchmarks.detector_joints import detector_joints
from sdk.lifting.lifter import Lifter
from sdk.skeletons.joint_conversion import anatomical_matrix
from sdk.skeletons.skeleton import H36M16, H36M17, SKELETONS

FITTED = ("coco17", "halpe26", "body25", "coco18", "mpii16", "mediapipe33", "deeplabcut14")
MEASURED_PEOPLE = ("10", "16", "29", "131")
"""People to measure on: source people of the cross-domain benchmark. Its target people are not read."""
TARGET_PEOPLE = ("01", "05", "14", "127", "135")
RIDGE = 0.003
"""Weight of the pull towards the table made by hand, in units of the mean squared spread of a person's joints."""

_TRUNK = ("left_hip", "right_hip", "left_shoulder", "right_shoulder", "hip", "mid_hip", "pelvis", "neck", "thorax")
_CHEST = ("left_shoulder", "right_shoulder", "neck", "thorax")
_HEAD = (*_CHEST, "left_ear", "right_ear", "head", "forehead", "chin")
_SUPPORT = {
    "pelvis": _TRUNK, "right_hip": _TRUNK, "left_hip": _TRUNK, "spine": _TRUNK, "thorax": _CHEST, "head": _HEAD,
    "left_shoulder": _CHEST, "right_shoulder": _CHEST,
}  # fmt: skip
"""Joints that each row may use: only those usually seen together, so that a hidden foot or eye does not move a hip."""
_NOT_IN_3D = {"halpe26": ("left_ear", "right_ear")}
"""Joints that files with this skeleton often lack (Sports2D's). The skeleton has better ones for the purpose."""


@dataclass(frozen=True)
class JointTables:
    """Fit tables, measure all, and write the fitted ones."""

    clips: Path
    """cmu_mocap_h36m17.npz: (T, 17, 3) metres per clip, 50 Hz, z up, named PERSON_NUMBER."""
    write: Path | None = None
    """File to write the fitted tables to, with their errors."""
    windows: int = 3000
    """Windows to measure, of all left-out people together."""
    seed: int = 0


def camera(random: np.random.Generator, target: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """A random camera that films a person: rotation world to camera (3, 3), position (3,), focal length."""
    azimuth, distance, height = random.uniform(0, 2 * np.pi), random.uniform(3.5, 6.5), random.uniform(0.3, 2.5)
    position = np.array([*(target[:2] + distance * np.array([np.cos(azimuth), np.sin(azimuth)])), height])
    forward = target - position
    forward /= np.linalg.norm(forward)
    right = np.cross(forward, [0, 0, 1])
    right /= np.linalg.norm(right)
    return np.stack([right, np.cross(forward, right), forward]), position, random.uniform(1.8, 2.6)


def project(joints_m: np.ndarray, seen_by: tuple[np.ndarray, np.ndarray, float]) -> tuple[np.ndarray, np.ndarray]:
    """Camera coordinates (..., 3) and normalised image coordinates (..., 2) of world joints."""
    rotation, position, focal = seen_by
    local = (joints_m - position) @ rotation.T
    return local, focal * local[..., :2] / local[..., 2:]


def views(clips: dict[str, np.ndarray], skeleton: str, random: np.random.Generator, per_clip: int, length: int):
    """Detector's 2D (length, J, 2), exact 2D (length, 16, 2) and root-relative 3D of the middle frame (16, 3)."""
    order = [H36M17.index(name) for name in H36M16.joints]
    for joints in clips.values():
        found = detector_joints(joints, skeleton, random)
        for _ in range(per_clip):
            start = random.integers(0, len(joints) - 2 * length + 1)
            frames = slice(start, start + 2 * length, 2)  # 25 Hz
            seen_by = camera(random, joints[start, 0])
            local, exact = project(joints[frames][:, order], seen_by)
            if local[..., 2].min() > 1.0:
                middle = local[length // 2]
                yield project(found[frames], seen_by)[1], exact, middle - middle[:1]


def naive_matrix(skeleton: str) -> np.ndarray:
    """The usual simple table (16, J): spine half way, head at the nose or at the joint called head."""
    joints = SKELETONS[skeleton].joints
    matrix = anatomical_matrix(skeleton).copy()
    row = {name: i for i, name in enumerate(H36M16.joints)}
    matrix[row["spine"]] = (matrix[row["pelvis"]] + matrix[row["thorax"]]) / 2
    matrix[row["head"]] = 0
    head = next(name for name in ("head", "nose", "forehead") if name in joints)
    matrix[row["head"], joints.index(head)] = 1
    return matrix


def fit(clips: dict[str, np.ndarray], skeleton: str, random: np.random.Generator) -> np.ndarray:
    """Weights (16, J) by least squares over single frames, pulled towards the table made by hand. Rows sum to one."""
    joints = SKELETONS[skeleton].joints
    found, exact = [], []
    for detected, truth, _ in views(clips, skeleton, random, per_clip=60, length=1):
        size = np.ptp(truth[0, :, 1]) + np.ptp(truth[0, :, 0])
        middle = truth[0].mean(0)
        found.append((detected[0] - middle) / size)
        exact.append((truth[0] - middle) / size)
    x = np.stack(found).transpose(0, 2, 1).reshape(-1, len(joints))
    y = np.stack(exact).transpose(0, 2, 1).reshape(-1, len(H36M16))
    matrix = anatomical_matrix(skeleton).astype(np.float64)
    for row, name in enumerate(H36M16.joints):
        used = [i for i, joint in enumerate(joints)
                if joint in _SUPPORT.get(name, ()) and joint not in _NOT_IN_3D.get(skeleton, ())]  # fmt: skip
        if len(used) < 2:
            continue
        # Changes of the table that keep the sum: the last weight is minus the sum of the others.
        step = np.vstack([np.eye(len(used) - 1), -np.ones(len(used) - 1)])
        columns = x[:, used] @ step
        pull = RIDGE * len(x) * float((y**2).mean()) * (step.T @ step)
        matrix[row, used] += step @ np.linalg.solve(
            columns.T @ columns + pull, columns.T @ (y[:, row] - x @ matrix[row])
        )
    # Bodies are symmetric; the clips are not quite.
    return (matrix + matrix[list(H36M16.mirror)][:, list(SKELETONS[skeleton].mirror)]) / 2


def errors_mm(
    lifter: Lifter, clips: dict[str, np.ndarray], skeleton: str, tables: dict[str, np.ndarray], seed: int, windows: int
) -> dict[str, float]:
    """MPJPE of each table, and of `exact` 2D, on the same windows."""
    random = np.random.default_rng(seed)
    per_clip = -(-windows // len(clips))
    seen = list(views(clips, skeleton, random, per_clip, lifter.metadata.receptive_field))
    truth = np.stack([pose for _, _, pose in seen])
    inputs = {"exact": np.stack([exact for _, exact, _ in seen])}
    detected = np.stack([found for found, _, _ in seen])
    inputs |= {name: np.einsum("hj,ntjc->nthc", table, detected) for name, table in tables.items()}
    return {
        name: 1000 * float(np.linalg.norm(lifter.lift_windows(window.astype(np.float32)) - truth, axis=-1).mean())
        for name, window in inputs.items()
    }


def main(options: JointTables) -> None:
    with np.load(options.clips) as arrays:
        clips = {name: arrays[name].astype(np.float64) for name in arrays.files if len(arrays[name]) > 60}
    person = {name: name.partition("_")[0] for name in clips}
    clips = {name: clip for name, clip in clips.items() if person[name] not in TARGET_PEOPLE}
    measured = {name: clip for name, clip in clips.items() if person[name] in MEASURED_PEOPLE}
    fitted_on = {name: clip for name, clip in clips.items() if name not in measured}
    lifter, shipped = Lifter(threads=1), {}
    print("| layout | exact 2D | naive | by hand | fitted |\n|---|---|---|---|---|")
    for skeleton in FITTED:
        table = fit(fitted_on, skeleton, np.random.default_rng(options.seed))
        tables = {"naive": naive_matrix(skeleton), "by hand": anatomical_matrix(skeleton), "fitted": table}
        found = errors_mm(lifter, measured, skeleton, tables, options.seed + 1, options.windows)
        print(f"| {skeleton} | " + " | ".join(f"{found[name]:.1f}" for name in ("exact", *tables)) + " |", flush=True)
        joints = SKELETONS[skeleton].joints
        rows = {
            name: {joints[i]: round(float(table[row, i]), 4) for i in np.flatnonzero(np.abs(table[row]) > 1e-9)}
            for row, name in enumerate(H36M16.joints)
        }
        shipped[skeleton] = {"mpjpe_mm": {name: round(error, 1) for name, error in found.items()}, "rows": rows}
    if options.write is not None:
        options.write.write_text(json.dumps(shipped, indent=1) + "\n")


if __name__ == "__main__":
    main(tyro.cli(JointTables))
