"""Protocols on prepared data sets: cuts, definitions, truth; and the command that names its protocol."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from sdk.errors import BadDataset
from sdk.lifting.model_metadata import LifterMetadata
from tests.lifters import random_lifter
from tests.training.protocols.made_up import POSE_M, FixedLifter
from tests.training.protocols.prepared_data import standing, write_data
from training.commands import evaluate_command
from training.lifter.onnx_graphs import write_lifter_onnx
from training.protocols.known import PROTOCOLS
from training.protocols.scoring import score
from training.protocols.truth import labelled_sequences


def test_windows_cross_no_missing_frame(tmp_path: Path) -> None:
    data = write_data(tmp_path, "3dhp", [standing("TS1", [0, 1, 2, 7, 8], universal=True)])
    pieces = labelled_sequences(data, PROTOCOLS["3dhp"])
    assert [(one.name, len(one)) for one in pieces] == [("TS1", 3), ("TS1 from row 3", 2)]
    lifter = FixedLifter(lambda window: POSE_M, frames=3)
    assert score(lifter, pieces, PROTOCOLS["3dhp"]).poses == 5
    pelvis = np.concatenate(lifter.seen)[:, :, 0, 0] * 200  # 1000 px of focal length at 4 m; half the width is 500 px
    assert (pelvis / 100 * 100).round(2).tolist() == [[0, 0, 1], [0, 1, 2], [1, 2, 2], [7, 7, 8], [7, 8, 8]]


def test_invalid_frames_end_windows_where_their_2d_is_none(tmp_path: Path) -> None:
    data = write_data(tmp_path / "a", "3dpw", [standing("street", range(8), invalid=[3, 4])])
    assert [len(one) for one in labelled_sequences(data, PROTOCOLS["3dpw"])] == [3, 3]
    data = write_data(tmp_path / "b", "3dhp", [standing("TS1", range(8), invalid=[3, 4], universal=True)])
    (whole,) = labelled_sequences(data, PROTOCOLS["3dhp-valid"])
    assert (len(whole), int(whole.valid.sum())) == (8, 6)


def test_universal_and_camera_truth(tmp_path: Path) -> None:
    data = write_data(tmp_path, "3dhp", [standing("TS1", range(4), universal=True)])
    lifter = FixedLifter(lambda window: POSE_M)
    scored = {name: score(lifter, labelled_sequences(data, PROTOCOLS[name]), PROTOCOLS[name]) for name in PROTOCOLS
              if PROTOCOLS[name].dataset == "3dhp" and "adaptpose" not in name}  # fmt: skip
    extent = np.linalg.norm(POSE_M, axis=-1).mean() * 1000
    assert scored["3dhp-camera"].mpjpe_mm == pytest.approx(0, abs=1e-2)
    assert scored["3dhp"].mpjpe_mm == pytest.approx(0.1 * extent, rel=1e-4)
    assert scored["3dhp"].n_mpjpe_mm == pytest.approx(0, abs=1e-2)
    assert not scored["3dhp"].complete


def test_what_a_protocol_refuses(tmp_path: Path) -> None:
    without = write_data(tmp_path / "a", "3dhp", [standing("TS1", range(4))])
    with pytest.raises(BadDataset, match="TS1 has no universal truth, which protocol 3dhp asks for"):
        labelled_sequences(without, PROTOCOLS["3dhp"])
    with pytest.raises(BadDataset, match="is 3dhp; protocol ski scores ski"):
        labelled_sequences(without, PROTOCOLS["ski"])
    smpl = write_data(tmp_path / "b", "3dpw", [standing("street", range(4))])
    with pytest.raises(BadDataset, match=r"joints of the order h36m16 .* protocol 3dpw-h36m14 scores h36m17"):
        labelled_sequences(smpl, PROTOCOLS["3dpw-h36m14"])


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> None:
    monkeypatch.setattr("sys.argv", ["adaptpose-evaluate", *map(str, arguments)])
    evaluate_command.main()


@pytest.fixture
def lifter(tmp_path: Path) -> Path:
    path = tmp_path / "lifter.onnx"
    write_lifter_onnx(random_lifter(channels=16), LifterMetadata(), path)
    return path


def test_a_figure_names_its_protocol(
    tmp_path: Path, lifter: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_data(tmp_path / "DATA", "3dhp", [standing("TS1", range(40), universal=True)], miniature=True)
    run(monkeypatch, tmp_path / "DATA", "--protocol", "3dhp", "--model", lifter, "--json", tmp_path / "errors.json")
    printed = capsys.readouterr().out
    assert "protocol 3dhp" in " ".join(printed.split())
    assert "REHEARSAL on drawn data" in printed
    assert "40 poses were scored; protocol 3dhp has 24888" in " ".join(printed.split())
    written = json.loads((tmp_path / "errors.json").read_text())
    assert written["protocol"] == "3dhp"
    assert written["poses"] == 40
    assert any("REHEARSAL" in note for note in written["notes"])


def test_a_data_set_without_a_protocol_is_an_error(
    tmp_path: Path, lifter: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_data(tmp_path / "DATA", "ski", [standing("1", range(4))])
    with pytest.raises(SystemExit):
        run(monkeypatch, tmp_path / "DATA", "--model", lifter)
    assert "name how to score it, --protocol ski." in capsys.readouterr().err
