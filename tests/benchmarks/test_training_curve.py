"""A training's log as a table: losses by stretches, errors at saved states."""

import sys

import numpy as np
import pytest

from benchmarks import training_curve

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of tensorboard's own imports


def write_log(run):
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(str(run / "tensorboard")) as log:
        for step in range(10, 50, 10):
            log.add_scalar("loss_mm", 100 - step, step)
        for step in (20, 40):
            log.add_scalar("validation/mpjpe_mm", step, step)
            log.add_scalar("validation/pa_mpjpe_mm", step / 2, step)


def test_a_row_a_saved_state(tmp_path, monkeypatch, capsys):
    write_log(tmp_path / "fast")
    rows = training_curve.read_run(tmp_path / "fast")
    np.testing.assert_allclose(rows, [(20, 85, 20, 10), (40, 65, 40, 20)])
    out, image = tmp_path / "out", tmp_path / "curve.png"
    monkeypatch.setattr(
        sys, "argv", ["training_curve.py", str(tmp_path / "fast"), "--out", str(out), "--picture", str(image)]
    )
    training_curve.main()
    assert "2 rows, the last one 40.0 mm after 40 steps" in capsys.readouterr().out
    assert (out / "fast.csv").read_text().splitlines()[1:] == ["20,85.00,20.00,10.00", "40,65.00,40.00,20.00"]
    assert image.stat().st_size > 1000


def test_a_folder_without_a_log_is_said(tmp_path):
    with pytest.raises(training_curve.BadModelFile, match="holds no TensorBoard log"):
        training_curve.read_run(tmp_path)
