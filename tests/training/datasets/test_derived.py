"""Files that others made of the data sets, against the official ones that they were made of."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sdk.errors import BadDataset
from training.datasets.miniature.derived import DERIVED, write_videopose3d
from training.datasets.miniature.writing import write_miniature
from training.datasets.preparation import prepare
from training.datasets.prepared import PreparedDataset
from training.datasets.readers.finding import find_layouts
from training.datasets.sequence import PreparedSequence


@pytest.fixture(scope="module")
def official(tmp_path_factory: pytest.TempPathFactory) -> dict[str, PreparedDataset]:
    from training.datasets.miniature.human36m import write_human36m
    from training.datasets.miniature.mpi_inf_3dhp import write_mpi_inf_3dhp

    made = {}
    for data_set in ("h36m", "3dhp", "3dpw", "ski"):
        place = tmp_path_factory.mktemp(data_set)
        if data_set == "h36m":
            write_human36m(place / "files", frames=24, subjects=("S1", "S9"), takes=("Directions 1", "Walking"))
        elif data_set == "3dhp":
            write_mpi_inf_3dhp(place / "files", frames=24, subjects=(1,))
        else:
            write_miniature(data_set, place / "files", frames=12)
        made[data_set] = prepare(data_set, place / "files", place / "out").data
    return made


def derived(official: dict[str, PreparedDataset], name: str, folder: Path) -> dict[str, PreparedSequence]:
    data_set, write = DERIVED[name]
    write(official[data_set], folder)
    (layout,) = find_layouts(data_set, folder)
    return {one.facts.name: one for unit in layout.units for one in unit.sequences()}


def originals(data: PreparedDataset) -> dict[str, PreparedSequence]:
    return {one.facts.name: one for one in data.sequences()}


def assert_same_joints(one: np.ndarray | None, other: np.ndarray | None, atol: float = 1e-4) -> None:
    assert one is not None
    assert other is not None
    assert_allclose(one, other, atol=atol, rtol=1e-5)


def test_videopose3d(official: dict[str, PreparedDataset], tmp_path: Path) -> None:
    """World to camera through cameras that are fitted: a millimetre."""
    read, known = derived(official, "VideoPose3D", tmp_path), originals(official["h36m"])
    assert set(read) == set(known)
    for name, one in read.items():
        assert_same_joints(one.joints_camera_m, known[name].joints_camera_m, atol=2e-3)
        assert_allclose(one.keypoints_px, known[name].keypoints_px)
        assert one.camera is not None
        assert "fitted" in one.facts.notes[0]
        assert_allclose(one.camera.project(one.joints_camera_m), one.keypoints_px, atol=0.05)


def test_videopose3d_with_metadata_and_poseaugs_16(official: dict[str, PreparedDataset], tmp_path: Path) -> None:
    data = official["h36m"]
    write_videopose3d(data, tmp_path, joints=16)
    shutil.copy(data.folder.parent / "files/metadata.xml", tmp_path)
    (layout,) = find_layouts("h36m", tmp_path)
    assert layout.joint_order == "h36m16"
    known = originals(data)
    for unit in layout.units:
        for one in unit.read(()):
            assert_same_joints(one.joints_camera_m, data.to_h36m16(known[one.facts.name].joints_camera_m), atol=1e-5)  # type: ignore[arg-type]
            assert one.facts.notes == ()


def test_detections_are_not_taken_for_exact_2d(official: dict[str, PreparedDataset], tmp_path: Path) -> None:
    write_videopose3d(official["h36m"], tmp_path)
    exact = tmp_path / "data_2d_h36m_gt.npz"
    content = np.load(exact, allow_pickle=True)["positions_2d"].item()  # ours, written a moment ago
    generator = np.random.default_rng(0)
    rough = {
        subject: {
            action: [np.concatenate([view + generator.normal(0, 5, view.shape), view[:2]]) for view in views]
            for action, views in actions.items()
        }
        for subject, actions in content.items()
    }
    np.savez(tmp_path / "data_2d_h36m_cpn.npz", positions_2d=rough)
    (layout,) = find_layouts("h36m", tmp_path)
    assert any("cpn" in line for line in layout.left_out)
    exact.unlink()
    with pytest.raises(BadDataset, match=r"data_2d_h36m_gt\.npz.*Tried"):
        find_layouts("h36m", tmp_path)


def test_mmpose_h36m(official: dict[str, PreparedDataset], tmp_path: Path) -> None:
    read, known = derived(official, "mmpose h36m", tmp_path), originals(official["h36m"])
    assert set(read) == set(known)
    for name, one in read.items():
        assert_same_joints(one.joints_camera_m, known[name].joints_camera_m[::5])  # type: ignore[index]
        assert (one.facts.frame_rate_hz, one.facts.frame_step) == (10.0, 5)
        assert len(one.pieces()) == 1
        assert one.camera is not None
        assert known[name].camera is not None
        assert_allclose(one.camera.distortion, known[name].camera.distortion)  # type: ignore[union-attr]


def test_motionbert_gives_its_2d(official: dict[str, PreparedDataset], tmp_path: Path) -> None:
    read, known = derived(official, "MotionBERT", tmp_path), originals(official["h36m"])
    assert set(read) == set(known)
    for name, one in read.items():
        assert one.joints_camera_m is None
        assert_allclose(one.keypoints_px, known[name].keypoints_px)


def test_pstmo(official: dict[str, PreparedDataset], tmp_path: Path) -> None:
    read, known = derived(official, "P-STMO", tmp_path), originals(official["3dhp"])
    assert set(read) == set(known)
    for name, one in read.items():
        assert one.joints_camera_m is None
        assert_same_joints(one.joints_universal_m, known[name].joints_universal_m)
        assert_allclose(one.valid, known[name].valid)
        assert one.facts.frame_rate_hz == known[name].facts.frame_rate_hz


def test_adaptpose_3dhp(official: dict[str, PreparedDataset], tmp_path: Path) -> None:
    """Left and right come out right, though the file has them exchanged in 2D and not in 3D."""
    data = official["3dhp"]
    read, known = derived(official, "AdaptPose 3DHP", tmp_path), originals(data)
    assert set(read) == set(known)
    for name, one in read.items():
        assert_allclose(one.keypoints_px, data.to_h36m16(known[name].keypoints_px), rtol=1e-6)
        assert_same_joints(one.joints_camera_m, data.to_h36m16(known[name].joints_camera_m))  # type: ignore[arg-type]
        assert one.valid.all()


def test_adaptpose_3dhp_that_does_not_project(official: dict[str, PreparedDataset], tmp_path: Path) -> None:
    data = official["3dhp"]
    one = next(data.sequences("test"))
    assert one.joints_universal_m is not None
    solid = data.to_h36m16(one.joints_universal_m - one.joints_universal_m[:, :1] + (0, 0, 4)) * 1000
    flat = {"TS1": data.to_h36m16(one.keypoints_px)}
    np.savez(tmp_path / "data_3dhp_gt_test.npz", positions_2d=flat, positions_3d={"TS1": solid})
    (layout,) = find_layouts("3dhp", tmp_path)
    read = next(layout.units[0].read(()))
    assert read.joints_camera_m is None
    assert "universal" in read.facts.notes[-1]


@pytest.mark.parametrize("name", ["mmpose 3DHP", "SPIN"])
def test_rows_of_3dhp(official: dict[str, PreparedDataset], tmp_path: Path, name: str) -> None:
    data = official["3dhp"]
    read, known = derived(official, name, tmp_path), originals(data)
    assert set(read) == set(known)
    for key, one in read.items():
        rows = known[key].valid
        assert_allclose(one.frames, known[key].frames[rows])
        if name == "SPIN":
            test = key.startswith("TS")
            truth = known[key].joints_universal_m if test else known[key].joints_camera_m
            assert truth is not None
            ours = one.joints_universal_m if test else one.joints_camera_m
            assert_same_joints(ours, data.to_h36m16(truth - truth[:, :1])[rows])
            assert not one.facts.root_known
        else:
            assert_same_joints(one.joints_camera_m, known[key].joints_camera_m[rows])  # type: ignore[index]
            assert one.camera is not None
            assert_allclose(one.camera.project(one.joints_camera_m), one.keypoints_px, atol=0.05)
    assert len(read["TS1"].pieces()) > 1


def test_poseaug(official: dict[str, PreparedDataset], tmp_path: Path) -> None:
    data = official["3dhp"]
    read, known = derived(official, "PoseAug", tmp_path), originals(data)
    assert sum(one.facts.count for one in read.values()) == 2929
    one = read["TS6"]
    first = np.flatnonzero(known["TS6"].valid)[0]
    assert_allclose(one.keypoints_px[0], data.to_h36m16(known["TS6"].keypoints_px)[first], rtol=1e-5)
    assert len(one.pieces()) == one.facts.count == 452
    np.savez(tmp_path / "test_3dhp.npz", pose3d=np.zeros((5, 16, 3)), pose2d=np.zeros((5, 16, 2)))
    (layout,) = find_layouts("3dhp", tmp_path)
    with pytest.raises(BadDataset, match="2,929"):
        list(layout.units[0].read(()))


@pytest.mark.parametrize(("name", "data_set"), [("AdaptPose 3DPW", "3dpw"), ("AdaptPose Ski-Pose", "ski")])
def test_rows_end_to_end(official: dict[str, PreparedDataset], tmp_path: Path, name: str, data_set: str) -> None:
    data = official[data_set]
    read = derived(official, name, tmp_path)
    assert len(read) == 2
    for split in ("train", "test"):
        ones = list(data.sequences(split))
        (one,) = [one for one in read.values() if one.facts.split == split]
        truth = np.concatenate([data.to_h36m16(known.joints_camera_m) for known in ones])  # type: ignore[arg-type]
        assert_same_joints(one.joints_camera_m, truth - truth[:, :1])
        if data_set == "ski":
            flat = np.concatenate([data.to_h36m16(known.keypoints_px) for known in ones])
            assert_allclose(one.keypoints_px, flat, rtol=1e-4, atol=1e-3)


def test_what_is_of_another_data_set_is_not_taken(official: dict[str, PreparedDataset], tmp_path: Path) -> None:
    for name, (data_set, write) in DERIVED.items():
        place = tmp_path / name.replace(" ", "_")
        write(official[data_set], place)
        for other in ("h36m", "3dhp"):
            found = find_layouts(other, place)
            assert [layout.data_set for layout in found] == ([data_set] if other == data_set else [])


def test_several_kinds_in_one_folder_must_be_chosen_from(official: dict[str, PreparedDataset], tmp_path: Path) -> None:
    files = tmp_path / "files"
    for name in ("P-STMO", "PoseAug"):
        DERIVED[name][1](official["3dhp"], files)
    with pytest.raises(BadDataset, match=r"P-STMO's npz, PoseAug's.*--layout"):
        prepare("3dhp", files, tmp_path / "out")
    made = prepare("3dhp", files, tmp_path / "out", layout="PoseAug's test_3dhp.npz")
    assert made.data.counts["test"]["poses"] == 2929
