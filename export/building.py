"""Builds an engine for the command line: shows progress, the result, and what could not be checked here."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from export.engine import why_not_loadable, write_engine
from sdk.runtime.engine_metadata import record_path
from sdk.runtime.tensorrt_runtime import TITLES, Builder


def build_engine(
    onnx_file: Path,
    engine_file: Path,
    architectures: tuple[str, ...],
    builder: Builder,
    batch: tuple[int, int, int],
    warn: bool,
) -> None:
    """Build, write and describe an engine. Arguments and errors are those of `write_engine`."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress:
        tasks = {}

        def show(phase: str, done: int, steps: int) -> None:
            if phase not in tasks:
                tasks[phase] = progress.add_task(phase, total=steps)
            progress.update(tasks[phase], completed=done)

        record = write_engine(onnx_file, engine_file, architectures, builder, batch, show, warn)
    print(
        f"engine      {engine_file} ({record.engine_bytes / 1e6:.1f} MB), see {record_path(engine_file).name}\n"
        f"            {TITLES[builder]} {record.versions[record.library]}, {record.precision}, for "
        f"{', '.join(record.gpu_architectures)}; batch {' / '.join(map(str, record.batch_profile.values()))}"
    )
    reason = why_not_loadable(engine_file, builder)
    if reason is None:
        print("            It loads on this machine's GPU. Its answers were NOT compared: see adaptpose-export bench.")
    else:
        print(
            f"            Its execution was NOT verified: it can't be loaded on this machine. TensorRT says: {reason}"
        )
