"""Detected 2D in place of the true: which frame is which, gaps, several people, and what is refused."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from sdk.errors import BadTarget
from sdk.keypoint_files import KeypointTrack
from sdk.keypoint_files.writing import write_keypoints
from sdk.lifting.model_metadata import LifterMetadata
from sdk.skeletons.skeleton import H36M16
from tests.training.protocols.prepared_data import standing, write_data
from training.protocols.known import find_protocol
from training.reproduction.catalog import Catalog
from training.reproduction.detections import Detections
from training.reproduction.experiments import EXPERIMENTS

SIZE = (1000, 1000)
ROWS = 10


def track(numbers: Sequence[int], x: float, score: float = 0.9, name: str = "1") -> KeypointTrack:
    """Somebody whose pelvis is x + the frame's number pixels to the right, 10 times."""
    numbers_ = np.array(numbers)
    points = np.random.default_rng(0).uniform(300, 600, (1, 16, 2)).repeat(len(numbers_), 0)
    points[:, 0] = np.stack([x + 10 * numbers_, np.full(len(numbers_), 500)], 1)
    shape = (len(numbers_), len(H36M16))
    return KeypointTrack(
        name,
        points.astype(np.float32),
        np.full(shape, score, np.float32),
        numbers_ / 25,
        numbers_,
        "h36m16",
        SIZE,
        25.0,
    )


def pelvis(folder: Path, *tracks: KeypointTrack, first: int | None = None) -> list[float]:
    write_keypoints(folder / "TS1.npz", tracks)
    found = Detections(folder, first=first).of(facts(), np.arange(ROWS), SIZE)
    assert found is not None
    return found[:, 0, 0].round(2).tolist()


def facts():
    return standing("TS1", range(ROWS), universal=True).facts


def test_two_files_of_one_sequence_are_refused(tmp_path: Path) -> None:
    write_keypoints(tmp_path / "TS1.npz", [track([0, 1, 2], 100)])
    (tmp_path / "TS1.json").write_text("[]")
    with pytest.raises(BadTarget, match=r"TS1\.json and TS1\.npz are of one sequence"):
        Detections(tmp_path)


def test_gaps_are_interpolated_and_ends_repeated(tmp_path: Path) -> None:
    assert pelvis(tmp_path, track([0, 1, 2, 5, 6, 7], 100)) == [100, 110, 120, 130, 140, 150, 160, 170, 170, 170]


def test_frames_are_counted_from_0_or_1_as_they_show(tmp_path: Path) -> None:
    assert pelvis(tmp_path, track(range(1, 11), 100)) == [110 + 10 * row for row in range(ROWS)]
    with pytest.raises(BadTarget, match=r"frames 2 to 7 of 10: whether the first frame is 0 or 1 .* --detections-from"):
        pelvis(tmp_path, track([2, 3, 4, 7], 100))
    assert pelvis(tmp_path, track([2, 3, 4, 7], 100), first=1)[:3] == [120, 120, 130]
    with pytest.raises(BadTarget, match="frames 0 to 10; TS1 has 10"):
        pelvis(tmp_path, track(range(11), 100))


def test_of_several_people_the_surest_counts(tmp_path: Path) -> None:
    passer_by = track(range(ROWS), 700, score=0.4, name="2")
    assert pelvis(tmp_path, track([0, 1, 2, 3, 4, 5], 100), passer_by)[4:8] == [140, 150, 760, 770]


def test_folders_and_sequences_without_files(tmp_path: Path) -> None:
    with pytest.raises(BadTarget, match="is not a folder of keypoint files"):
        Detections(tmp_path / "none")
    with pytest.raises(BadTarget, match="holds no keypoint files"):
        Detections(tmp_path)
    data = write_data(tmp_path / "DATA", "3dhp", [standing(f"TS{i}", range(ROWS), universal=True) for i in (1, 2)])
    found = tmp_path / "found"
    found.mkdir()
    write_keypoints(found / "TS1.npz", [track(range(ROWS), 100)])
    catalog = Catalog([data.folder], Detections(found))
    with pytest.raises(BadTarget, match=r"no file for the test sequence TS2: .* There are: TS1"):
        catalog.test(EXPERIMENTS["3dhp-detected"], find_protocol("3dhp"))
    write_keypoints(found / "TS2.npz", [track(range(ROWS), 200)])
    catalog = Catalog([data.folder], Detections(found))
    detected = catalog.test(EXPERIMENTS["3dhp-detected"], find_protocol("3dhp"))
    assert [one.keypoints_px[0, 0, 0] for one in detected] == [100, 200]
    true = catalog.test(EXPERIMENTS["3dhp"], find_protocol("3dhp"))
    assert np.array_equal(true[0].joints_m, detected[0].joints_m)
    assert not np.array_equal(true[0].keypoints_px, detected[0].keypoints_px)


def test_portrait_targets_are_padded_and_bad_frames_left_out(tmp_path: Path) -> None:
    tall = standing("street", range(20), split="train", invalid=[5, 6], size=(1080, 1920))
    far = dataclasses.replace(tall, keypoints_px=tall.keypoints_px.copy())
    far.keypoints_px[:] = [1080, 1920]  # the corner
    catalog = Catalog([write_data(tmp_path, "3dpw", [far]).folder])
    sequences, extent = catalog.target(EXPERIMENTS["3dpw"], LifterMetadata())
    assert [len(one.keypoints) for one in sequences] == [5, 13]
    assert np.allclose(sequences[0].keypoints, [1080 / 1920, 1])
    assert extent == (1080 / 1920, 1)
