"""Runs the project on a GPU and on the CPU from one seed: do they agree, how fast is each, and in what memory.

    python -m benchmarks.gpu --minutes 8 --out OUT

Parts: adaptation by both recipes, pretraining in float32 and in mixed precision, several adaptations at once on one
GPU, pretraining with torch.compile and CUDA graphs, ONNX Runtime's CUDA provider, a TensorRT engine. A part that can't
run says why, and the others go on. It needs torch, roma, lightning-fabric, numpy, scipy, tyro and lazy-loader;
pretraining also tensorboard and rich, ONNX Runtime and TensorRT their packages, onnx and onnxscript. OUT/gpu.json has
every number, with the machine; the table is printed.

On a GPU, losses are compared step by step: the first step must agree, later ones drift, because sums in another order
differ in their last digits and training enlarges that. `smallest` is for machines without one.
"""

from __future__ import annotations

import copy
import dataclasses
import json
import math
import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch is loaded; why: training/commands/command.py
import numpy as np
import torch
import tyro

from sdk.commands.command_line import run_command
from sdk.errors import DeviceUnavailable
from sdk.lifting.model_metadata import LifterMetadata

CPU = torch.device("cpu")


@dataclass(frozen=True)
class Gpu:
    """Compare GPU and CPU."""

    out: Path = Path("runs/gpu")
    """Folder for gpu.json."""
    minutes: float = 8.0
    """No part begins, and none measures another row, later than this."""
    device: str = "cuda"
    """The GPU: cuda or cuda:N."""
    seed: int = 0
    """Seed of all parts."""
    channels: int = 256
    """Width of the lifter."""
    compared: int = 20
    """Steps whose losses are compared."""
    timed: int = 100
    """Steps that are timed on the GPU, after ten that are not."""
    longest_s: float = 8.0
    """Fewer steps are timed if they take longer than this, and fewer are left untimed: large batches are drawn on the
    CPU, which takes seconds a step."""
    batches: tuple[int, ...] = (128, 256, 1024, 4096)
    """Windows per step; the smallest is compared with the CPU, all are timed on the GPU."""
    threads: int = 0
    """CPU threads of torch; with 0, torch decides. Adaptations at once take one each."""
    smallest: bool = False
    """Sizes that a CPU does in a minute, to see that each part runs or says why it can't."""


@dataclass
class Part:
    """What a part found.

    Attributes:
        name: Its name.
        rows: Numbers: one row for each device and setting.
        reason: Why it did not run, or not to its end.
        seconds: On the clock.
    """

    name: str
    rows: list[dict[str, Any]] = field(default_factory=list)
    reason: str = ""
    seconds: float = 0.0


def run_all(settings: Gpu) -> list[Part]:
    """Run every part, and write gpu.json after each."""
    if settings.smallest:
        settings = dataclasses.replace(settings, channels=16, compared=2, timed=1, batches=(16,))
    parts: dict[str, Callable[[Gpu], Iterator[dict[str, Any]]]] = {
        "ONNX Runtime": onnx_runtime,
        "TensorRT": tensorrt,
        "adaptation, default": lambda given: adaptation(given, "default"),
        "adaptation, paper": lambda given: adaptation(given, "paper"),
        "pretraining": lambda given: pretraining(given, "32-true"),
        "pretraining, mixed precision": lambda given: pretraining(given, "bf16-mixed"),
        "adaptations at once": adaptations_at_once,
        "pretraining, compiled": compiled_pretraining,
    }
    began, done = time.monotonic(), []
    settings.out.mkdir(parents=True, exist_ok=True)
    blind = "" if torch.cuda.is_available() else "; torch sees no CUDA device here"
    for name, run in parts.items():
        part, at = Part(name), time.monotonic()
        if at - began > settings.minutes * 60:
            part.reason = f"not begun: {settings.minutes:g} minutes were over{blind}"
        else:
            try:
                for row in run(settings):
                    part.rows.append(row)
                    if time.monotonic() - began > settings.minutes * 60:
                        part.reason = f"stopped here: {settings.minutes:g} minutes were over{blind}"
                        break
            except Exception as error:  # whatever is missing on this machine: the other parts go on
                part.reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
        part.seconds = time.monotonic() - at
        done.append(part)
        content = {
            "machine": machine(),
            "settings": {name: str(value) for name, value in dataclasses.asdict(settings).items()},
            "parts": [dataclasses.asdict(one) for one in done],
        }
        (settings.out / "gpu.json").write_text(json.dumps(content, indent=2))
        print(f"{name}: {part.reason or 'done'} ({part.seconds:.0f} s)", flush=True)
    return done


