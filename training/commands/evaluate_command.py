"""`adaptpose-evaluate`: measures the error of a lifter on a labelled file."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path

import tyro

from sdk.commands.command_line import require_packages, run_command


@dataclass(frozen=True)
class Evaluate:
    """Print a lifter's errors on labelled sequences: root-relative, predicted scale, every 5th frame, no averaging."""

    test: tyro.conf.Positional[Path]
    """Labelled .npz: keypoints, joints_camera_m, start, length, frame_rate_hz, aspect."""
    model: Path | None = None
    """The lifter: a run folder of adaptpose-train, an .onnx file, or a shipped one: fast or base. Default: fast."""
    device: str = "cpu"
    """Device to compute on: cpu, cuda, cuda:N or auto."""
    json: Path | None = None
    """Also write the numbers to this file; without it nothing is written."""


def evaluate_command(config: Evaluate) -> None:
    """Print the table."""
    require_packages("torch", extra="train", purpose="adaptpose-evaluate")

    from rich.console import Console
    from rich.table import Table

    from sdk.files.output_files import check_output_path, naming
    from sdk.lifting.lifter import Lifter
    from training.evaluation.benchmark_data import load_labelled_sequences
    from training.evaluation.evaluate import evaluate

    output = check_output_path(config.json, ".json") if config.json else None
    lifter = Lifter(config.model, device=config.device)
    errors = dataclasses.asdict(evaluate(lifter, load_labelled_sequences(config.test)))
    table = Table("error", "value", title=f"{lifter.path} on {config.test}")
    for name, value in errors.items():
        table.add_row(name, f"{value:.1f}" if isinstance(value, float) else str(value))
    Console().print(table)
    if output:
        with naming(output):
            output.write_text(json.dumps({"model": str(lifter.path), "test": str(config.test), **errors}, indent=2))


def main() -> None:
    """Console script."""
    run_command(lambda: evaluate_command(tyro.cli(Evaluate, prog="adaptpose-evaluate")))


if __name__ == "__main__":
    main()
