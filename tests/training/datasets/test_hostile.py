"""Damaged copies of every kind of file: one clear error, or valid sequences; see `benchmarks.fuzzing`."""

from __future__ import annotations

import pickle
import shutil
import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from scipy.io import loadmat, savemat

from benchmarks import fuzzing
from benchmarks.broken_files.data_sets import DATA_SETS
from sdk.errors import BadDataset
from training.datasets.readers.finding import find_layouts
from training.datasets.sequence import PreparedSequence

INPUTS = 10


@pytest.mark.parametrize("name", DATA_SETS)
def test_damaged_copies(name: str) -> None:
    write, read = DATA_SETS[name]
    answers = fuzzing.fuzz(write, INPUTS, seed=len(name), read=read)
    assert answers.failures == []
    assert answers.counts["refused"] > 0


def read(data_set: str, folder: Path) -> list[PreparedSequence]:
    return [one for layout in find_layouts(data_set, folder) for unit in layout.units for one in unit.sequences()]


class Calls:
    def __reduce__(self) -> Any:
        return print, ("run",)


def test_a_pickle_that_calls_is_refused(tmp_path: Path) -> None:
    (tmp_path / "test").mkdir()
    (tmp_path / "test/a.pkl").write_bytes(pickle.dumps({"jointPositions": [Calls()], "cam_poses": 1}))
    with pytest.raises(BadDataset, match=r"a\.pkl.*refused.*print"):
        read("3dpw", tmp_path)
    np.savez(tmp_path / "x.npz", data=np.array({"TS1": Calls()}))
    with pytest.raises(BadDataset, match=r"x\.npz.*refused"):
        read("3dhp", tmp_path)


@pytest.mark.skipif(sys.platform == "win32", reason="few links there")
def test_linked_folders_are_read_and_links_to_nothing_are_told(tmp_path: Path) -> None:
    """As DVC, git-annex and users with a second disk leave them."""
    write, _ = DATA_SETS["3DHP annot.mat"]
    there, here = tmp_path / "disk", tmp_path / "here"
    there.mkdir()
    write(there)
    here.mkdir()
    (here / "S1").symlink_to(there / "S1")
    assert len(read("3dhp", here)) == len(read("3dhp", there)) > 0
    (here / "S2" / "Seq1").mkdir(parents=True)
    (here / "S2" / "Seq1" / "annot.mat").symlink_to("nowhere")
    with pytest.raises(BadDataset, match=r"S2/Seq1/annot\.mat is a link to nothing\. Fetch it"):
        read("3dhp", here)


def test_another_unit_is_told(tmp_path: Path) -> None:
    """Metres where 3DHP has millimetres."""
    write, _ = DATA_SETS["3DHP annot.mat"]
    path = write(tmp_path) / "S1/Seq1/annot.mat"
    content = {key: value for key, value in loadmat(path).items() if not key.startswith("__")}
    for camera in range(14):
        content["annot3"][camera, 0] = content["annot3"][camera, 0] / 1000
    savemat(path, content)
    with pytest.raises(BadDataset, match="no person in metres"):
        read("3dhp", tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"annot3": None}, "lacks annot3"),
        ({"annot2": np.zeros((14, 56))}, "not 14 cells"),
        ({"annot2": np.full((14, 1), None)}, "not .T, 56."),
    ],
)
def test_renamed_and_other_arrays_of_annot_mat(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    write, _ = DATA_SETS["3DHP annot.mat"]
    path = write(tmp_path) / "S1/Seq1/annot.mat"
    content = {key: value for key, value in loadmat(path).items() if not key.startswith("__")}
    content |= change
    savemat(path, {key: _cells(value) for key, value in content.items() if value is not None})
    with pytest.raises(BadDataset, match=message):
        read("3dhp", tmp_path)


def _cells(value: np.ndarray) -> np.ndarray:
    """Without the None that MATLAB has no word for."""
    if value.dtype == object and value[0, 0] is None:
        value = np.empty((14, 1), object)
        value[:] = [[np.zeros((2, 2))]] * 14
    return value


def test_matlab_files_of_the_other_kind(tmp_path: Path) -> None:
    """Both end in .mat: a test set's file in the place of a training file, and the other way round."""
    train, test = DATA_SETS["3DHP annot.mat"][0](tmp_path / "a"), DATA_SETS["3DHP annot_data.mat"][0](tmp_path / "b")
    shutil.copy(test / "TS1/annot_data.mat", train / "S1/Seq1/annot.mat")
    with pytest.raises(BadDataset, match="MATLAB 5"):
        read("3dhp", train)
    write = DATA_SETS["3DHP annot.mat"][0]
    shutil.copy(write(tmp_path / "c") / "S1/Seq1/annot.mat", test / "TS1/annot_data.mat")
    with pytest.raises(BadDataset, match="HDF5"):
        read("3dhp", test)


def test_a_cut_camera_file_names_the_camera(tmp_path: Path) -> None:
    folder = DATA_SETS["3DHP annot.mat"][0](tmp_path)
    path = folder / "S1/Seq1/camera.calibration"
    path.write_text("\n".join(path.read_text().splitlines()[:33]))
    with pytest.raises(BadDataset, match="camera 4 is cut off"):
        read("3dhp", folder)


def test_an_hdf5_array_that_claims_gigabytes(tmp_path: Path) -> None:
    folder = DATA_SETS["Ski-Pose labels.h5"][0](tmp_path)
    with h5py.File(folder / "test/labels.h5", "a") as file:
        del file["3D"]
        file.create_dataset("3D", (10**9, 51), "f4", chunks=(1000, 51), compression="gzip")
    with pytest.raises(BadDataset, match="much more than the file holds"):
        read("ski", folder)


def test_two_files_of_one_take_of_other_lengths(tmp_path: Path) -> None:
    from training.datasets.miniature.human36m import write_pose

    folder = DATA_SETS["Human3.6M CDF"][0](tmp_path)
    write_pose(folder / "S1/MyPoseFeatures/D2_Positions/Walking.54138969.cdf", np.zeros((2, 32, 2)))
    with pytest.raises(BadDataset, match="one is cut off"):
        read("h36m", folder)