def machine() -> dict[str, Any]:
    """Processor, GPU, system and versions."""
    from export.machine import describe_machine

    described = describe_machine()
    if torch.cuda.is_available():
        properties = torch.cuda.get_device_properties(0)
        described["cuda"] = {
            "name": properties.name,
            "memory_gib": properties.total_memory / 2**30,
            "capability": list(torch.cuda.get_device_capability(0)),
            "cuda": torch.version.cuda,
        }
    return described | {"torch": torch.__version__}


def gpu(settings: Gpu) -> torch.device:
    """The GPU.

    Raises:
        DeviceUnavailable: torch sees none, or not this one.
    """
    device = torch.device(settings.device)
    found = torch.cuda.device_count()
    if device.type != "cuda" or (device.index or 0) >= found:
        raise DeviceUnavailable(
            f"torch {torch.__version__} sees {found} CUDA devices, and {settings.device} is asked for"
        )
    return device


def adaptation(settings: Gpu, recipe: str) -> Iterator[dict[str, Any]]:
    """Steps of a recipe on the CPU, then on the GPU."""
    batch = min(settings.batches)
    on_cpu, speed, _ = adaptation_steps(settings, recipe, CPU, batch, settings.compared)
    yield {"device": "cpu", "batch": batch, "steps_per_s": speed, "first_loss_mm": on_cpu[0]}
    device = gpu(settings)
    on_gpu, _, _ = adaptation_steps(settings, recipe, device, batch, settings.compared)
    agreement = differences(on_cpu, on_gpu)
    for size in settings.batches:
        _, speed, memory = adaptation_steps(settings, recipe, device, size, settings.timed, settings.longest_s)
        yield {"device": str(device), "batch": size, "steps_per_s": speed, "memory_mib": memory, **agreement}
        agreement = {}


def adaptation_steps(
    settings: Gpu, recipe: str, device: torch.device, batch: int, steps: int, longest_s: float = math.inf
) -> tuple[list[float], float, float]:
    """Do steps from one seed; see `timed`.

    Returns:
        The lifter's loss on generated windows after each (mm), steps a second, and peak memory of the GPU (MiB).
    """
    from training.adaptation.adaptation import new_adaptation
    from training.adaptation.lifter_teacher import LifterTeacher
    from training.cameras.random_cameras import CameraRanges, film
    from training.lifter.lifter import TemporalLifter
    from training.motion_model.source_motion import anchor_motion
    from training.settings.method import RECIPES
    from training.target.target_windows import TargetSequence, TargetWindows

    if settings.threads:
        torch.set_num_threads(settings.threads)
    method = dataclasses.replace(RECIPES[recipe], warm_up=0.0)
    source = anchor_motion(settings.seed).windows(27, (0.6 / 25, 2.0 / 25))
    random = torch.Generator().manual_seed(settings.seed)
    people = film(source(64, random), CameraRanges(), random).keypoints.clamp(-1, 1).numpy()
    target = [TargetSequence(str(i), one, np.ones(one.shape[:2], np.float32), 0.5625) for i, one in enumerate(people)]
    torch.manual_seed(settings.seed)
    teacher = LifterTeacher(
        TemporalLifter(channels=settings.channels),
        (1.0, 0.5625),
        method,
        steps=10_000,
        batch=batch,
        device=device,
    )
    work = new_adaptation(
        teacher,
        lambda count, generator: film(source(count, generator), CameraRanges(), generator),
        TargetWindows(target, 27),
    )
    losses: list[float] = []
    speed, memory = timed(
        lambda step: losses.append(work.step(step, random)["lifter/fake_mm"]),
        steps,
        device,
        settings.smallest,
        longest_s,
    )
    return losses, speed, memory


def pretraining(settings: Gpu, precision: str) -> Iterator[dict[str, Any]]:
    """Steps of pretraining on the CPU in float32, then on the GPU in the given precision."""
    batch = min(settings.batches)
    on_cpu, speed, _ = pretraining_steps(settings, "32-true", CPU, batch, settings.compared)
    yield {"device": "cpu", "precision": "32-true", "batch": batch, "steps_per_s": speed, "first_loss_mm": on_cpu[0]}
    if precision != "32-true":
        mixed, speed, _ = pretraining_steps(settings, precision, CPU, batch, settings.compared)
        yield {
            "device": "cpu",
            "precision": precision,
            "batch": batch,
            "steps_per_s": speed,
            **differences(on_cpu, mixed),
        }
    device = gpu(settings)
    on_gpu, _, _ = pretraining_steps(settings, precision, device, batch, settings.compared)
    agreement = differences(on_cpu, on_gpu)
    for size in settings.batches:
        _, speed, memory = pretraining_steps(
            settings, precision, device, size, settings.timed, longest_s=settings.longest_s
        )
        yield {
            "device": str(device), "precision": precision, "batch": size, "steps_per_s": speed, "memory_mib": memory,
            **agreement,
        }  # fmt: skip
        agreement = {}


