"""What the GPU benchmark does with parts that can't run, how it compares losses, and that its steps run on the CPU."""

import json
from types import SimpleNamespace

import pytest
import torch

from benchmarks import gpu
from benchmarks.gpu import Gpu, as_markdown, differences, run_all
from sdk.errors import DeviceUnavailable
from tests.training.motion.clips import STANDING


def standing(count, random):
    return torch.from_numpy(STANDING).float() + torch.randn(count, 27, 16, 3, generator=random) * 0.02


def test_a_part_that_can_not_run_says_why_and_the_others_go_on(tmp_path, monkeypatch, capsys):
    def works(settings, *_):
        yield {"device": "cpu", "batch": 8, "steps_per_s": 2.0}

    def stops(settings, *_):
        yield {"device": "cpu", "batch": 8, "windows_per_s": 3.0}
        raise DeviceUnavailable("there is no GPU")

    def lacks(settings, *_):
        raise ImportError("No module named 'tensorrt_rtx'")
        yield

    for name, part in (("adaptation", works), ("pretraining", works), ("onnx_runtime", stops), ("tensorrt", lacks)):
        monkeypatch.setattr(gpu, name, part)
    parts = {part.name: part for part in run_all(Gpu(out=tmp_path))}
    assert parts["pretraining"].reason == ""
    assert parts["ONNX Runtime"].rows == [{"device": "cpu", "batch": 8, "windows_per_s": 3.0}]
    assert parts["ONNX Runtime"].reason == "DeviceUnavailable: there is no GPU"
    assert parts["TensorRT"].reason == "ImportError: No module named 'tensorrt_rtx'"
    table = as_markdown(list(parts.values()))
    assert "| pretraining | cpu | 8 | steps_per_s 2 |" in table
    assert "| ONNX Runtime | | | not run: DeviceUnavailable: there is no GPU |" in table
    written = json.loads((tmp_path / "gpu.json").read_text())
    assert [part["name"] for part in written["parts"]] == list(parts)
    assert written["machine"]["torch"] == torch.__version__
    capsys.readouterr()


@pytest.mark.parametrize("sees", [False, True])
def test_no_part_begins_when_the_minutes_are_over(tmp_path, monkeypatch, capsys, sees):
    """More minutes would not help where there is no GPU: each part says that too."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: sees)
    monkeypatch.setattr(gpu, "machine", dict)
    parts = run_all(Gpu(out=tmp_path, minutes=-1.0))
    blind = "" if sees else "; torch sees no CUDA device here"
    assert {part.reason for part in parts} == {f"not begun: -1 minutes were over{blind}"}
    capsys.readouterr()


def test_a_part_stops_between_rows_when_the_minutes_are_over(tmp_path, monkeypatch, capsys):
    now_s = iter(range(0, 10_000, 40))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(gpu, "machine", dict)
    monkeypatch.setattr(gpu.time, "monotonic", lambda: next(now_s))

    def rows(settings, *_):
        yield from ({"device": "cpu", "batch": size} for size in (1, 2, 3, 4))

    for name in ("adaptation", "pretraining", "onnx_runtime", "tensorrt"):
        monkeypatch.setattr(gpu, name, rows)
    first, *others = run_all(Gpu(out=tmp_path, minutes=2.0))
    assert [row["batch"] for row in first.rows] == [1, 2, 3]
    assert first.reason == "stopped here: 2 minutes were over"
    assert {part.reason for part in others} == {"not begun: 2 minutes were over"}
    capsys.readouterr()


def test_few_slow_steps_are_timed(monkeypatch):
    now_s = 0.0

    def step(number):
        nonlocal now_s
        now_s += 3.0
        done.append(number)

    done = []
    monkeypatch.setattr(gpu.time, "perf_counter", lambda: now_s)
    assert gpu.timed(step, 100, gpu.CPU, smallest=False, longest_s=8.0) == (pytest.approx(1 / 3), 0.0)
    assert done == [1, 2, 3]


def test_each_compiled_network_is_compiled(monkeypatch):
    """Torch stops compiling a function after some shapes, and then runs it as it is."""
    compiles = torch.compile
    monkeypatch.setattr(torch, "compile", lambda network, **given: compiles(network, backend="eager"))
    monkeypatch.setattr("torch._dynamo.config.recompile_limit", 1)
    monkeypatch.setattr("torch._dynamo.config.fail_on_recompile_limit_hit", True)
    motion = SimpleNamespace(windows=lambda frames, time_step_s: standing)
    monkeypatch.setattr("training.motion_model.source_motion.anchor_motion", lambda seed: motion)
    for batch in (4, 5):
        losses, _, _ = gpu.pretraining_steps(Gpu(channels=16, smallest=True), "32-true", gpu.CPU, batch, 1, "default")
        assert 0 < losses[0] < 10_000


def test_differences_are_relative_to_the_cpu():
    found = differences([100.0, 50.0, 20.0], [100.0, 51.0])
    assert found == {"first_step_differs": 0.0, "largest_difference": pytest.approx(0.02)}


def test_a_gpu_that_is_not_there(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(DeviceUnavailable, match="sees 1 CUDA devices, and cuda:1 is asked for"):
        gpu.gpu(Gpu(device="cuda:1"))
    assert gpu.gpu(Gpu(device="cuda")) == torch.device("cuda")


@pytest.mark.parametrize("recipe", ["default", "paper"])
def test_the_steps_of_an_adaptation_run(monkeypatch, recipe):
    """On the CPU, with motion that costs nothing: the part must not be left out for a reason of its own."""

    motion = SimpleNamespace(windows=lambda frames, time_step_s: standing)
    monkeypatch.setattr("training.motion_model.source_motion.anchor_motion", lambda seed: motion)
    losses, speed, memory = gpu.adaptation_steps(Gpu(channels=16, smallest=True), recipe, gpu.CPU, 16, 2)
    assert len(losses) == 2
    assert all(0 < loss < 10_000 for loss in losses)
    assert speed > 0
    assert memory == 0.0
