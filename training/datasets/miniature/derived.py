"""Miniatures of files that others made of the data sets, out of prepared miniature ones; for tests."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from training.datasets.about import VALID_FRAMES_3DHP, image_size_3dhp
from training.datasets.joints import H36M17_TO_MPI17
from training.datasets.prepared import PreparedDataset
from training.datasets.readers.human36m_metadata import CAMERAS
from training.datasets.sequence import PreparedSequence

_MPI = list(H36M17_TO_MPI17)
_SWAPPED = [0, 4, 5, 6, 1, 2, 3, 7, 8, 9, 13, 14, 15, 10, 11, 12]
"""h36m16 with left and right exchanged."""
_LEGS = [0, 4, 5, 6, 1, 2, 3, 7, 8, 9, 10, 11, 12, 13, 14, 15]
_SPIN_PLACES = (14, 2, 1, 0, 3, 4, 5, 16, 12, 18, 9, 10, 11, 8, 7, 6)
_OF_32 = (0, 1, 2, 3, 6, 7, 8, 12, 13, 14, 15, 17, 18, 19, 25, 26, 27)


def write_videopose3d(data: PreparedDataset, folder: Path, joints: int = 17) -> None:
    """data_3d_h36m.npz (32 joints, world) and data_2d_h36m_gt.npz of a prepared Human3.6M."""
    solid: dict[str, Any] = {}
    flat: dict[str, Any] = {}
    for one in data.sequences():
        subject, action = one.facts.subject, one.facts.action
        world = one.camera.to_world(_solid(one)) if one.camera else None
        assert world is not None
        all_joints = np.zeros((len(world), 32, 3), np.float32)
        all_joints[:, list(_OF_32)] = world
        solid.setdefault(subject, {})[action] = all_joints
        views = flat.setdefault(subject, {}).setdefault(action, [None] * 4)
        views[CAMERAS.index(one.facts.camera_name)] = (
            data.to_h36m16(one.keypoints_px) if joints == 16 else one.keypoints_px
        )
    about = {"num_joints": joints, "keypoints_symmetry": [[4, 5, 6], [1, 2, 3]]}
    _save(folder / "data_3d_h36m.npz", positions_3d=solid)
    _save(folder / "data_2d_h36m_gt.npz", positions_2d=flat, metadata=about)


def write_mmpose_h36m(data: PreparedDataset, folder: Path, step: int = 5) -> None:
    """h36m_{train,test}.npz of every fifth frame, and cameras.pkl."""
    cameras = {}
    for split in ("train", "test"):
        rows = []
        for one in data.sequences(split):
            facts, view = one.facts, one.camera
            assert view is not None
            take = f"{facts.subject}_{facts.action.replace(' ', '_')}.{facts.camera_name}"
            names = [f"{facts.subject}/{take}/{take}_{frame + 1:06d}.jpg" for frame in one.frames[::step]]
            rows.append((names, one.keypoints_px[::step], _solid(one)[::step]))
            (fx, fy, cx, cy), bent = view.intrinsics_px[0], view.distortion
            cameras[facts.subject, facts.camera_name] = {
                "R": np.eye(3), "T": np.zeros((3, 1)), "f": np.array([[fx], [fy]]), "c": np.array([[cx], [cy]]),
                "k": bent[:3, None], "p": bent[3:, None], "w": view.width, "h": view.height,
                "id": facts.camera_name, "name": "camera1",
            }  # fmt: skip
        _save_rows(folder / "fps10" / f"h36m_{split}.npz", rows)
    (folder / "cameras.pkl").write_bytes(pickle.dumps(cameras))


def write_motionbert(data: PreparedDataset, folder: Path) -> None:
    """A pickle of both splits with 2D, names and 2.5D."""
    content: dict[str, Any] = {}
    for split in ("train", "test"):
        ones = list(data.sequences(split))
        flat = np.concatenate([one.keypoints_px for one in ones])
        content[split] = {
            "joint_2d": flat,
            "confidence": np.ones((len(flat), 17, 1), np.float32),
            "joint3d_image": np.concatenate([flat, np.zeros((len(flat), 17, 1), np.float32)], 2),
            "camera_name": [one.facts.camera_name for one in ones for _ in one.frames],
            "source": [f"{one.facts.subject}_{one.facts.action}" for one in ones for _ in one.frames],
        }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "h36m_sh_conf_cam_source_final.pkl").write_bytes(pickle.dumps(content))


def write_pstmo(data: PreparedDataset, folder: Path) -> None:
    """data_{train,test}_3dhp.npz."""
    training: dict[str, Any] = {}
    tests: dict[str, Any] = {}
    for one in data.sequences():
        assert one.joints_universal_m is not None
        arrays = {"data_2d": one.keypoints_px[:, _MPI], "data_3d": one.joints_universal_m[:, _MPI] * 1000}
        if one.facts.split == "train":
            entry = training.setdefault(f"{one.facts.subject} {one.facts.action}", [{}, one.facts.frame_rate_hz])
            entry[0][one.facts.camera_name] = arrays
        else:
            tests[one.facts.subject] = {**arrays, "valid": one.valid.astype(np.float64)}
    _save(folder / "data_train_3dhp.npz", data=training)
    _save(folder / "data_test_3dhp.npz", data=tests)


def write_adaptpose_3dhp(data: PreparedDataset, folder: Path) -> None:
    """data_3dhp_gt_test.npz, data_3dhp_gt_train.npz and data_3dhp_gt_train_3d.npz."""
    flat: dict[str, Any] = {"test": {}, "train": {}}
    solid: dict[str, Any] = {"test": {}, "train": {}}
    for one in data.sequences():
        facts = one.facts
        two, three = data.to_h36m16(one.keypoints_px), data.to_h36m16(_solid(one)) * 1000
        if facts.split == "test":
            flat["test"][facts.subject], solid["test"][facts.subject] = two, three
        else:
            flat["train"].setdefault(facts.subject, {}).setdefault(facts.action, {})[facts.camera_name] = two[
                :, _SWAPPED
            ]
            solid["train"].setdefault(facts.subject, {}).setdefault(facts.action, []).append(three)
    _save(folder / "data_3dhp_gt_test.npz", positions_2d=flat["test"], positions_3d=solid["test"])
    _save(folder / "data_3dhp_gt_train.npz", positions_2d=flat["train"])
    _save(folder / "data_3dhp_gt_train_3d.npz", positions_3d=solid["train"])


def write_mmpose_3dhp(data: PreparedDataset, folder: Path) -> None:
    """mpi_inf_3dhp_{train,test_valid}.npz in the test set's order; without cameras."""
    for split, name in (("train", "train"), ("test", "test_valid")):
        rows = []
        for one in data.sequences(split):
            facts = one.facts
            take = f"{facts.subject}_{facts.action}_Cam{facts.camera_name}" if facts.action else facts.subject
            names = [f"{take}_{frame:06d}.jpg" for frame in one.frames[one.valid]]
            rows.append((names, one.keypoints_px[one.valid][:, _MPI], _solid(one)[one.valid][:, _MPI]))
        _save_rows(folder / f"mpi_inf_3dhp_{name}.npz", rows)