def adaptations_at_once(settings: Gpu) -> Iterator[dict[str, Any]]:
    """One, two and four adaptations on one GPU, a process each, as `adaptpose-train --workers N --device cuda` does."""
    device = gpu(settings)
    one = dataclasses.replace(settings, threads=1)
    for count in (1, 2, 4):
        with ProcessPoolExecutor(count, multiprocessing.get_context("spawn")) as pool:
            work = [
                pool.submit(
                    adaptation_steps, one, "default", device, min(settings.batches), settings.timed, settings.longest_s
                )
                for _ in range(count)
            ]
            speeds = [each.result()[1] for each in work]
        yield {"device": str(device), "batch": min(settings.batches), "at_once": count, "steps_per_s": sum(speeds)}


def compiled_pretraining(settings: Gpu) -> Iterator[dict[str, Any]]:
    """Steps of pretraining on the GPU with torch.compile, with and without CUDA graphs (`reduce-overhead`)."""
    device, batch = gpu(settings), min(settings.batches)
    plain, _, _ = pretraining_steps(settings, "32-true", device, batch, settings.compared)
    for mode in ("default", "reduce-overhead"):
        compiled, _, _ = pretraining_steps(settings, "32-true", device, batch, settings.compared, mode)
        agreement = differences(plain, compiled)
        for size in settings.batches:
            _, speed, memory = pretraining_steps(
                settings, "32-true", device, size, settings.timed, mode, settings.longest_s
            )
            yield {
                "device": str(device), "mode": mode, "batch": size, "steps_per_s": speed, "memory_mib": memory,
                **agreement,
            }  # fmt: skip
            agreement = {}


def pretraining_steps(
    settings: Gpu,
    precision: Any,
    device: torch.device,
    batch: int,
    steps: int,
    compiled: str | None = None,
    longest_s: float = math.inf,
) -> tuple[list[float], float, float]:
    """As `adaptation_steps`, with network, optimiser and precision of `adaptpose-train pretrain`.

    Without dropout: CUDA draws it in another way. `compiled` is a mode of torch.compile.
    """
    from training.cameras.random_cameras import CameraRanges, film
    from training.evaluation.metrics import mpjpe
    from training.lifter.lifter import TemporalLifter
    from training.motion_model.source_motion import anchor_motion
    from training.runs.processes import Processes

    source = anchor_motion(settings.seed).windows(27, (0.6 / 25, 2.0 / 25))
    random = torch.Generator().manual_seed(settings.seed)
    torch.manual_seed(settings.seed)
    network = TemporalLifter(channels=settings.channels, dropout=0.0, view="person").to(device).train()
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-3)
    processes, losses = Processes(precision=precision), list[float]()
    called: Any = network
    if compiled is not None:
        # After eight shapes torch would run what it compiled no more, and only warn.
        torch.compiler.reset()
        called = torch.compile(network, mode=compiled, dynamic=False)

    def step(_: int) -> None:
        seen = film(source(batch, random), CameraRanges(), random)
        with processes.autocast(device):
            lifted = called(seen.keypoints.to(device))
        loss = mpjpe(lifted.float(), seen.middle_pose_m.to(device))
        optimiser.zero_grad(set_to_none=True)
        processes.backward(loss)
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        losses.append(processes.mean(loss) * 1000)

    speed, memory = timed(step, steps, device, settings.smallest, longest_s)
    return losses, speed, memory


def timed(
    step: Callable[[int], Any], steps: int, device: torch.device, smallest: bool, longest_s: float = math.inf
) -> tuple[float, float]:
    """Do steps 1, 2, ... and time them, after ten (or none) that are not. Steps a second, and peak memory in MiB.

    Both end early, with a step done each, when they take longer than `longest_s`.
    """
    on_gpu = device.type == "cuda"
    if on_gpu:
        torch.cuda.reset_peak_memory_stats(device)

    def do(first: int, count: int) -> tuple[int, float]:
        began = time.perf_counter()
        for done in range(1, count + 1):
            step(first + done - 1)  # each reads its loss, so it has ended
            if time.perf_counter() - began > longest_s:
                return done, time.perf_counter() - began
        return count, time.perf_counter() - began

    unmeasured, _ = do(1, 10 if on_gpu and not smallest else 0)
    done, took_s = do(unmeasured + 1, steps)
    return done / took_s, torch.cuda.max_memory_allocated(device) / 2**20 if on_gpu else 0.0


