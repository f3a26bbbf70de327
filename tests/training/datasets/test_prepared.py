from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sdk.errors import BadDataset
from training.datasets.camera import SequenceCamera
from training.datasets.joints import (
    H36M17_TO_MPI17,
    JOINT_ORDERS,
    MPI17_TO_H36M17,
    MPI28_TO_H36M17,
    SMPL24,
    to_h36m16,
)
from training.datasets.prepared import (
    PreparedDataset,
    open_prepared,
    read_sequence,
    sequence_path,
    write_index,
    write_sequence,
)
from training.datasets.sequence import PreparedSequence, SequenceFacts


def camera(frames: int = 1) -> SequenceCamera:
    turn = np.array([[0.6, 0, 0.8], [0, 1, 0], [-0.8, 0, 0.6]])
    return SequenceCamera(
        np.tile([1000.0, 1010, 500, 520], (frames, 1)),
        1000,
        1002,
        np.array([-0.2, 0.25, -0.003, -0.001, -0.0014]),
        np.tile(turn, (frames, 1, 1)),
        np.tile([0.1, 0.2, 3.0], (frames, 1)),
    )


def sequence(name: str = "S1_Walking_1", count: int = 5, **changes: Any) -> PreparedSequence:
    joints = np.random.default_rng(count).uniform(-0.8, 0.8, (count, 17, 3)) + np.array((0, 0, 4))
    valid = np.arange(count) != 1
    facts = SequenceFacts(name, "S1", "Walking", "train", "1", 0, 50.0, 1, count, int(valid.sum()), True, True, False)
    view = camera()
    arrays = {
        "keypoints_px": view.project(joints).astype(np.float32),
        "joints_camera_m": joints.astype(np.float32),
        "valid": valid,
        "frames": np.array([3, 4, 5, 9, 10][:count]),
        "camera": view,
    }
    return PreparedSequence(facts, **{**arrays, **changes})


def dataset(folder: Path, *sequences: PreparedSequence, complete: bool = True) -> PreparedDataset:
    for one in sequences:
        write_sequence(folder, one)
    data = PreparedDataset(
        folder, "h36m", "h36m17", "Human3.6M's own", "tests", True, tuple(one.facts for one in sequences),
        {"train": {"poses": 1_559_752}}, ("drawn",),
    )  # fmt: skip
    write_index(data, complete=complete)
    return data


def test_what_is_written_is_read(tmp_path: Path) -> None:
    first, second = sequence("a"), sequence("b", camera=camera(5))
    written = dataset(tmp_path, first, second)
    data = open_prepared(tmp_path)
    assert data == written
    assert data.counts == {"train": {"sequences": 2, "poses": 10, "valid": 8}}
    for read, one in zip(data.sequences(split="train"), (first, second), strict=True):
        assert read.facts == one.facts
        for key in ("keypoints_px", "joints_camera_m", "valid", "frames"):
            assert_array_equal(getattr(read, key), getattr(one, key))
        assert read.camera is not None
        assert one.camera is not None
        for field in dataclasses.fields(SequenceCamera):
            assert_array_equal(getattr(read.camera, field.name), getattr(one.camera, field.name))
        assert read.joints_camera_m is not None
        assert_allclose(read.camera.project(read.joints_camera_m), read.keypoints_px, atol=1e-3)


def test_pieces_end_where_a_frame_is_missing() -> None:
    assert sequence().pieces() == [slice(0, 3), slice(3, 5)]


def test_the_lens_by_hand() -> None:
    """x = 0.5, y = 0.2, so r2 = 0.29."""
    lens = SequenceCamera(np.array([[1000.0, 1000, 500, 500]]), 1000, 1000, np.array([0.1, 0.01, 0.001, 0.02, 0.03]))
    scale = 1 + 0.1 * 0.29 + 0.01 * 0.29**2 + 0.001 * 0.29**3 + 0.02 * 0.5 + 0.03 * 0.2
    expected = [500 + 1000 * (0.5 * scale + 0.02 * 0.29), 500 + 1000 * (0.2 * scale + 0.03 * 0.29)]
    assert_allclose(lens.project(np.array([[[1.0, 0.4, 2.0]]]))[0, 0], expected)
    assert np.isnan(lens.project(np.array([[[1.0, 0.4, -2.0]]]))).all()


def test_to_world_inverts_the_camera() -> None:
    view, world = camera(), np.array([[[0.3, -0.2, 1.0]]])
    assert view.rotation_world_to_camera is not None
    assert view.translation_world_to_camera_m is not None
    in_camera = view.rotation_world_to_camera[0] @ world[0, 0] + view.translation_world_to_camera_m[0]
    back = view.to_world(in_camera[None, None])
    assert back is not None
    assert_allclose(back, world)


