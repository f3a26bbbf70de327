"""`adaptpose-export`: from a run or checkpoint to lifter.onnx and a TensorRT engine, proved equal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from sdk.command_line import require_packages, run_command
from sdk.errors import AdaptPoseError, BadModelFile

RUNS = Path("runs")


@dataclass(frozen=True)
class Export:
    """Export an adapted lifter to ONNX, and with --trt to a TensorRT engine.

    The ONNX file is compared with its checkpoint on real windows; if it differs by more than 0.05 mm nothing is written
    and the exit code is 2.
    """

    run: Annotated[Path | None, tyro.conf.Positional, tyro.conf.arg(metavar="[RUN]", help_behavior_hint="")] = None
    """Run folder of adaptpose-train, or a checkpoint (.pt). Default: the newest run under ./runs."""
    trt: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Also build an engine with TensorRT for RTX; needs adaptpose[tensorrt], but no GPU."""
    gpu: Annotated[tuple[str, ...], tyro.conf.arg(metavar="SM [SM ...]", help_behavior_hint="")] = ()
    """GPU architectures of the engine, such as sm86 sm89 (or sm86,sm89). Default: all that can be built."""
    out: Annotated[Path | None, tyro.conf.arg(metavar="PATH", help_behavior_hint="")] = None
    """Folder to write to, or the .onnx file. Default: beside the checkpoint, with its name."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Console script; the arguments default to those of the process."""
    settings = tyro.cli(Export, prog="adaptpose-export", args=arguments)
    run_command(lambda: run_export(settings))


def run_export(settings: Export) -> None:
    """Export, verify and report.

    Raises:
        AdaptPoseError: nothing to export, an unusable checkpoint, a missing package, a difference too large, or a place
            that can't be written to.
    """
    checkpoint_file, remark = find_checkpoint(settings.run)
    if settings.gpu and not settings.trt:
        raise AdaptPoseError(f"--gpu {' '.join(settings.gpu)} says what an engine is built for: add --trt.")
    onnx_file = choose_onnx_file(settings.out, checkpoint_file)
    require_packages("torch", "onnx", "onnxscript", extra="train", purpose="adaptpose-export")

    from export.engine import choose_architectures

    # First, so that a missing package or a misspelt GPU is said before any work.
    architectures = choose_architectures(settings.gpu) if settings.trt else ()

    from export.real_windows import find_real_windows
    from export.verification import TOLERANCE_MM, measure_difference
    from training.atomic_file import replacing
    from training.checkpoint import LifterCheckpoint, exported_card
    from training.lifter_graph import write_lifter_onnx

    checkpoint = LifterCheckpoint.load(checkpoint_file)
    print(f"checkpoint  {checkpoint_file}{remark}")
    real = find_real_windows(checkpoint_file.parent, checkpoint.card)
    with _writing(onnx_file), replacing(onnx_file) as part:
        write_lifter_onnx(checkpoint.network, exported_card(checkpoint.card, checkpoint_file), part)
        difference = measure_difference(part, checkpoint.network, real.windows)
        difference.require()
    print(f"ONNX        {onnx_file} ({_megabytes(onnx_file)})")
    print(f"difference  largest {difference.largest_mm:.5f} mm, mean {difference.mean_mm:.5f} mm")
    print(f"            ONNX Runtime against torch on {difference.windows} windows {real.origin}")
    print(f"            allowed: {TOLERANCE_MM} mm")
    if settings.trt:
        _export_engine(onnx_file, architectures)


def find_checkpoint(run: Path | None) -> tuple[Path, str]:
    """The checkpoint that the user means, and a remark on how it was found.

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
        raise BadModelFile(f"no run folder or checkpoint at {run}.")
    return run, ""


def choose_onnx_file(out: Path | None, checkpoint_file: Path) -> Path:
    """Where the ONNX file goes: beside the checkpoint, into the folder `out`, or exactly to `out` if that is an .onnx.

    Raises:
        BadModelFile: `out` is a file of another kind.
    """
    if out is None:
        return checkpoint_file.with_suffix(".onnx")
    if out.suffix == ".onnx" and not out.is_dir():
        return out
    if out.is_file():
        raise BadModelFile(f"--out {out} is a file, and no .onnx: give a folder or an .onnx file.")
    return out / f"{checkpoint_file.stem}.onnx"


def _export_engine(onnx_file: Path, architectures: tuple[str, ...]) -> None:
    from export.engine import record_path, why_not_loadable, write_engine

    engine_file = onnx_file.with_suffix(".engine")
    with _writing(engine_file):
        record = write_engine(onnx_file, engine_file, architectures)
    print(
        f"engine      {engine_file} ({_megabytes(engine_file)}), described in {record_path(engine_file).name}\n"
        f"            {record.builder} {record.versions['tensorrt-rtx']}, {record.precision}, for "
        f"{', '.join(record.gpu_architectures)}; batch {' / '.join(map(str, record.batch_profile.values()))}"
    )
    reason = why_not_loadable(engine_file)
    if reason is None:
        print("            It loads on this machine's GPU. Its poses were NOT compared: this command runs no engine.")
    else:
        print(
            f"            Its execution was NOT verified: it can't be loaded on this machine. TensorRT says: {reason}"
        )


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Make the folder; a full disk or a missing right is the user's to mend, and what was there is still whole."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield
    except AdaptPoseError:  # some are OSErrors as well
        raise
    except OSError as error:
        raise AdaptPoseError(f"{path} can't be written: {error}.") from error


def _megabytes(path: Path) -> str:
    return f"{path.stat().st_size / 1e6:.1f} MB"


if __name__ == "__main__":
    main()