def write_spin(data: PreparedDataset, folder: Path) -> None:
    """mpi_inf_3dhp_{train,valid}.npz with SPIN's 24 joints, relative to the root."""
    for split, name in (("train", "train"), ("test", "valid")):
        rows = []
        for one in data.sequences(split):
            facts = one.facts
            where = f"{facts.subject}/{facts.action}/imageFrames/video_{facts.camera_name}/frame"
            where = where if facts.action else f"mpi_inf_3dhp_test_set/{facts.subject}/imageSequence/img"
            solid = _solid(one) if facts.action else one.joints_universal_m
            assert solid is not None
            two, three = (np.zeros((one.valid.sum(), 24, size)) for size in (2, 3))
            two[:, list(_SPIN_PLACES)] = data.to_h36m16(one.keypoints_px)[one.valid]
            three[:, list(_SPIN_PLACES)] = data.to_h36m16(solid - solid[:, :1])[one.valid]
            rows.append(([f"{where}_{frame:06d}.jpg" for frame in one.frames[one.valid]], two, three))
        _save_rows(folder / f"mpi_inf_3dhp_{name}.npz", rows)


def write_poseaug(data: PreparedDataset, folder: Path) -> None:
    """test_3dhp.npz of 2,929 frames: each test sequence over and over."""
    flat, solid = [], []
    for one in data.sequences("test"):
        rows = np.resize(np.flatnonzero(one.valid), VALID_FRAMES_3DHP[one.facts.subject])
        width, height = image_size_3dhp(one.facts.subject)
        assert one.joints_universal_m is not None
        flat.append(data.to_h36m16(one.keypoints_px[rows]) * 2 / width - np.array([1, height / width]))
        solid.append(data.to_h36m16(one.joints_universal_m[rows]))
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(folder / "test_3dhp.npz", pose3d=np.concatenate(solid), pose2d=np.concatenate(flat))