def test_joint_orders() -> None:
    names = np.array(JOINT_ORDERS["h36m17"].joints)[:, None]
    assert to_h36m16(names, "h36m17")[:, 0].tolist() == list(JOINT_ORDERS["h36m16"].joints)
    smpl = to_h36m16(np.array(SMPL24.joints)[:, None], "smpl24")[:, 0].tolist()
    same = {"spine": "spine2", "thorax": "neck"}
    ours = [same.get(name, name) for name in JOINT_ORDERS["h36m16"].joints]
    assert smpl == ours
    assert sorted(MPI17_TO_H36M17) == list(range(17))
    assert np.array(MPI17_TO_H36M17)[list(H36M17_TO_MPI17)].tolist() == list(range(17))
    relevant = (7, 5, 14, 15, 16, 9, 10, 11, 23, 24, 25, 18, 19, 20, 4, 3, 6)  # the test set's 17 out of the 28
    assert tuple(relevant[joint] for joint in MPI17_TO_H36M17) == MPI28_TO_H36M17
    with pytest.raises(BadDataset, match="coco"):
        to_h36m16(names, "coco")
    with pytest.raises(BadDataset, match="shape"):
        to_h36m16(names[:5], "h36m17")


def test_of_an_unfinished_or_other_folder(tmp_path: Path) -> None:
    with pytest.raises(BadDataset, match="adaptpose-data prepare"):
        open_prepared(tmp_path)
    dataset(tmp_path, sequence(), complete=False)
    with pytest.raises(BadDataset, match="not finished"):
        open_prepared(tmp_path)
    assert open_prepared(tmp_path, incomplete=True).facts
    with pytest.raises(BadDataset, match=r"has no sequence of test.*train S1"):
        open_prepared(tmp_path, incomplete=True).select("test")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 2}, "version 2"),
        ({"format": "x"}, "format"),
        ({"data_set": "coco"}, "h36m, 3dhp"),
        ({"joint_order": "coco"}, "Known"),
        ({"sequences": [{}]}, "lack"),
        ({"sequences": 5}, "damaged"),
        ({"published": []}, "damaged"),
        ({"published": {"train": {"poses": float("inf")}}}, "damaged"),
    ],
)
def test_of_a_changed_index(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    dataset(tmp_path, sequence())
    path = tmp_path / "dataset.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(BadDataset, match=message):
        open_prepared(tmp_path)


def test_of_two_sequences_of_one_name_and_a_name_that_leads_out(tmp_path: Path) -> None:
    dataset(tmp_path, sequence())
    path = tmp_path / "dataset.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, "sequences": content["sequences"] * 2}))
    with pytest.raises(BadDataset, match="one name"):
        open_prepared(tmp_path)
    content["sequences"][0]["name"] = "../../secret"
    path.write_text(json.dumps(content))
    with pytest.raises(BadDataset, match="no name"):
        open_prepared(tmp_path)


@pytest.mark.parametrize("bytes_kept", [0, 100, -1])
def test_of_a_cut_sequence(tmp_path: Path, bytes_kept: int) -> None:
    data = dataset(tmp_path, sequence())
    path = sequence_path(tmp_path, data.facts[0].name)
    path.write_bytes(path.read_bytes()[:bytes_kept])
    with pytest.raises(BadDataset, match="S1_Walking_1"):
        next(data.sequences())
    path.unlink()
    with pytest.raises(BadDataset, match="missing"):
        next(data.sequences())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"keypoints_px": np.zeros((5, 17, 3), np.float32)}, "keypoints_px"),
        ({"joints_camera_m": np.zeros((5, 16, 3), np.float32)}, "joints_camera_m"),
        ({"joints_camera_m": np.full((5, 17, 3), np.nan, np.float32)}, "not finite"),
        ({"joints_camera_m": None}, "facts"),
        ({"valid": np.ones(5, bool)}, "5 frames are valid, not 4"),
        ({"frames": np.zeros(5, np.int64)}, "increase"),
        ({"camera": camera(4)}, "camera"),
    ],
)
def test_of_arrays_that_do_not_fit(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(BadDataset, match=message):
        sequence(**changes)


def test_a_pickle_in_a_sequence_is_refused(tmp_path: Path) -> None:
    path = write_sequence(tmp_path, sequence())
    arrays = dict(np.load(path))
    np.savez(path, **{**arrays, "frames": np.array([object()])})
    with pytest.raises(BadDataset, match="frames"):
        read_sequence(path)


def test_another_sequence_of_that_name(tmp_path: Path) -> None:
    data = dataset(tmp_path, sequence())
    write_sequence(tmp_path, sequence(count=4))
    with pytest.raises(BadDataset, match="another sequence"):
        next(data.sequences())