def differences(on_cpu: list[float], other: list[float]) -> dict[str, float]:
    """Relative differences of losses: of the first step, and the largest of the compared ones."""
    pairs = zip(on_cpu, other, strict=False)
    relative = [abs(one - two) / max(abs(one), 1e-9) for one, two in pairs]
    return {"first_step_differs": relative[0], "largest_difference": max(relative)}


def exported(settings: Gpu, folder: Path) -> tuple[Path, np.ndarray]:
    """A lifter's ONNX file, and windows for it."""
    from training.lifter.lifter import TemporalLifter
    from training.lifter.onnx_graphs import write_lifter_onnx

    torch.manual_seed(settings.seed)
    path = folder / "lifter.onnx"
    write_lifter_onnx(TemporalLifter(channels=settings.channels).eval(), LifterMetadata(), path)
    windows = torch.randn(max(settings.batches), 27, 16, 2, generator=torch.Generator().manual_seed(settings.seed))
    return path, windows.numpy()


def parity(settings: Gpu, path: Path, device: str, expected: np.ndarray, windows: np.ndarray) -> dict[str, Any]:
    """Run a model on a device: windows a second, and how far its poses are from those of the CPU."""
    from sdk.runtime.sessions import open_session

    session = open_session(path, device)
    name = session.get_inputs()[0].name
    (found,) = session.run(["joints"], {name: windows})
    runs, _ = timed(
        lambda _: session.run(["joints"], {name: windows}), settings.timed, CPU, settings.smallest, settings.longest_s
    )
    speed = runs * len(windows)
    return {
        "device": device, "batch": len(windows), "windows_per_s": speed, "provider": session.get_providers()[0],
        "largest_difference_mm": float(np.abs(found - expected).max()) * 1000,
    }  # fmt: skip


def onnx_runtime(settings: Gpu) -> Iterator[dict[str, Any]]:
    """ONNX Runtime on the CPU and with its CUDA provider."""
    from sdk.runtime.sessions import open_session

    with tempfile.TemporaryDirectory() as folder:
        path, windows = exported(settings, Path(folder))
        session = open_session(path)
        (expected,) = session.run(["joints"], {session.get_inputs()[0].name: windows})
        yield parity(settings, path, "cpu", expected, windows)
        yield parity(settings, path, settings.device, expected, windows)


def tensorrt(settings: Gpu) -> Iterator[dict[str, Any]]:
    """An engine of TensorRT for RTX, against ONNX Runtime on the CPU."""
    from export.engine import choose_architectures, write_engine
    from sdk.runtime.sessions import open_session

    with tempfile.TemporaryDirectory() as folder:
        path, windows = exported(settings, Path(folder))
        windows = copy.copy(windows[:64])
        session = open_session(path)
        (expected,) = session.run(["joints"], {session.get_inputs()[0].name: windows})
        engine = Path(folder) / "lifter.engine"
        began = time.perf_counter()
        here = torch.cuda.is_available()
        names = ["sm{}{}".format(*torch.cuda.get_device_capability(settings.device))] if here else []
        write_engine(path, engine, choose_architectures(names))
        yield {"device": "built", "build_s": time.perf_counter() - began, "engine_mib": engine.stat().st_size / 2**20}
        yield parity(settings, engine, "tensorrt", expected, windows)


def as_markdown(parts: list[Part]) -> str:
    """One row for each device and setting, and one for each part that did not run to its end."""
    lines = ["| part | device | batch | numbers |", "|---|---|---|---|"]
    for part in parts:
        for row in part.rows:
            rest = {name: value for name, value in row.items() if name not in ("device", "batch")}
            words = ", ".join(
                f"{name} {value:.3g}" if isinstance(value, float) else f"{name} {value}" for name, value in rest.items()
            )
            lines.append(f"| {part.name} | {row['device']} | {row.get('batch', '')} | {words} |")
        if part.reason:
            lines.append(f"| {part.name} | | | not run: {part.reason} |")
    return "\n".join(lines)


def main() -> None:
    """Run, and print the table."""
    settings = tyro.cli(Gpu, description=__doc__)
    run_command(lambda: print(as_markdown(run_all(settings))))


if __name__ == "__main__":
    main()
