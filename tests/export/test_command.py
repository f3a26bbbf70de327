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
import torch

from export import precision
from export.command import main
from export.real_windows import RealWindows
from export.verification import stream_windows
from sdk.lifting.lifter import Lifter
from sdk.lifting.model_metadata import LifterMetadata
from sdk.lifting.streaming import StreamingGraph, streaming_path
from tests.lifters import random_lifter
from training.files.tensor_file import load_tensors, save_atomically
from training.lifter import onnx_graphs
from training.lifter.checkpoint import LifterCheckpoint

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


def lifter_streams(run):
    """A stream of the exported lifter takes the streaming graph, and gives the offline poses."""
    lifter = Lifter(run)
    stream = lifter.stream((640, 480), "h36m16")
    keypoints = np.random.default_rng(0).uniform(0, 400, (40, 16, 2)).astype(np.float32)
    poses = [pose.joints_m for i, frame in enumerate(keypoints) for pose in stream.push(frame, i / 25)]
    np.testing.assert_allclose(np.stack(poses), lifter(keypoints, (640, 480), "h36m16", 25.0)[:27], rtol=0, atol=5e-6)
    return stream.graph == "streaming"


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
        "lifter.stream.onnx",
        "lifter.stream.engine",
        "lifter.stream.engine.json",
    }
    assert lifter_streams(runs / "ski")
    assert not (runs / "new" / "lifter.onnx").exists()
    lifter = Lifter(runs / "ski")
    assert lifter.lift_windows(windows).shape == (20, 16, 3)
    record = json.loads((runs / "ski" / "lifter.engine.json").read_text())
    assert record["checkpoint_sha256"] == lifter.metadata.checkpoint_sha256 != ""


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
    for word in ("RUN", "--trt", "--gpu", "--out", "--precision", "--test", "--batch", "--triton", "detector", "bench"):
        assert word in done.stdout


@pytest.mark.parametrize(
    ("out", "expected"), [("weights", "weights/lifter.onnx"), ("weights/default.onnx", "weights/default.onnx")]
)
def test_out_is_a_folder_or_a_file(runs, capsys, out, expected):
    add_target(runs / "ski")
    assert run_main("runs/ski/lifter.pt", "--out", out) == 0
    stream = expected.replace(".onnx", ".stream.onnx")
    assert sorted(str(path) for path in Path("weights").iterdir()) == [expected, stream]
    assert expected in capsys.readouterr().out


@pytest.mark.parametrize("name", ["fast", "base"])
def test_a_shipped_lifter_is_written_into_the_working_folder(tmp_path, monkeypatch, capsys, name):
    """Not among the installed files."""
    windows = np.random.default_rng(0).uniform(-1, 1, (8, 27, 16, 2)).astype(np.float32)
    found = RealWindows(windows, "of this test")
    monkeypatch.setattr("export.real_windows.find_real_windows", lambda *_: found)
    monkeypatch.chdir(tmp_path)
    assert run_main(name) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{name}.onnx", f"{name}.stream.onnx"]
    assert " (shipped)" in capsys.readouterr().out
    assert Lifter(tmp_path / f"{name}.onnx").metadata.name == Lifter(name).metadata.name
    assert not list(ROOT.glob(f"training/weights/{name}*.onnx"))


