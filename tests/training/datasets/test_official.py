"""Each reader gives back what is in official files, read here by index and by hand."""

from __future__ import annotations

import pickle
import shutil
from pathlib import Path

import cdflib
import h5py
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.io import loadmat

from sdk.errors import BadDataset
from sdk.skeletons.skeleton import H36M17
from training.datasets.camera import SequenceCamera
from training.datasets.joints import H36M32_TO_17, MPI17_TO_H36M17, MPI28_TO_H36M17, SMPL24
from training.datasets.miniature import human36m, mpi_inf_3dhp, pw3d
from training.datasets.miniature.human36m import write_human36m
from training.datasets.miniature.mpi_inf_3dhp import write_mpi_inf_3dhp
from training.datasets.readers.finding import find_layouts
from training.datasets.readers.human36m_metadata import camera_of
from training.datasets.sequence import PreparedSequence


def read(data_set: str, folder: Path) -> dict[str, PreparedSequence]:
    (layout,) = find_layouts(data_set, folder)
    return {sequence.facts.name: sequence for unit in layout.units for sequence in unit.sequences()}


def assert_projects(sequence: PreparedSequence, within_px: float = 1e-2) -> None:
    assert sequence.camera is not None
    assert sequence.joints_camera_m is not None
    off = sequence.camera.project(sequence.joints_camera_m) - sequence.keypoints_px
    assert np.abs(off).max() < within_px


def test_joint_maps_pick_the_joints_of_these_names() -> None:
    """The files' own orders, as they are drawn, against the order of the prepared data."""
    ours = {"thorax": "thorax", "nose": "nose", "head": "head"}
    names = [ours.get(name, name) for name in H36M17.joints]
    assert [human36m._JOINTS[joint] for joint in H36M32_TO_17] == names
    of_3dhp = ["spine1" if name == "spine" else name for name in names]
    assert [mpi_inf_3dhp._JOINTS[joint] for joint in MPI28_TO_H36M17] == of_3dhp
    test = [mpi_inf_3dhp._JOINTS[joint] for joint in mpi_inf_3dhp._TEST_JOINTS]
    assert [test[joint] for joint in MPI17_TO_H36M17] == of_3dhp
    same = {"spine2": "spine", "neck": "thorax"}
    assert list(pw3d._JOINTS) == [same.get(name, name) for name in SMPL24.joints]


def test_one_real_frame_of_3dhp() -> None:
    """TS1, image 2001, in mmpose's test data: the pelvis in metres, its pixel, and the fitted camera."""
    camera = SequenceCamera(np.array([[1500.0, 1500.6, 1017.4, 1043.0]]), 2048, 2048, np.zeros(5))
    pixel = camera.project(np.array([[[0.0228, -0.2575, 3.1615]]]))[0, 0]
    assert_allclose(pixel, [1028.2, 920.8], atol=0.1)
    assert MPI17_TO_H36M17[0] == 14  # the pelvis of the test set


def test_human36m(miniatures: dict[str, Path]) -> None:
    sequences = read("h36m", miniatures["h36m"])
    assert len(sequences) == (7 * 3 - 1) * 4  # S11 Directions is left out, _ALL too
    for sequence in sequences.values():
        assert_projects(sequence)
    one = sequences["S9_Directions-1_58860488"]
    features = miniatures["h36m"] / "S9/MyPoseFeatures"
    mono = cdflib.CDF(features / "D3_Positions_mono/Directions 1.58860488.cdf")["Pose"][0]
    pixels = cdflib.CDF(features / "D2_Positions/Directions 1.58860488.cdf")["Pose"][0]
    world = cdflib.CDF(features / "D3_Positions/Directions 1.cdf")["Pose"][0]
    moving = [0, 1, 2, 3, 6, 7, 8, 12, 13, 14, 15, 17, 18, 19, 25, 26, 27]
    assert one.joints_camera_m is not None
    assert one.camera is not None
    assert_allclose(one.joints_camera_m, mono.reshape(-1, 32, 3)[:, moving] / 1000, rtol=1e-6)
    assert_allclose(one.keypoints_px, pixels.reshape(-1, 32, 2)[:, moving], rtol=1e-6)
    back = one.camera.to_world(one.joints_camera_m)
    assert back is not None
    assert_allclose(back, world.reshape(-1, 32, 3)[:, moving] / 1000, atol=1e-4)
    assert (one.facts.subject, one.facts.action, one.facts.split) == ("S9", "Directions 1", "test")
    assert (one.facts.frame_rate_hz, one.camera.width, one.camera.height) == (50.0, 1000, 1000)
    assert one.facts.notes == ()


