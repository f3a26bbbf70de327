"""`adaptpose-export bench`: every form that is there, with its parity; what can't be run is named, not passed over."""

import json

import numpy as np
import pytest

from export.command import main
from export.precision import write_precision
from tests.sdk.engines import write_engine_pair


@pytest.fixture
def run(runs, graphs):
    folder = runs / "ski"
    windows = np.random.default_rng(0).uniform(-1, 1, (40, 27, 16, 2)).astype(np.float32)
    np.savez(folder / "target_windows.npz", windows=windows)
    for name in ("lifter.onnx", "lifter.stream.onnx"):
        (folder / name).write_bytes((graphs / name).read_bytes())
    write_precision(folder / "lifter.onnx", folder / "lifter.fp16.onnx", "fp16")
    return folder


def bench(*arguments):
    main(["bench", *map(str, arguments), "--seconds", "0.01", "--threads", "1"])


def test_rows_parity_and_machine(run, capsys, tmp_path):
    write_engine_pair(run / "lifter.engine")
    (run / "lifter.engine").write_bytes(b"cut")
    bench(run, "--batches", "1", "3", "--torch", "--json", tmp_path / "bench.json")
    content = json.loads((tmp_path / "bench.json").read_text())
    rows = {(row["model"], row["backend"], row["batch"]): row for row in content["rows"]}
    cpu = "CPUExecutionProvider"
    expected = [("lifter.onnx", cpu), ("lifter.stream.onnx", cpu), ("lifter.fp16.onnx", cpu)]
    expected += [("lifter.pt", "torch, strided"), ("lifter.pt", "torch, dilated")]
    assert list(rows) == [(*form, batch) for form in expected for batch in (1, 3)]
    for row in rows.values():
        assert 0 < row["p50_ms"] <= row["p95_ms"] <= row["p99_ms"]
        assert row["poses_per_s"] == pytest.approx(row["batch"] / row["p50_ms"] * 1000)
    assert rows["lifter.onnx", cpu, 1]["largest_difference_mm"] == 0
    for exact in (
        ("lifter.stream.onnx", cpu, 3),
        ("lifter.pt", "torch, dilated", 1),
        ("lifter.pt", "torch, strided", 1),
    ):
        assert rows[exact]["largest_difference_mm"] < 0.05
    assert 0.001 < rows["lifter.fp16.onnx", cpu, 1]["mean_difference_mm"] < 1  # its poses span metres
    assert rows["lifter.fp16.onnx", cpu, 1]["precision"] == "fp16"
    assert rows["lifter.stream.onnx", cpu, 1]["form"] == "streaming"
    assert "cut off" in content["not_measured"]["lifter.engine"]
    assert content["machine"]["cores"] >= 1
    assert {"onnxruntime", "torch", "numpy"} <= content["machine"]["versions"].keys()
    assert "run's own target" in content["windows"]
    out = capsys.readouterr().out
    assert "not measured  lifter.engine: " in out
    assert "lifter.fp16.onnx" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "no lifter at nowhere"),
        (["runs/ski/lifter.fp16.onnx"], "name the lifter's fp32 .onnx file"),
        (["runs/ski", "--batches", "0"], "--batches are 1 or more"),
        (["runs/ski", "--device", "tpu"], "'tpu' is not a known device"),
        (["runs/ski", "--json", "bench.txt"], "must end in .json"),
    ],
)
def test_wrong_calls(run, capsys, arguments, message):
    with pytest.raises(SystemExit) as stop:
        bench(*arguments)
    assert stop.value.code == 2
    assert message in capsys.readouterr().err
