from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from sdk.errors import BadDataset
from training.datasets import preparation
from training.datasets.checking import check_dataset
from training.datasets.journal import JOURNAL_FILE
from training.datasets.miniature.writing import write_miniature
from training.datasets.preparation import prepare
from training.datasets.prepared import PreparedDataset, open_prepared, sequence_path, write_sequence


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((folder / "sequences").iterdir())}


@pytest.mark.parametrize("data_set", ["h36m", "3dhp", "3dpw", "ski"])
def test_prepared_and_checked(miniatures: dict[str, Path], tmp_path: Path, data_set: str) -> None:
    made = prepare(data_set, miniatures[data_set], tmp_path / "out")
    data = open_prepared(tmp_path / "out")
    assert data == made.data
    assert data.miniature
    assert made.differences == ()
    assert made.written == len(data.facts) == len(list((tmp_path / "out/sequences").iterdir()))
    checks = check_dataset(data)
    assert [check.name for check in checks] == [facts.name for facts in data.facts]
    for check in checks:
        assert check.median_px < 0.01
        assert check.faults(data.skeleton) == []
        assert np.nanmax(check.spread[[0, 1, 2, 3]]) < 1e-4


def test_an_interrupted_preparation_goes_on(
    miniatures: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = prepare("3dhp", miniatures["3dhp"], tmp_path / "whole")
    names: list[str] = []

    def stop_at_the_20th(*arguments: object) -> None:
        if len(names) == 20:
            raise KeyboardInterrupt
        names.append("")
        write_sequence(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(preparation, "write_sequence", stop_at_the_20th)
    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        prepare("3dhp", miniatures["3dhp"], out)
    with pytest.raises(BadDataset, match="not finished"):
        open_prepared(out)
    monkeypatch.undo()
    before = {path: path.stat().st_mtime_ns for path in (out / "sequences").iterdir()}
    with open(out / JOURNAL_FILE, "a") as file:
        file.write('{"unit": "cut o')
    made = prepare("3dhp", miniatures["3dhp"], out)
    assert (made.kept, made.written) == (20, whole.written - 20)
    assert all(path.stat().st_mtime_ns == when for path, when in before.items())
    assert contents(out) == contents(tmp_path / "whole")
    assert made.data.facts == whole.data.facts
    again = prepare("3dhp", miniatures["3dhp"], out)
    assert (again.kept, again.written) == (whole.written, 0)


def test_what_changed_or_went_is_made_again(miniatures: dict[str, Path], tmp_path: Path) -> None:
    files, out = tmp_path / "files", tmp_path / "out"
    shutil.copytree(miniatures["3dpw"], files)
    made = prepare("3dpw", files, out)
    sequence_path(out, "test_downtown_cafe_00_1").unlink()
    assert prepare("3dpw", files, out).written == 1
    pickled = files / "sequenceFiles/test/downtown_cafe_00.pkl"
    os.utime(pickled, ns=(1, 1))
    assert prepare("3dpw", files, out).written == 2
    assert open_prepared(out).facts == made.data.facts


def test_counts_that_differ_are_told(miniatures: dict[str, Path], tmp_path: Path) -> None:
    files = tmp_path / "files"
    shutil.copytree(miniatures["3dhp"], files)
    (files / "MINIATURE.txt").unlink()
    made = prepare("3dhp", files, tmp_path / "out")
    assert not made.data.miniature
    assert [line.split(",")[0] for line in made.differences] == ["train: 2", "test: 249 poses", "test: 207 valid"]


def test_nothing_known_several_kinds_and_bad_places(miniatures: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(BadDataset, match=r"labels\.h5.*Licence"):
        prepare("ski", miniatures["h36m"], tmp_path / "out")
    with pytest.raises(BadDataset, match="not there"):
        prepare("ski", tmp_path / "nowhere", tmp_path / "out")
    with pytest.raises(BadDataset, match="which is read"):
        prepare("ski", miniatures["ski"], miniatures["ski"] / "out")
    with pytest.raises(BadDataset, match="official labels"):
        prepare("ski", miniatures["ski"], tmp_path / "out", layout="other")
    prepare("ski", miniatures["ski"], tmp_path / "out")
    with pytest.raises(BadDataset, match="begun as"):
        prepare("3dpw", miniatures["3dpw"], tmp_path / "out")


def test_check_finds_3d_that_is_not_its_2d_and_a_side_that_is_longer(
    miniatures: dict[str, Path], tmp_path: Path
) -> None:
    files = tmp_path / "files"
    write_miniature("3dpw", files, frames=24)
    made = prepare("3dpw", files, tmp_path / "out")
    name = made.data.facts[0].name
    path = sequence_path(made.data.folder, name)
    arrays = dict(np.load(path))
    knee, ankle = (made.data.skeleton.index(joint) for joint in ("left_knee", "left_ankle"))
    joints = arrays["joints_camera_m"].copy()
    joints[:, ankle] += 0.4 * (joints[:, ankle] - joints[:, knee])
    joints[::2, 15] += (0, 0.1, 0)
    np.savez(path, **{**arrays, "joints_camera_m": joints, "keypoints_px": arrays["keypoints_px"] + np.float32(3)})
    first, *others = check_dataset(open_prepared(made.data.folder))
    faults = " ".join(first.faults(made.data.skeleton))
    assert "px beside its 2D" in faults
    assert "left_knee to left_ankle is" in faults
    assert "neck to head changes its length" in faults
    assert not any(check.faults(made.data.skeleton) for check in others)


def test_the_index_says_what_is_missing(miniatures: dict[str, Path], tmp_path: Path) -> None:
    prepare("h36m", miniatures["h36m"], tmp_path)
    content = json.loads((tmp_path / "dataset.json").read_text())
    assert content["joint_names"][:2] == ["pelvis", "right_hip"]
    assert any("27 of its 30 takes" in note for note in content["notes"])
    assert any("S11 Directions" in note for note in content["notes"])
    data = open_prepared(tmp_path)
    assert isinstance(data, PreparedDataset)
    assert {facts.subject for facts in data.select("test")} == {"S9", "S11"}