def write_adaptpose_3dpw(data: PreparedDataset, folder: Path) -> None:
    """data_3dpw_gt_{train,test}.npz: rows end to end, images padded to squares, the test file's legs exchanged."""
    folder.mkdir(parents=True, exist_ok=True)
    for split in ("train", "test"):
        flat, solid = [], []
        for one in data.sequences(split):
            assert one.camera is not None
            side = max(one.camera.width, one.camera.height)
            pad = (side - np.array([one.camera.width, one.camera.height])) / 2
            flat.append((data.to_h36m16(one.keypoints_px) + pad) * 2 / side - 1)
            solid.append(data.to_h36m16(_solid(one)))
        order = _LEGS if split == "test" else list(range(16))
        two, three = np.concatenate(flat)[:, order], np.concatenate(solid)[:, order]
        np.savez(folder / f"data_3dpw_gt_{split}.npz", positions_2d=two, positions_3d=three)


def write_adaptpose_ski(data: PreparedDataset, folder: Path) -> None:
    """data_skii_gt_{train,test}.npz: rows end to end, 2D in shares of the crop."""
    folder.mkdir(parents=True, exist_ok=True)
    for split in ("train", "test"):
        ones = list(data.sequences(split))
        two = np.concatenate([data.to_h36m16(one.keypoints_px) / 256 for one in ones])
        three = np.concatenate([data.to_h36m16(_solid(one)) for one in ones])
        np.savez(folder / f"data_skii_gt_{split}.npz", positions_2d=two, positions_3d=three)


DERIVED: dict[str, tuple[str, Callable[..., None]]] = {
    "VideoPose3D": ("h36m", write_videopose3d),
    "mmpose h36m": ("h36m", write_mmpose_h36m),
    "MotionBERT": ("h36m", write_motionbert),
    "P-STMO": ("3dhp", write_pstmo),
    "AdaptPose 3DHP": ("3dhp", write_adaptpose_3dhp),
    "mmpose 3DHP": ("3dhp", write_mmpose_3dhp),
    "SPIN": ("3dhp", write_spin),
    "PoseAug": ("3dhp", write_poseaug),
    "AdaptPose 3DPW": ("3dpw", write_adaptpose_3dpw),
    "AdaptPose Ski-Pose": ("ski", write_adaptpose_ski),
}
"""Data set and writer by the name of the kind."""


def _solid(one: PreparedSequence) -> np.ndarray:
    assert one.joints_camera_m is not None
    return one.joints_camera_m


def _save(path: Path, **objects: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, **objects)


def _save_rows(path: Path, rows: list[tuple[list[str], np.ndarray, np.ndarray]]) -> None:
    seen = [(np.ones((*two.shape[:2], 1)),) for _, two, _ in rows]
    _save(
        path,
        imgname=np.array([name for names, _, _ in rows for name in names]),
        part=np.concatenate([np.concatenate([two, *one], 2) for (_, two, _), one in zip(rows, seen, strict=True)]),
        S=np.concatenate([np.concatenate([three, *one], 2) for (_, _, three), one in zip(rows, seen, strict=True)]),
    )