def test_angles_of_metadata_by_hand() -> None:
    """Rx(90 degrees) after Rz(90 degrees): world y is turned to -x by Rz and stays there."""
    camera = camera_of(np.array([np.pi / 2, 0, np.pi / 2]), np.array([1.0, 2, 3]), np.ones(9), (10, 10))
    assert camera.rotation_world_to_camera is not None
    assert camera.translation_world_to_camera_m is not None
    rotation = camera.rotation_world_to_camera[0]
    assert_allclose(rotation @ [0, 1, 0], [-1, 0, 0], atol=1e-12)
    assert_allclose(rotation @ [1, 0, 0], [0, 0, 1], atol=1e-12)
    assert_allclose(rotation @ [1, 2, 3] + camera.translation_world_to_camera_m[0], 0, atol=1e-12)


def test_human36m_without_metadata_or_pixels(tmp_path: Path) -> None:
    write_human36m(tmp_path, frames=24, subjects=("S1",), takes=("Walking",))
    with_all = read("h36m", tmp_path)["S1_Walking_54138969"]
    (tmp_path / "S1/MyPoseFeatures/D2_Positions/Walking.54138969.cdf").unlink()
    projected = read("h36m", tmp_path)["S1_Walking_54138969"]
    assert_allclose(projected.keypoints_px, with_all.keypoints_px, atol=1e-2)
    assert "projected" in projected.facts.notes[0]
    (tmp_path / "metadata.xml").unlink()
    (layout,) = find_layouts("h36m", tmp_path)
    assert any("Walking.54138969.cdf has no 2D" in line for line in layout.missing)
    fitted = read("h36m", tmp_path)["S1_Walking_55011271"]
    assert_projects(fitted)
    assert "fitted" in fitted.facts.notes[0]
    assert fitted.camera is not None
    assert fitted.camera.rotation_world_to_camera is None


def test_human36m_with_the_world_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Poses_D3_Positions and metadata.xml, as VideoPose3D asks for; found from within the subject's folder, too."""
    write_human36m(tmp_path, frames=24, subjects=("S1",), takes=("Walking",))
    known = read("h36m", tmp_path)
    for name in ("D3_Positions_mono", "D2_Positions"):
        shutil.rmtree(tmp_path / "S1/MyPoseFeatures" / name)
    brought = read("h36m", tmp_path)
    assert set(brought) == set(known)
    for name, one in brought.items():
        assert_allclose(one.joints_camera_m, known[name].joints_camera_m, atol=1e-5)  # type: ignore[arg-type]
        assert_allclose(one.keypoints_px, known[name].keypoints_px, atol=1e-2)
    (tmp_path / "metadata.xml").unlink()
    monkeypatch.chdir(tmp_path / "S1")
    with pytest.raises(BadDataset, match=r"metadata\.xml to make it of D3_Positions"):
        read("h36m", Path())


def test_a_world_that_is_not_the_cameras_is_told(tmp_path: Path) -> None:
    write_human36m(tmp_path, frames=24, subjects=("S1",), takes=("Walking",))
    text = (tmp_path / "metadata.xml").read_text()
    start = text.index("[") + 1
    first = text[start:].split(" ", 1)[0]
    (tmp_path / "metadata.xml").write_text(text[:start] + str(float(first) + 0.5) + text[start + len(first) :])
    one = read("h36m", tmp_path)["S1_Walking_54138969"]
    assert one.camera is not None
    assert one.camera.rotation_world_to_camera is None
    assert "beside D3_Positions" in one.facts.notes[0]


