"""adaptpose-export as a user calls it."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest

from export.command import main
from sdk.lifter import Lifter
from training import lifter_graph
from training.checkpoint import load_tensors, save_atomically

ROOT = Path(__file__).parents[2]


def call(*arguments, cwd):
    return subprocess.run(
        [sys.executable, "-m", "export.command", *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


def run_main(*arguments):
    """The exit code of the command, in this process."""
    try:
        main([str(argument) for argument in arguments])
    except SystemExit as stop:
        return stop.code
    return 0


def add_target(run, count=20):
    windows = np.random.default_rng(0).uniform(-1, 1, (count, 27, 16, 2)).astype(np.float32)
    np.savez(run / "target_windows.npz", windows=windows)
    return windows


def test_newest_run_to_onnx_and_engine(runs, checkpoint):
    pytest.importorskip("tensorrt_rtx")
    for name, age in (("old", 200), ("new", 100)):
        (runs / name).mkdir()
        checkpoint.save(runs / name / "lifter.pt")
        then = (runs / "ski" / "lifter.pt").stat().st_mtime - age
        os.utime(runs / name / "lifter.pt", (then, then))
    windows = add_target(runs / "ski")
    done = call("--trt", "--gpu", "sm86,sm89", cwd=runs.parent)
    assert (done.returncode, done.stderr) == (0, "")
    run = Path("runs") / "ski"
    assert f"{run / 'lifter.pt'} (the newest of 3 under runs)" in done.stdout
    assert f"{run / 'lifter.onnx'} (" in done.stdout
    assert f"{run / 'lifter.engine'} (" in done.stdout
    assert f"20 windows of the run's own target ({run / 'target_windows.npz'})" in done.stdout
    assert "SM86, SM89" in done.stdout
    # Nobody may take an engine that was never run for a verified one.
    assert "NOT verified" in done.stdout or "NOT compared" in done.stdout
    largest = float(done.stdout.split("largest ")[1].split(" mm")[0])
    assert 0 < largest < 0.05
    assert {path.name for path in (runs / "ski").iterdir()} == {
        "lifter.pt",
        "target_windows.npz",
        "lifter.onnx",
        "lifter.engine",
        "lifter.engine.json",
    }
    assert not (runs / "new" / "lifter.onnx").exists()
    lifter = Lifter(runs / "ski")
    assert lifter.lift_windows(windows).shape == (20, 16, 3)
    record = json.loads((runs / "ski" / "lifter.engine.json").read_text())
    assert record["checkpoint_sha256"] == lifter.card.checkpoint_sha256 != ""


def test_help_is_quick_to_import(runs):
    """What makes --help slow is importing torch and its like, so none is."""
    code = (
        "import sys; from export.command import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'onnx', 'onnxruntime', 'tensorrt_rtx', 'polygraphy', 'numpy'} & set(sys.modules)\n"
        "sys.exit(f'{heavy} imported' if heavy else 0)"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for word in ("RUN", "--trt", "--gpu", "--out"):
        assert word in done.stdout


@pytest.mark.parametrize(
    ("out", "expected"), [("weights", "weights/lifter.onnx"), ("weights/default.onnx", "weights/default.onnx")]
)
def test_out_is_a_folder_or_a_file(runs, capsys, out, expected):
    add_target(runs / "ski")
    assert run_main("runs/ski/lifter.pt", "--out", out) == 0
    assert [str(path) for path in Path("weights").iterdir()] == [expected]
    assert expected in capsys.readouterr().out


def test_a_checkpoint_gives_its_name_to_the_file(runs, checkpoint, capsys):
    pytest.importorskip("pybullet_data")
    Path("weights").mkdir()
    checkpoint.save(Path("weights/default.pt"))
    assert run_main("weights/default.pt", "--out", "sdk_weights") == 0
    assert Path("sdk_weights/default.onnx").is_file()
    assert "2000 windows of motion capture" in capsys.readouterr().out


@pytest.mark.parametrize("old", [b"the file that was there", None])
def test_a_changed_weight_fails_and_leaves_no_file(runs, capsys, monkeypatch, old):
    add_target(runs / "ski")
    path = runs / "ski" / "lifter.onnx"
    if old is not None:
        path.write_bytes(old)
    write = lifter_graph.write_lifter_onnx

    def write_tampered(network, card, path):
        write(network, card, path)
        model = onnx.load(path)
        weight = max(model.graph.initializer, key=lambda tensor: np.prod(tensor.dims))
        values = onnx.numpy_helper.to_array(weight).copy()
        values[0, 0] += 0.1
        weight.CopyFrom(onnx.numpy_helper.from_array(values, weight.name))
        onnx.save(model, path)

    monkeypatch.setattr(lifter_graph, "write_lifter_onnx", write_tampered)
    assert run_main("runs/ski") == 2
    assert "differs from its checkpoint by up to" in capsys.readouterr().err
    assert (path.read_bytes() if path.exists() else None) == old
    assert not list(runs.rglob("*.part-*"))


def change_card(path, **changes):
    content = load_tensors(path)
    content["card"].update(changes)
    save_atomically(content, path)


def test_checkpoint_of_another_version(runs):
    change_card(runs / "ski" / "lifter.pt", format_version=99, project_version="9.9")
    done = call("runs/ski", cwd=runs.parent)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    for word in ("lifter.pt", "99", "9.9", "reads versions 1 to 2"):
        assert word in done.stderr
    assert not (runs / "ski" / "lifter.onnx").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "no run folder or checkpoint at nowhere"),
        (["runs"], "runs holds no lifter.pt"),
        (["runs/ski/lifter.onnx"], "exported already"),
        (["notes.txt"], "notes.txt is not a readable checkpoint"),
        (["runs/ski", "--out", "notes.txt"], "--out notes.txt is a file"),
        (["runs/ski", "--out", "notes.txt/deeper"], f"{Path('notes.txt/deeper/lifter.onnx')} can't be written"),
        (["runs/ski", "--gpu", "sm86"], "add --trt"),
    ],
)
def test_wrong_calls(runs, capsys, arguments, message):
    Path("notes.txt").write_text("not a checkpoint")
    add_target(runs / "ski")
    assert run_main(*arguments) == 2
    assert message in capsys.readouterr().err
    assert Path("notes.txt").read_text() == "not a checkpoint"


def test_unknown_architecture_is_said_before_any_work(runs, capsys):
    pytest.importorskip("tensorrt_rtx")
    assert run_main("runs/ski", "--trt", "--gpu", "sm99") == 2
    captured = capsys.readouterr()
    assert "SM99" in captured.err
    assert "SM86" in captured.err
    assert captured.out == ""


@pytest.mark.parametrize("module", ["torch", "onnx", "onnxscript"])
def test_an_sdk_only_installation_is_told_what_to_install(runs, capsys, monkeypatch, module):
    find_spec = importlib.util.find_spec
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == module else find_spec(name))
    assert run_main("runs/ski") == 2
    error = capsys.readouterr().err
    assert repr(module) in error
    assert "adaptpose[train]" in error


def test_full_disk_leaves_the_old_file(runs, capsys, monkeypatch):
    add_target(runs / "ski")
    path = runs / "ski" / "lifter.onnx"
    path.write_bytes(b"the file that was there")

    def disk_full(self, content):
        raise OSError(28, "No space left on device", str(self))

    monkeypatch.setattr("pathlib.Path.write_bytes", disk_full)
    assert run_main("runs/ski") == 2
    assert "No space left on device" in capsys.readouterr().err
    assert path.read_bytes() == b"the file that was there"


def test_no_runs_at_all(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run_main() == 2
    error = capsys.readouterr().err
    assert str(tmp_path / "runs") in error
    assert "adaptpose-train --target" in error
