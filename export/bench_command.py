"""`adaptpose-export bench`: measures latency, throughput and parity of all exported files; prints a table."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from sdk.errors import AdaptPoseError, BadModelFile
from sdk.lifting.shipped_lifters import SHIPPED_LIFTERS

if TYPE_CHECKING:
    import numpy as np

    from sdk.lifting.lifter import Lifter


_LARGEST_BATCH = 512


@dataclass(frozen=True)
class Bench:
    """Measure all files of a lifter in the folder of its lifter.onnx: precisions, streaming graphs, engines.

    Prints a table. A file is written only with --json. Parity is measured against lifter.onnx on the CPU, on windows
    of the run's target if the folder has them.
    """

    model: Annotated[Path, tyro.conf.Positional]
    """A run folder, the lifter's .onnx file, or a shipped lifter by its name: fast, base or feet."""
    batches: tuple[int, ...] = (1, 64, 512)
    """Batch sizes to measure: windows, or people of a live stream, in one call."""
    device: str = "cpu"
    """Device for ONNX files: cpu, cuda, cuda:N. Engines always run in TensorRT."""
    threads: int = 2
    """CPU threads per operator."""
    seconds: float = 1.0
    """Seconds to measure each row."""
    torch: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Also measure the checkpoint in torch, both over sequences (dilated) and over windows (strided)."""
    json: Path | None = None
    """JSON file for the figures and the description of the machine."""


@dataclass(frozen=True)
class Figures:
    """One row: one file, one batch."""

    model: str
    backend: str
    precision: str
    form: str
    batch: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    cpu_ms: float
    """Median processor time of a call, over all threads. A busy machine disturbs it least."""
    poses_per_s: float
    mean_difference_mm: float
    largest_difference_mm: float


@dataclass(frozen=True)
class _Measured:
    """One form of the lifter. `prepare` takes windows (B, receptive_field, 16, 2) and returns the call to time."""

    model: str
    backend: str
    precision: str
    form: str
    prepare: Callable[[np.ndarray], Callable[[], object]]
    lift: Callable[[np.ndarray], np.ndarray]


def run_bench(settings: Bench) -> None:
    """Measure, print and write.

    Raises:
        AdaptPoseError: there is no lifter, the settings can't work, or the device is not there.
    """
    from rich.console import Console
    from rich.table import Table

    from export.machine import describe_machine
    from sdk.files.output_files import check_output_path
    from sdk.runtime.sessions import parse_device

    if not settings.batches or min(settings.batches) < 1 or not settings.seconds > 0:
        raise AdaptPoseError("--batches are 1 or more, and --seconds more than 0.")
    parse_device(settings.device)
    if settings.json is not None:
        check_output_path(settings.json, ".json")
    rows, left_out, origin = measure(settings)
    machine = describe_machine()
    table = Table(title=f"{settings.model}: {machine['processor']}, {machine['cores']} cores, GPU {machine['gpu']}")
    for column in ("file", "backend", "precision", "form", "batch", "p50 ms", "p95", "p99", "CPU ms", "poses/s"):
        table.add_column(column, justify="left" if column in ("file", "backend", "precision", "form") else "right")
    table.add_column("mean mm", justify="right")
    table.add_column("largest mm", justify="right")
    for row in rows:
        times = (f"{value:.3f}" for value in (row.p50_ms, row.p95_ms, row.p99_ms, row.cpu_ms))
        parity = (f"{row.mean_difference_mm:.5f}", f"{row.largest_difference_mm:.5f}")
        words = (row.model, row.backend, row.precision, row.form, str(row.batch))
        table.add_row(*words, *times, f"{row.poses_per_s:.0f}", *parity)
    Console(width=150).print(table)
    print(f"parity with lifter.onnx on windows {origin}")
    for name, reason in left_out.items():
        print(f"not measured  {name}: {reason}")
    if settings.json is not None:
        content = {
            "machine": machine,
            "windows": origin,
            "threads": settings.threads,
            "rows": [dataclasses.asdict(row) for row in rows],
            "not_measured": left_out,
        }
        settings.json.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def measure(settings: Bench) -> tuple[list[Figures], dict[str, str], str]:
    """The rows; what could not be measured, and why; the origin of the windows."""
    import numpy as np

    from export.real_windows import find_real_windows
    from export.timing import time_calls
    from sdk.commands.command_line import require_packages
    from sdk.lifting.lifter import Lifter

    require_packages("torch", extra="train", purpose="adaptpose-export bench")
    reference = Lifter(settings.model, threads=settings.threads)
    if reference.path.suffix != ".onnx" or reference.graph.precision != "fp32":
        raise BadModelFile(f"{reference.path}: name the lifter's fp32 .onnx file; its other forms are found beside it.")
    real = find_real_windows(reference.path.parent, reference.metadata)
    expected = reference.lift_windows(real.windows)
    rows: list[Figures] = []
    left_out: dict[str, str] = {}
    for name, open_form in _forms(settings, reference):
        try:
            form = open_form()
        except AdaptPoseError as error:
            left_out[name] = str(error)
            continue
        distance_mm = np.linalg.norm(form.lift(real.windows).astype(np.float64) - expected, axis=-1) * 1000
        for batch in settings.batches:
            windows = np.resize(real.windows, (batch, *real.windows.shape[1:]))
            clock, cpu = time_calls(form.prepare(windows), settings.seconds)
            p50, p95, p99 = (float(seconds) * 1e3 for seconds in np.percentile(clock, [50, 95, 99]))
            rows.append(
                Figures(
                    model=form.model,
                    backend=form.backend,
                    precision=form.precision,
                    form=form.form,
                    batch=batch,
                    p50_ms=p50,
                    p95_ms=p95,
                    p99_ms=p99,
                    cpu_ms=float(np.median(cpu)) * 1e3,
                    poses_per_s=batch / p50 * 1e3,
                    mean_difference_mm=float(distance_mm.mean()),
                    largest_difference_mm=float(distance_mm.max()),
                )
            )
    return rows, left_out, real.origin


def _forms(settings: Bench, reference: Lifter) -> Iterator[tuple[str, Callable[[], _Measured]]]:
    """Every form of the reference in its folder: name, and a function that opens it."""
    from sdk.lifting.lifter import Lifter
    from sdk.lifting.streaming import streaming_path

    base, threads = reference.path, settings.threads
    for suffix, device in ((".onnx", settings.device), (".engine", "tensorrt")):
        for precision in ("fp32", "fp16", "int8"):
            path = base.with_name(f"{base.stem}{'' if precision == 'fp32' else f'.{precision}'}{suffix}")
            stream = streaming_path(path)
            if path.is_file():
                open_window = partial(Lifter, path, device=device, threads=threads)
                yield path.name, partial(_window_form, open_window, reference)
            if stream.is_file():
                yield stream.name, partial(_streaming_form, stream, precision, device, threads, reference)
    if settings.torch:
        from training.lifter.checkpoint import starting_checkpoint

        shipped = next((name for name, path in SHIPPED_LIFTERS.items() if path == base), None)
        checkpoint = starting_checkpoint(Path(shipped)) if shipped else base.with_suffix(".pt")
        for form in ("strided", "dilated"):
            yield f"torch, {form}", partial(_torch_form, checkpoint, form, threads)


def _window_form(open_lifter: Callable[[], Lifter], reference: Lifter) -> _Measured:
    lifter = open_lifter()
    if lifter.metadata != reference.metadata:
        raise BadModelFile(f"{lifter.path} is of another lifter than {reference.path}. Export again.")
    return _Measured(
        lifter.path.name,
        lifter.provider,
        lifter.graph.precision,
        "window",
        lambda windows: lambda: lifter.lift_windows(windows),
        lifter.lift_windows,
    )


def _streaming_form(path: Path, precision: str, device: str, threads: int, reference: Lifter) -> _Measured:
    import numpy as np

    from export.verification import stream_windows
    from sdk.lifting.streaming import StreamingGraph

    graph = StreamingGraph(path, reference.metadata, precision, device, threads)

    def prepare(windows: np.ndarray) -> Callable[[], object]:
        states = graph.start(len(windows))
        pushed = 0

        def step() -> None:
            nonlocal states, pushed
            _, states = graph.step(windows[:, pushed % windows.shape[1]], states)
            pushed += 1

        return step

    def lift(windows: np.ndarray) -> np.ndarray:
        parts = np.array_split(windows, -(-len(windows) // _LARGEST_BATCH))
        return graph.form.joints_m(np.concatenate([stream_windows(graph, part) for part in parts]))

    return _Measured(path.name, graph.provider, precision, "streaming", prepare, lift)


def _torch_form(checkpoint: Path, form: str, threads: int) -> _Measured:
    import torch

    from training.lifter.checkpoint import LifterCheckpoint

    network = LifterCheckpoint.load(checkpoint).network
    torch.set_num_threads(threads)

    def lift(windows: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            if form == "strided":
                return network(torch.from_numpy(windows)).numpy()
            return network.forward_sequence(torch.from_numpy(windows))[:, 0].numpy()

    return _Measured(checkpoint.name, f"torch, {form}", "fp32", "window", lambda windows: lambda: lift(windows), lift)