def test_3dhp_training(miniatures: dict[str, Path]) -> None:
    sequences = read("3dhp", miniatures["3dhp"])
    training = {name: one for name, one in sequences.items() if one.facts.split == "train"}
    assert len(training) == 3 * 2 * 14
    one = training["S2_Seq1_7"]
    content = loadmat(miniatures["3dhp"] / "S2/Seq1/annot.mat")
    order = [4, 23, 24, 25, 18, 19, 20, 3, 5, 6, 7, 9, 10, 11, 14, 15, 16]
    for key, ours, scale, size in (
        ("annot2", one.keypoints_px, 1, 2),
        ("annot3", one.joints_camera_m, 1000, 3),
        ("univ_annot3", one.joints_universal_m, 1000, 3),
    ):
        assert ours is not None
        assert_allclose(ours, content[key][7, 0].reshape(-1, 28, size)[:, order] / scale, rtol=1e-6, atol=1e-7)
    for sequence in training.values():
        assert_projects(sequence)
        assert sequence.camera is not None
        assert (sequence.camera.width, sequence.camera.height) == (2048, 2048)
    assert training["S1_Seq2_0"].facts.frame_rate_hz == 50
    assert one.facts.frame_rate_hz == 25
    assert_array_equal(one.frames, content["frames"].ravel())


def test_cameras_of_one_3dhp_sequence_see_one_world(miniatures: dict[str, Path]) -> None:
    worlds = []
    for name, one in read("3dhp", miniatures["3dhp"]).items():
        if name.startswith("S1_Seq1"):
            assert one.camera is not None
            assert one.joints_camera_m is not None
            worlds.append(one.camera.to_world(one.joints_camera_m))
    assert len(worlds) == 14
    for world in worlds:
        assert world is not None
        assert_allclose(world, worlds[0], atol=1e-5)


def test_3dhp_test_set(miniatures: dict[str, Path]) -> None:
    sequences = read("3dhp", miniatures["3dhp"])
    one = sequences["TS5"]
    with h5py.File(miniatures["3dhp"] / "TS5/annot_data.mat") as file:
        order = [14, 8, 9, 10, 11, 12, 13, 15, 1, 16, 0, 5, 6, 7, 2, 3, 4]
        assert_allclose(one.keypoints_px, file["annot2"][:][:, 0, order], rtol=1e-6)
        assert_allclose(one.joints_camera_m, file["annot3"][:][:, 0, order] / 1000, rtol=1e-6, atol=1e-7)
        assert_allclose(one.joints_universal_m, file["univ_annot3"][:][:, 0, order] / 1000, rtol=1e-6, atol=1e-7)
        assert_array_equal(one.valid, file["valid_frame"][:, 0] == 1)
        assert_array_equal(one.activity, file["activity_annotation"][:, 0])
    assert not one.valid[5:9].any()
    assert one.camera is not None
    assert_allclose(one.camera.intrinsics_px[0], [1683.5, 1672, 939.9, 560.1], rtol=1e-5)
    assert (one.camera.width, one.camera.height) == (1920, 1080)
    for name in ("TS1", "TS2", "TS3", "TS4", "TS5", "TS6"):
        assert_projects(sequences[name])
        assert sequences[name].facts.split == "test"


def test_frames_beyond_the_official_count_are_no_part_of_it(tmp_path: Path) -> None:
    write_mpi_inf_3dhp(tmp_path, frames=470, subjects=(), tests=(6,))
    assert read("3dhp", tmp_path)["TS6"].facts.count == 492


def test_3dhp_without_calibration(tmp_path: Path) -> None:
    write_mpi_inf_3dhp(tmp_path, frames=24, subjects=(1,), tests=())
    (tmp_path / "S1/Seq1/camera.calibration").unlink()
    one = read("3dhp", tmp_path)["S1_Seq1_3"]
    assert_projects(one)
    assert "fitted" in one.facts.notes[0]


