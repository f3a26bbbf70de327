from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from training.commands import data_command
from training.datasets.miniature.writing import write_miniature
from training.datasets.prepared import open_prepared, sequence_path
from training.report.dataset_sheet import sample_dataset


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> None:
    monkeypatch.setattr(sys, "argv", ["adaptpose-data", *map(str, arguments)])
    data_command.main()


def test_prepare_show_check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    files, data = tmp_path / "files", tmp_path / "data"
    write_miniature("ski", files, frames=12)
    (files / "MINIATURE.txt").unlink()
    (files / "train/labels.h5").unlink()
    run(monkeypatch, "prepare", "ski", files, "--out", data)
    printed = capsys.readouterr()
    assert "12 written, 0 kept" in printed.out
    assert "1,716" in printed.out
    assert "missing   train/labels.h5" in printed.out
    assert "Licence" in printed.out
    assert "DIFFERENT train: 0 poses, published 8,481 (-8,481)" in printed.err
    run(monkeypatch, "show", data)
    printed = capsys.readouterr()
    assert "h36m17: Ski-Pose's own" in printed.out
    assert "rate      not told" in printed.out
    sheet = cv2.imread(str(data / "sheet.png"))
    assert min(sheet.shape[:2]) > 800
    assert 0.01 < (sheet < 128).mean() < 0.5
    run(monkeypatch, "check", data)
    assert "nothing suspicious" in capsys.readouterr().out

    path = sequence_path(data, open_prepared(data).facts[0].name)
    arrays = dict(np.load(path))
    np.savez(path, **{**arrays, "keypoints_px": arrays["keypoints_px"] + np.float32(2)})
    with pytest.raises(SystemExit) as ended:
        run(monkeypatch, "check", data)
    assert ended.value.code == 2
    printed = capsys.readouterr()
    assert "SUSPICIOUS test_seq_003_cam_00: its 3D projects 2.8 px beside its 2D" in printed.out
    assert "1 of 12 sequences" in printed.err


def test_an_error_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        run(monkeypatch, "prepare", "h36m", tmp_path, "--out", tmp_path.parent / "out")
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "vision.imar.ro" in error


def test_viewpoints_of_a_sheet(tmp_path: Path) -> None:
    """3DHP's cameras 11 to 13 look down from the ceiling, the others from the side."""
    from training.datasets.miniature.mpi_inf_3dhp import write_mpi_inf_3dhp
    from training.datasets.preparation import prepare

    write_mpi_inf_3dhp(tmp_path / "files", frames=12, subjects=(1,), tests=())
    data = prepare("3dhp", tmp_path / "files", tmp_path / "data").data
    sample = sample_dataset(data)
    elevation = np.degrees(sample.viewpoint_rad[: 14 * 16, 1]).reshape(14, 16)
    assert elevation[11:].min() > 35
    assert np.abs(elevation[:11]).max() < 35
    assert sample.cameras_m.shape == (28, 3)
    assert sample.depth_m[: 11 * 16].mean() == pytest.approx(3.8, abs=0.6)
