"""`adaptpose-export`: makes ONNX files and TensorRT engines from a run or checkpoint, and checks that they are equal.

`adaptpose-export detector` does the same for an mmpose model. `adaptpose-export bench` measures the exported files.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from sdk.commands.command_line import require_packages, run_command
from sdk.errors import AdaptPoseError, BadModelFile
from sdk.lifting.shipped_lifters import SHIPPED_LIFTERS

if TYPE_CHECKING:
    import numpy as np

    from export.precision import Bound
    from export.verification import Difference
    from sdk.lifting.graph_metadata import Precision
    from sdk.lifting.model_metadata import LifterMetadata
    from training.lifter.lifter import TemporalLifter

RUNS = Path("runs")


@dataclass(frozen=True)
class Export:
    """Export an adapted lifter to ONNX, and with --trt to TensorRT engines.

    It writes lifter.onnx (whole windows) and lifter.stream.onnx (one frame at a time, for live streams). Each file is
    compared with its checkpoint on real windows. If the difference is too large (fp32: above 0.05 mm at any joint;
    fp16: mean above 0.2 mm; int8: mean above 3 mm), the file is not kept and the exit code is 2.

    To export a detector, see: adaptpose-export detector --help. To measure times, see: adaptpose-export bench --help
    """

    run: Annotated[Path | None, tyro.conf.Positional, tyro.conf.arg(metavar="[RUN]", help_behavior_hint="")] = None
    """Run folder of adaptpose-train, a checkpoint (.pt), or a shipped lifter by its name: fast, base or feet. Default:
    the newest run under ./runs."""
    precision: Annotated[
        tuple[Literal["fp32", "fp16", "int8"], ...], tyro.conf.arg(metavar="P [P ...]", help_behavior_hint="")
    ] = ()
    """More precisions to write: fp16, int8 (calibrated on the run's target). fp32 is always written."""
    half_storage: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Store the weights of fp32 graphs in half precision: half the file size, fp32 arithmetic. The mean difference may
    be 0.1 mm."""
    share_weights: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Let the fp32 streaming graph take its weights from the window graph's file, as the shipped lifters do: half the
    size of both. The files must then stay in one folder under their names, and come from one export."""
    test: Annotated[Path | None, tyro.conf.arg(metavar="NPZ", help_behavior_hint="")] = None
    """Labelled sequences (as for adaptpose-evaluate). On them, --precision may change MPJPE by 1% at most."""
    trt: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Also build TensorRT engines. Needs adaptpose[tensorrt]; with --builder rtx it needs no GPU."""
    gpu: Annotated[tuple[str, ...], tyro.conf.arg(metavar="SM [SM ...]", help_behavior_hint="")] = ()
    """GPU architectures of the engine, such as sm86 sm89 (or sm86,sm89). Default: all that can be built."""
    builder: Literal["rtx", "tensorrt"] = "rtx"
    """`rtx`: TensorRT for RTX. `tensorrt`: standard TensorRT, which builds only for the GPU of this machine."""
    batch: Annotated[tuple[int, int, int], tyro.conf.arg(metavar="MIN OPT MAX")] = (1, 64, 512)
    """Smallest, usual and largest batch of the engine."""
    warnings: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Print the builder's warnings."""
    triton: Annotated[Path | None, tyro.conf.arg(metavar="DIR", help_behavior_hint="")] = None
    """Folder for a model repository for NVIDIA's Triton server; needs adaptpose[triton]."""
    triton_idle: Annotated[float | None, tyro.conf.arg(metavar="SECONDS", help_behavior_hint="")] = None
    """Triton frees the states of a stream after so many seconds without a frame. Default: 60."""
    out: Annotated[Path | None, tyro.conf.arg(metavar="PATH", help_behavior_hint="")] = None
    """Folder to write to, or the .onnx file. Default: the folder and the name of the checkpoint (in a run folder:
    lifter.onnx). Of a shipped lifter: the working folder."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Console script. The default arguments are those of the process."""
    run_command(lambda: _run(list(sys.argv[1:] if arguments is None else arguments)))


def _run(words: list[str]) -> None:
    if words[:1] == ["bench"]:
        from export.bench_command import Bench, run_bench

        run_bench(tyro.cli(Bench, prog="adaptpose-export bench", args=words[1:]))
    elif words[:1] == ["detector"]:
        from export.detector_command import ExportDetector, run_export_detector

        run_export_detector(tyro.cli(ExportDetector, prog="adaptpose-export detector", args=words[1:]))
    else:
        run_export(tyro.cli(Export, prog="adaptpose-export", args=words))


def run_export(settings: Export) -> None:
    """Export, verify and report.

    Raises:
        AdaptPoseError: there is nothing to export, the checkpoint can't be used, a package is missing, a difference is
            too large, or a folder can't be written to.
    """
    require_packages("torch", "onnx", "onnxscript", extra="train", purpose="adaptpose-export")
    checkpoint_file, remark = find_checkpoint(settings.run)
    if settings.gpu and not settings.trt:
        raise AdaptPoseError(f"--gpu {' '.join(settings.gpu)} says what an engine is built for: add --trt.")
    if settings.half_storage and set(settings.precision) - {"fp32"}:
        raise AdaptPoseError("--half-storage is for fp32 alone: leave out --precision, whose files are small already.")
    onnx_file = choose_onnx_file(settings.out, checkpoint_file)
    if settings.triton_idle is not None:
        from export.triton_repository import check_idle_time

        if settings.triton is None:
            raise AdaptPoseError(
                f"--triton-idle {settings.triton_idle:g} is a setting of Triton's models: add --triton DIR."
            )
        check_idle_time(settings.triton_idle)
    if settings.triton is not None:
        require_packages("tritonclient", extra="triton", purpose="--triton")

    # First, so that a missing package or a misspelt GPU is reported before any work.
    architectures: tuple[str, ...] = ()
    if settings.trt:
        from export.engine import check_batch_profile, choose_architectures

        check_batch_profile(settings.batch)
        architectures = choose_architectures(settings.gpu, settings.builder)

    from export.real_windows import find_real_windows
    from training.evaluation.benchmark_data import load_labelled_sequences
    from training.lifter.checkpoint import LifterCheckpoint, exported_metadata

    checkpoint = LifterCheckpoint.load(checkpoint_file)
    metadata = exported_metadata(checkpoint.metadata, checkpoint_file)
    sequences = None if settings.test is None else load_labelled_sequences(settings.test)
    print(f"checkpoint  {checkpoint_file}{remark}")
    real = find_real_windows(checkpoint_file.parent, checkpoint.metadata)
    print(f"windows     {len(real.windows)} windows {real.origin}")
    wanted = [p for p in dict.fromkeys(settings.precision) if p != "fp32"]
    streams = _export_fp32(checkpoint.network, metadata, onnx_file, real.windows, settings.half_storage)
    windows = [onnx_file]
    for precision in wanted:
        path, stream = _export_precision(precision, checkpoint.network, metadata, onnx_file, streams, real.windows)
        windows.append(path)
        streams += stream
    if sequences is not None:
        _compare_errors(windows, sequences)
    engines = [_export_engine(path, architectures, settings) for path in (*windows, *streams)] if settings.trt else []
    if settings.triton is not None:
        _export_triton(settings, [*windows, *streams, *(engines if settings.builder == "tensorrt" else ())])
    if settings.share_weights:  # last: what is made of the streaming graph above holds its own weights
        _share_weights(onnx_file, streams[0], real.windows)


def find_checkpoint(run: Path | None) -> tuple[Path, str]:
    """The checkpoint to export, and a remark on how it was found.

    Raises:
        BadModelFile: there is none.
    """
    if run is None:
        found = [path for path in RUNS.glob("*/lifter.pt") if path.is_file()]
        if not found:
            raise BadModelFile(
                f"no run with a lifter.pt under {RUNS.absolute()}. Name a run folder or a checkpoint, or make a run "
                "with adaptpose-train --target VIDEOS."
            )
        return max(found, key=lambda path: path.stat().st_mtime), f" (the newest of {len(found)} under {RUNS})"
    if str(run) in SHIPPED_LIFTERS:
        from training.lifter.checkpoint import starting_checkpoint

        return starting_checkpoint(run), " (shipped)"
    if run.is_dir():
        if not (run / "lifter.pt").is_file():
            raise BadModelFile(
                f"{run} holds no lifter.pt: its run is not finished, or it is not a run folder. Finish it with "
                f"adaptpose-train --resume {run}, or name another run."
            )
        return run / "lifter.pt", ""
    if run.suffix == ".onnx":
        raise BadModelFile(f"{run} is exported already. Give the checkpoint (.pt) or run folder it was made from.")
    if not run.is_file():
        raise BadModelFile(
            f"no run folder or checkpoint at {run}, and the shipped lifters are called {', '.join(SHIPPED_LIFTERS)}."
        )
    return run, ""


def choose_onnx_file(out: Path | None, checkpoint_file: Path) -> Path:
    """The ONNX file to write: in the checkpoint's folder, in the folder `out`, or `out` itself if that is an .onnx.

    What is made of a shipped lifter goes into the working folder, not among the installed files.

    Raises:
        BadModelFile: `out` is a file of another kind.
    """
    if out is None:
        from training.lifter.checkpoint import is_shipped

        file = checkpoint_file.with_suffix(".onnx")
        return Path(file.name) if is_shipped(checkpoint_file) else file
    if out.suffix == ".onnx" and not out.is_dir():
        return out
    if out.is_file():
        raise BadModelFile(f"--out {out} is a file, and no .onnx: give a folder or an .onnx file.")
    return out / f"{checkpoint_file.stem}.onnx"


def _export_fp32(
    network: TemporalLifter, metadata: LifterMetadata, onnx_file: Path, windows: np.ndarray, half_storage: bool
) -> list[Path]:
    """Write both graphs. Returns the streaming graph."""
    from export.precision import BOUNDS, STORED_IN_HALF
    from export.verification import measure_difference, measure_streaming_difference
    from sdk.lifting.streaming import streaming_path
    from training.lifter.onnx_graphs import write_lifter_onnx, write_streaming_onnx

    bound = STORED_IN_HALF if half_storage else BOUNDS["fp32"]
    _prove(
        onnx_file,
        "fp32",
        "windows",
        bound,
        lambda part: write_lifter_onnx(network, metadata, part, half_storage=half_storage),
        lambda part: measure_difference(part, network, windows),
    )
    stream = streaming_path(onnx_file)
    _prove(
        stream,
        "fp32",
        "frame by frame",
        bound,
        lambda part: write_streaming_onnx(network, metadata, part, half_storage=half_storage),
        lambda part: measure_streaming_difference(part, metadata, "fp32", network, windows),
    )
    return [stream]


def _export_precision(
    precision: Precision,
    network: TemporalLifter,
    metadata: LifterMetadata,
    onnx_file: Path,
    streams: Sequence[Path],
    windows: np.ndarray,
) -> tuple[Path, list[Path]]:
    """Write another precision of the graphs of `_export_fp32`. Returns the window graph and the streaming graphs."""
    from export.precision import BOUNDS, write_precision
    from export.verification import measure_difference, measure_streaming_difference
    from sdk.lifting.streaming import streaming_path

    # int8 must be measured on other windows than those it is calibrated on.
    calibration, unseen = (windows[::2], windows[1::2]) if precision == "int8" and len(windows) > 1 else (windows,) * 2
    path = onnx_file.with_name(f"{onnx_file.stem}.{precision}.onnx")
    _prove(
        path,
        precision,
        "windows",
        BOUNDS[precision],
        lambda part: write_precision(onnx_file, part, precision, calibration),
        lambda part: measure_difference(part, network, unseen),
    )
    stream = streaming_path(path)
    _prove(
        stream,
        precision,
        "frame by frame",
        BOUNDS[precision],
        lambda part: write_precision(streams[0], part, precision, calibration),
        lambda part: measure_streaming_difference(part, metadata, precision, network, unseen),
    )
    return path, [stream]


def _prove(
    path: Path,
    precision: Precision,
    form: str,
    bound: Bound,
    write: Callable[[Path], None],
    measure: Callable[[Path], Difference],
) -> None:
    """Write a graph and measure it. Keep it only if it is near enough to the checkpoint."""
    from training.files.atomic_file import replacing

    with _writing(path), replacing(path) as part:
        write(part)
        difference = measure(part)
        difference.require(bound, f"{path} ({precision})")
    allowed = f"mean {bound.mean_mm} mm" if bound.largest_mm is None else f"largest {bound.largest_mm} mm"
    print(f"ONNX        {path} ({_megabytes(path)}), {precision}, {form}")
    print(
        f"difference  largest {difference.largest_mm:.5f} mm, mean {difference.mean_mm:.5f} mm from torch on "
        f"{difference.windows} windows; allowed: {allowed}"
    )
    for line in difference.lines():
        print(f"            {line}")


def _share_weights(onnx_file: Path, stream: Path, windows: np.ndarray) -> None:
    from export.shared_weights import share_weights

    before = stream.stat().st_size
    with _writing(stream):
        share_weights(onnx_file, stream, windows)
    after = stream.stat().st_size
    print(f"shared      {stream}: {before / 1e3:.0f} -> {after / 1e3:.0f} kB, weights from {onnx_file.name}")


def _compare_errors(windows: Sequence[Path], sequences) -> None:  # type: ignore[no-untyped-def]
    from export.precision import BOUNDS
    from export.verification import UnequalExport
    from sdk.lifting.lifter import Lifter
    from training.evaluation.evaluate import evaluate

    reference = None
    for path in windows:
        lifter = Lifter(path)
        error_mm = evaluate(lifter, sequences).mpjpe_mm
        if reference is None:
            reference = error_mm
        change = (error_mm / reference - 1) * 100
        print(f"MPJPE       {error_mm:.3f} mm with {path.name}: {change:+.3f}%")
        if not abs(change) <= BOUNDS[lifter.graph.precision].mpjpe_percent:
            path.unlink()
            raise UnequalExport(
                f"{path} changes MPJPE by {change:+.2f}%, allowed: {BOUNDS[lifter.graph.precision].mpjpe_percent}%. It "
                "was removed. Use fp16 or fp32."
            )


def _export_engine(onnx_file: Path, architectures: tuple[str, ...], settings: Export) -> Path:
    from export.building import build_engine

    engine_file = onnx_file.with_suffix(".engine")
    with _writing(engine_file):
        build_engine(onnx_file, engine_file, architectures, settings.builder, settings.batch, settings.warnings)
    return engine_file


def _export_triton(settings: Export, models: Sequence[Path]) -> None:
    from export.triton_repository import IDLE_S, write_triton_repository

    assert settings.triton is not None
    idle_s = IDLE_S if settings.triton_idle is None else settings.triton_idle
    with _writing(settings.triton):
        served = write_triton_repository(settings.triton, models, idle_s)
    print(f"Triton      {settings.triton}: {', '.join(f'{m.name} ({m.backend})' for m in served)}")
    if settings.trt and settings.builder == "rtx":
        print("            Engines of TensorRT for RTX are not in it: Triton runs only those of standard TensorRT.")


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Make the folder. A full disk or a missing right is the user's to mend; existing files stay whole."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield
    except AdaptPoseError:  # some of them are also OSErrors
        raise
    except OSError as error:
        raise AdaptPoseError(f"{path} can't be written: {error}.") from error


def _megabytes(path: Path) -> str:
    return f"{path.stat().st_size / 1e6:.1f} MB"


if __name__ == "__main__":
    main()
