"""`adaptpose-evaluate`: measures the error of a lifter on a prepared data set by a protocol, or on a labelled file."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from sdk.commands.command_line import require_packages, run_command
from training.settings.adapt import MaybeText

EVERY_FIFTH = "every 5th frame"
"""The protocol of a labelled file: root-relative, predicted scale, every 5th frame, no averaging over passes."""


@dataclass(frozen=True)
class Evaluate:
    """Print a lifter's errors on a data set, by a protocol of the literature.

    Without --protocol, TEST is a labelled .npz, of which every 5th frame counts: root-relative, predicted scale, no
    averaging over passes.
    """

    test: Annotated[Path, tyro.conf.Positional]
    """Folder of a prepared data set (adaptpose-data prepare), with --protocol. Or a labelled .npz: keypoints,
    joints_camera_m, start, length, frame_rate_hz, aspect."""
    protocol: MaybeText = None
    """How to score a prepared data set: 3dhp, 3dhp-camera, 3dhp-valid, 3dhp-valid-camera, 3dhp-adaptpose, h36m-s1,
    3dpw, 3dpw-h36m14 or ski. Figures of different protocols can't be compared."""
    model: Path | None = None
    """The lifter: a run folder of adaptpose-train, an .onnx file, or a shipped one: fast, base or feet. Default:
    fast."""
    mirrored: bool = False
    """Average each pose with the mirrored pose of the mirrored keypoints. Say so with the figures."""
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

    output = check_output_path(config.json, ".json") if config.json else None
    lifter = Lifter(config.model, mirrored=config.mirrored, device=config.device)
    errors, notes = _errors(config, lifter)
    if config.mirrored:
        notes = [*notes, "each pose is averaged with the mirrored pose of the mirrored keypoints (--mirrored)."]
    table = Table("error", "value", title=f"{lifter.path} on {config.test}, protocol {errors['protocol']}")
    for name, value in errors.items():
        if value is not None and name != "protocol":
            table.add_row(name, f"{value:.1f}" if isinstance(value, float) else str(value))
    console = Console()
    console.print(table)
    for note in notes:
        console.print(f"note: {note}", style="bold", highlight=False, soft_wrap=True)
    if output:
        with naming(output):
            content = {"model": str(lifter.path), "test": str(config.test), **errors}
            output.write_text(json.dumps(content | ({"notes": notes} if notes else {}), indent=2))


def _errors(config: Evaluate, lifter: object) -> tuple[dict[str, object], list[str]]:
    """The errors by name with their protocol, and what must be said beside them."""
    from sdk.errors import BadSetting
    from sdk.lifting.lifter import Lifter
    from training.datasets.prepared import open_prepared
    from training.evaluation.benchmark_data import load_labelled_sequences
    from training.evaluation.evaluate import evaluate
    from training.protocols.known import PROTOCOLS, find_protocol
    from training.protocols.notes import notes_of
    from training.protocols.scoring import score
    from training.protocols.truth import labelled_sequences

    assert isinstance(lifter, Lifter)
    if config.protocol is None:
        if config.test.is_dir():
            data_set = open_prepared(config.test).data_set
            fitting = [name for name, protocol in PROTOCOLS.items() if protocol.dataset == data_set]
            raise BadSetting(
                f"{config.test} is a prepared data set: name how to score it, --protocol {' or '.join(fitting)}."
            )
        return {
            "protocol": EVERY_FIFTH,
            **dataclasses.asdict(evaluate(lifter, load_labelled_sequences(config.test))),
        }, []
    protocol = find_protocol(config.protocol)
    data = open_prepared(config.test)
    scored = score(lifter, labelled_sequences(data, protocol), protocol)
    return dataclasses.asdict(scored), [protocol.about, *notes_of(data, scored)]


def main() -> None:
    """Console script."""
    run_command(lambda: evaluate_command(tyro.cli(Evaluate, prog="adaptpose-evaluate")))


if __name__ == "__main__":
    main()