def test_3dpw(miniatures: dict[str, Path]) -> None:
    sequences = read("3dpw", miniatures["3dpw"])
    assert [name for name in sequences if name.startswith("test_downtown_walking")] == [
        "test_downtown_walking_00_0",
        "test_downtown_walking_00_1",
    ]
    one = sequences["test_downtown_walking_00_1"]
    path = miniatures["3dpw"] / "sequenceFiles/test/downtown_walking_00.pkl"
    content = pickle.loads(path.read_bytes(), encoding="latin1")  # ours, written a moment ago
    world = content["jointPositions"][1].reshape(-1, 24, 3)
    for image in (0, 9):
        there = content["cam_poses"][image] @ np.append(world[image, 4], 1)
        assert one.joints_camera_m is not None
        assert_allclose(one.joints_camera_m[image, 4], there[:3], rtol=1e-5)
        pixel = content["cam_intrinsics"] @ there[:3]
        assert_allclose(one.keypoints_px[image, 4], pixel[:2] / pixel[2], rtol=1e-6)
    assert one.camera is not None
    assert (one.camera.width, one.camera.height, one.facts.person) == (1080, 1920, 1)
    first = sequences["test_downtown_walking_00_0"]
    assert np.flatnonzero(~first.valid).tolist() == [3, 4, 5]
    back = one.camera.to_world(one.joints_camera_m)
    assert back is not None
    assert_allclose(back, world, atol=1e-5)


def test_missing_images_of_3dpw_cut_a_sequence(miniatures: dict[str, Path]) -> None:
    sequences = read("3dpw", miniatures["3dpw"])
    count = sequences["test_outdoors_fencing_01_0"].facts.count
    assert sequences["test_outdoors_fencing_01_0"].pieces() == [slice(0, count // 2), slice(count // 2, count)]
    assert len(sequences["test_downtown_cafe_00_0"].pieces()) == 1


def test_ski_pose(miniatures: dict[str, Path]) -> None:
    sequences = read("ski", miniatures["ski"])
    assert len(sequences) == 5 * 6
    for one in sequences.values():
        assert_projects(one)
        assert one.facts.frame_rate_hz is None
    one = sequences["train_seq_001_cam_03"]
    with h5py.File(miniatures["ski"] / "train/labels.h5") as file:
        rows = np.flatnonzero((file["seq"][:] == 1) & (file["cam"][:] == 3))
        rows = rows[np.argsort(file["frame"][:][rows])]
        relative, pixels = file["3D"][:][rows].reshape(-1, 17, 3), file["2D"][:][rows].reshape(-1, 17, 2) * 256
        assert_array_equal(one.frames, file["frame"][:][rows])
    assert one.joints_camera_m is not None
    assert_allclose(one.joints_camera_m - one.joints_camera_m[:, :1], relative, atol=1e-5)
    assert_allclose(one.keypoints_px, pixels, rtol=1e-5)
    assert len(one.pieces()) > 1
    centers = np.loadtxt(miniatures["ski"] / "ski_centers.csv")
    place = centers[(centers[:, 0] == 1) & np.isin(centers[:, 1], one.frames)]
    assert one.camera is not None
    world = one.camera.to_world(one.joints_camera_m)
    assert world is not None
    assert_allclose(world[:, 0], place[:, 2:], atol=1e-4)


def test_ski_pose_without_centers(tmp_path: Path, miniatures: dict[str, Path]) -> None:
    (tmp_path / "test").mkdir()
    (tmp_path / "test/labels.h5").write_bytes((miniatures["ski"] / "test/labels.h5").read_bytes())
    (layout,) = find_layouts("ski", tmp_path)
    assert any("ski_centers.csv" in line for line in layout.missing)
    assert "train/labels.h5" in layout.missing
    one = next(layout.units[0].read(()))
    assert not one.facts.root_known
    assert one.camera is None
    assert one.joints_camera_m is not None
    assert_allclose(one.joints_camera_m[:, 0], 0, atol=1e-7)


@pytest.mark.parametrize("data_set", ["h36m", "3dhp", "3dpw", "ski"])
def test_what_is_done_is_not_given_again(miniatures: dict[str, Path], data_set: str) -> None:
    (layout,) = find_layouts(data_set, miniatures[data_set])
    unit = layout.units[0]
    names = [sequence.facts.name for sequence in unit.sequences()]
    assert [sequence.facts.name for sequence in unit.read(set(names[:-1]))] == names[-1:]
    assert list(unit.read(set(names))) == []