def test_a_name_that_is_nothing_lists_the_shipped_ones(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run_main("fst") == 2
    assert (
        "no run folder or checkpoint at fst, and the shipped lifters are called fast, base, feet."
        in capsys.readouterr().err
    )


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
    write = onnx_graphs.write_lifter_onnx

    def write_tampered(network, metadata, path, **how):
        write(network, metadata, path, **how)
        model = onnx.load(path)
        weight = max(model.graph.initializer, key=lambda tensor: np.prod(tensor.dims))
        values = onnx.numpy_helper.to_array(weight).copy()
        values[0, 0] += 0.1
        weight.CopyFrom(onnx.numpy_helper.from_array(values, weight.name))
        onnx.save(model, path)

    monkeypatch.setattr(onnx_graphs, "write_lifter_onnx", write_tampered)
    assert run_main("runs/ski") == 2
    assert "differs from its checkpoint by up to" in capsys.readouterr().err
    assert (path.read_bytes() if path.exists() else None) == old
    assert not list(runs.rglob("*.part-*"))


def change_metadata(path, **changes):
    content = load_tensors(path)
    content["card"].update(changes)
    save_atomically(content, path)


def test_checkpoint_of_another_version(runs):
    change_metadata(runs / "ski" / "lifter.pt", format_version=99, project_version="9.9")
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
        (["runs/ski", "--triton-idle", "30"], "add --triton DIR"),
        (["runs/ski", "--triton", "models", "--triton-idle", "0"], "can't be freed after 0 s: between 0.001 and 86400"),
        (["runs/ski", "--half-storage", "--precision", "fp16"], "--half-storage is for fp32 alone"),
        (["runs/ski", "--test", "nowhere.npz"], "there is no file nowhere.npz"),
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


def labelled(path, frames=60):
    """A file with truth for `adaptpose-evaluate`; its poses are noise."""
    random = np.random.default_rng(1)
    np.savez(
        path,
        keypoints=random.uniform(-1, 1, (frames, 16, 2)).astype(np.float32),
        joints_camera_m=random.uniform(-1, 1, (frames, 16, 3)).astype(np.float32),
        start=np.array([0]),
        length=np.array([frames]),
        frame_rate_hz=25.0,
        aspect=1.0,
    )


@pytest.fixture
def people_sized(runs):
    """The random lifter's poses span metres, and so does its drift: a tenth of it is a person."""
    network = random_lifter(channels=32)
    with torch.no_grad():
        network.head.weight *= 0.1
        network.head.bias *= 0.1
    LifterCheckpoint(network, LifterMetadata(name="people-sized")).save(runs / "ski" / "lifter.pt")


@pytest.mark.usefixtures("people_sized")
def test_every_precision_is_written_measured_and_says_what_it_is(runs, capsys):
    windows = add_target(runs / "ski", 200)
    labelled(Path("test.npz"))
    assert run_main("runs/ski", "--precision", "fp16", "int8", "--test", "test.npz") == 0
    out = capsys.readouterr().out
    names = {f"lifter{word}{form}.onnx" for word in ("", ".fp16", ".int8") for form in ("", ".stream")}
    assert {path.name for path in (runs / "ski").glob("*.onnx")} == names
    exact = Lifter(runs / "ski").lift_windows(windows)
    for word, bound_mm in (("fp16", 0.2), ("int8", 3.0)):
        path = runs / "ski" / f"lifter.{word}.onnx"
        lifter = Lifter(path)
        assert lifter.graph.precision == word
        assert lifter.metadata == Lifter(runs / "ski").metadata
        drift_mm = np.linalg.norm(lifter.lift_windows(windows) - exact, axis=-1).mean() * 1000
        assert 0 < drift_mm < bound_mm
        assert path.stat().st_size < (runs / "ski" / "lifter.onnx").stat().st_size
        stream = StreamingGraph(streaming_path(path), lifter.metadata, word)
        streamed = stream.form.joints_m(stream_windows(stream, windows))
        assert 0 < np.linalg.norm(streamed - exact, axis=-1).mean() * 1000 < bound_mm
        assert streaming_path(path).stat().st_size < (runs / "ski" / "lifter.stream.onnx").stat().st_size
        assert f"{word}, windows" in out
        assert f"{word}, frame by frame" in out
        assert f"with lifter.{word}.onnx: " in out
        assert lifter.stream((640, 480), "coco17").graph == "streaming"
        assert out.count(f"allowed: mean {bound_mm} mm") == 2


def test_int8_of_the_streaming_graph_is_calibrated_on_filled_states(graphs, tmp_path):
    """Its scales are the window graph's: states as they are in mid-stream, not the zeros that a stream begins with."""
    windows = np.random.default_rng(0).uniform(-1, 1, (64, 27, 16, 2)).astype(np.float32)
    scales = []
    for name in ("lifter.onnx", "lifter.stream.onnx"):
        precision.write_precision(graphs / name, tmp_path / name, "int8", windows)
        model = onnx.load(tmp_path / name)
        values = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
        quantised = [node for node in model.graph.node if node.op_type == "QuantizeLinear"]
        assert len(quantised) == 4
        scales.append(sorted(float(values[node.input[1]]) for node in quantised))
    np.testing.assert_allclose(*scales, rtol=0.25)


@pytest.mark.usefixtures("people_sized")
def test_half_storage_is_smaller_measured_and_runs_as_before(runs, capsys):
    windows = add_target(runs / "ski", 200)
    assert run_main("runs/ski") == 0
    assert run_main("runs/ski", "--half-storage", "--out", "half") == 0
    assert capsys.readouterr().out.count("allowed: mean 0.1 mm") == 2
    whole, half = Lifter(runs / "ski"), Lifter("half/lifter.onnx")
    for name in ("lifter.onnx", "lifter.stream.onnx"):
        assert (Path("half") / name).stat().st_size < 0.75 * (runs / "ski" / name).stat().st_size
    assert (half.metadata, half.graph) == (whole.metadata, whole.graph)
    drift_mm = np.linalg.norm(half.lift_windows(windows) - whole.lift_windows(windows), axis=-1).mean() * 1000
    assert 0 < drift_mm < 0.1
    assert half.stream((640, 480), "coco17").graph == "streaming"


def test_half_storage_beyond_its_bound_is_not_kept(runs, capsys, monkeypatch):
    add_target(runs / "ski")
    monkeypatch.setattr(precision, "STORED_IN_HALF", precision.Bound(None, 1e-6))
    assert run_main("runs/ski", "--half-storage", "--out", "half") == 2
    assert "mean 1e-06 mm is allowed" in capsys.readouterr().err
    assert not Path("half/lifter.onnx").exists()


def test_a_precision_beyond_its_bound_is_not_kept(runs, capsys, monkeypatch):
    add_target(runs / "ski")
    monkeypatch.setitem(precision.BOUNDS, "int8", precision.Bound(None, 1e-6))
    assert run_main("runs/ski", "--precision", "int8") == 2
    error = capsys.readouterr().err
    assert "lifter.int8.onnx (int8) differs from its checkpoint" in error
    assert "mean 1e-06 mm is allowed" in error
    assert not (runs / "ski" / "lifter.int8.onnx").exists()
    assert (runs / "ski" / "lifter.onnx").exists()


@pytest.mark.usefixtures("people_sized")
def test_a_precision_that_changes_the_error_is_not_kept(runs, capsys, monkeypatch):
    add_target(runs / "ski")
    labelled(Path("test.npz"))
    monkeypatch.setitem(precision.BOUNDS, "fp16", precision.Bound(None, 0.2, mpjpe_percent=1e-9))
    assert run_main("runs/ski", "--precision", "fp16", "--test", "test.npz") == 2
    assert "lifter.fp16.onnx changes MPJPE by" in capsys.readouterr().err
    assert not (runs / "ski" / "lifter.fp16.onnx").exists()


def test_a_changed_streaming_graph_fails(runs, capsys, monkeypatch):
    """One that forgets a frame: its state is handed on unchanged."""
    add_target(runs / "ski")
    write = onnx_graphs.write_streaming_onnx

    def write_tampered(network, metadata, path, **how):
        write(network, metadata, path, **how)
        model = onnx.load(path)
        (node,) = (n for n in model.graph.node if "next_state_1" in n.output)
        node.op_type, node.domain = "Identity", ""
        del node.input[:], node.attribute[:]
        node.input.append("state_1")
        onnx.save(model, path)

    monkeypatch.setattr(onnx_graphs, "write_streaming_onnx", write_tampered)
    assert run_main("runs/ski") == 2
    assert "lifter.stream.onnx (fp32) differs from its checkpoint" in capsys.readouterr().err
    assert not (runs / "ski" / "lifter.stream.onnx").exists()
