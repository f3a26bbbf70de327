"""Measures forgetting: two targets one after the other (adaptpose-train --continue), against both at once.

    python -m benchmarks.continual --clips CLIPS.npz --target-2d TRAIN_2D.npz --test TEST.npz --out OUT

The benchmark's target is cut in two by person. A lifter is adapted to the people of --first; then, from there, to the
others, with and without the keypoints of the first replayed; and, from the start again, to all of them at once. The
test file is opened when all four are done. --stage does one of them, in the order in which they are named, for
machines that are shared; the last one done prints the table and writes result.json.
"""

from __future__ import annotations

import dataclasses
import json
import os
import platform
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch is loaded; why: training/commands/command.py
import numpy as np
import torch
import tyro

from benchmarks.ceiling import part_of
from benchmarks.cross_domain import SOURCE_PEOPLE, filmed_in_studio, runnable
from sdk.commands.command_line import run_command
from sdk.errors import BadTarget
from sdk.version import __version__
from training.adaptation.adaptation import new_adaptation
from training.adaptation.adaptation_loop import run_adaptation
from training.adaptation.lifter_teacher import LifterTeacher
from training.adaptation.model_choice import ModelChoice, hold_out
from training.cameras.known_cameras import FilmedClips
from training.cameras.source_validation import source_errors_mm
from training.evaluation.benchmark_data import load_labelled_sequences
from training.evaluation.evaluate import evaluate
from training.files.array_file import read_arrays
from training.files.atomic_file import replacing
from training.lifter.checkpoint import LifterCheckpoint
from training.motion.readers.motion import load_motion
from training.runs.device import open_device
from training.runs.progress import History
from training.settings.method import RECIPES
from training.settings.settings_check import BadSetting
from training.target.target_windows import TargetSequence, TargetWindows, load_benchmark_sequences

Stage = Literal["first", "continued", "unreplayed", "together"]
STAGES: dict[Stage, str] = {
    "first": "the first people",
    "continued": "then the others, the first replayed",
    "unreplayed": "then the others, nothing replayed",
    "together": "all of them at once",
}


@dataclass(frozen=True)
class Continual:
    """Adapt to two halves of a target in turn, and to both at once."""

    clips: Path
    """Source motion, as for cross_domain.py."""
    target_2d: Path
    """The target's keypoints. Adaptation sees nothing else of it."""
    test: Path
    """The labelled test file, opened once at the end."""
    out: Path
    """Folder of the results; an interrupted benchmark goes on in it."""
    first: tuple[str, ...] = ("01", "127", "135")
    """People of the first half."""
    start: Path = Path(__file__).with_name("held_out") / "fast.pt"
    """Lifter to adapt."""
    recipe: Literal["default", "paper"] = "default"
    """Recipe of all four."""
    steps: int | None = None
    """Steps of each; the recipe's own if not given."""
    seed: int = 0
    """Seed of all four."""
    source_people: tuple[str, ...] = SOURCE_PEOPLE
    """People whose clips are the source."""
    threads: int = 1
    """CPU threads of torch."""
    stage: Stage | None = None
    """Do this one only."""


def measure(settings: Continual) -> dict | None:
    """Do what is missing. When all four are there, measure them.

    Returns:
        The content of result.json; None where some of the four are still to be done.

    Raises:
        BadSetting: a half has nobody in it, or a stage is asked for before the one that it begins from.
        BadTarget, BadMotion, BadModelFile: as named.
    """
    open_device("cpu", settings.threads)
    start = LifterCheckpoint.load(settings.start)
    clips = [clip for clip in load_motion(settings.clips) if clip.name.split("_")[0] in settings.source_people]
    filmed = filmed_in_studio(clips, start.metadata, RECIPES[settings.recipe].speeds)
    for stage in (settings.stage,) if settings.stage else STAGES:
        if not _lifter(settings, stage).exists():
            adapt(settings, stage, start, filmed)
    if not all(_lifter(settings, stage).exists() for stage in STAGES):
        return None

    # From here on the labels may be read.
    test = load_labelled_sequences(settings.test)
    in_first = np.array(
        [_person(clip) in settings.first for clip in read_arrays(settings.test, ("clip",), BadTarget)["clip"]]
    )
    parts = {"first": part_of(test, in_first), "others": part_of(test, ~in_first), "all": test}
    lifters = {"start": start} | {stage: LifterCheckpoint.load(_lifter(settings, stage)) for stage in STAGES}
    held_out = filmed.validation()
    errors = {
        name: {
            part: dataclasses.asdict(evaluate(runnable(checkpoint, settings.out / f"{name}.onnx"), sequences))
            for part, sequences in parts.items()
        }
        | {"source": source_errors_mm(checkpoint.network, held_out, checkpoint.metadata.normalisation)}
        for name, checkpoint in lifters.items()
    }
    result = {
        "errors": errors,
        "forgetting_percent": _change(errors, "continued", "first", "first"),
        "forgetting_unreplayed_percent": _change(errors, "unreplayed", "first", "first"),
        "against_both_at_once_percent": _change(errors, "continued", "together", "all"),
        "runs": {stage: json.loads(_facts(settings, stage).read_text()) for stage in STAGES},
        "settings": {name: str(value) for name, value in dataclasses.asdict(settings).items()},
        "versions": {"adaptpose": __version__, "torch": torch.__version__, "machine": platform.platform()},
    }
    with replacing(settings.out / "result.json") as part:
        part.write_text(json.dumps(result, indent=2))
    return result


def adapt(settings: Continual, stage: Stage, start: LifterCheckpoint, filmed: FilmedClips) -> None:
    """Do one of the four, and write its lifter."""
    method = RECIPES[settings.recipe]
    sequences = load_benchmark_sequences(settings.target_2d, start.metadata.normalisation)
    first = [one for one in sequences if _person(one.name) in settings.first]
    others = [one for one in sequences if _person(one.name) not in settings.first]
    for half, people in (("first", first), ("other", others)):
        if not people:
            raise BadSetting(
                f"--first {' '.join(settings.first)}: then the {half} half has nobody of the target in it."
            )
    if stage in ("continued", "unreplayed"):
        before = _lifter(settings, "first")
        if not before.exists():
            raise BadSetting(f"--stage {stage} begins from the lifter of --stage first, which is not done: {before}.")
        start = LifterCheckpoint.load(before)
    target = {"first": first, "together": sequences}.get(stage, others)
    (learned, held_out), (learned_before, held_out_before) = hold_out(target), hold_out(first)
    replayed = stage == "continued"
    frames, normalisation = start.metadata.receptive_field, start.metadata.normalisation
    steps = settings.steps or method.steps
    torch.manual_seed(settings.seed)
    random = torch.Generator().manual_seed(settings.seed)
    teacher = LifterTeacher(
        start.network,
        _frame_extent(sequences),
        method,
        steps=steps,
        batch=method.batch,
        device=torch.device("cpu"),
        normalisation=normalisation,
        shortest_lookahead=start.metadata.shortest_lookahead,
    )
    windows = TargetWindows(learned, frames, earlier=learned_before if replayed else ())
    adaptation = new_adaptation(teacher, filmed.sample, windows)
    choice = ModelChoice(
        start.network,
        TargetWindows(held_out, frames, normalisation),
        TargetWindows(held_out_before, frames, normalisation) if replayed else None,
    )
    folder = _lifter(settings, stage).parent
    folder.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    run_adaptation(
        adaptation,
        choice,
        History(),
        random,
        title=stage,
        steps=steps,
        state=folder / "state.pt",
        tensorboard=folder / "tensorboard",
        identity=f"{start.metadata.name} {stage} {settings.first} {settings.source_people} {method} "
        f"{settings.seed} {steps}",
        save_every=steps,
    )
    facts = {
        "minutes_of_this_session": (time.monotonic() - began) / 60,
        "frames": sum(len(one.keypoints) for one in learned),
        "chosen_step": choice.step,
        "seen": choice.seen,
    }
    _facts(settings, stage).write_text(json.dumps(facts, indent=2))
    name = f"{start.metadata.name}; {stage}"
    LifterCheckpoint(choice.lifter, dataclasses.replace(start.metadata, name=name)).save(_lifter(settings, stage))


def _person(clip: str) -> str:
    """The person of a clip PERSON_NUMBER, or of a sequence PERSON_NUMBER@CAMERA."""
    return str(clip).partition("@")[0].split("_")[0]


def _frame_extent(sequences: Sequence[TargetSequence]) -> tuple[float, float]:
    aspect = max(sequence.aspect for sequence in sequences)
    return 1 / max(1, aspect), aspect / max(1, aspect)


def _lifter(settings: Continual, stage: Stage) -> Path:
    return settings.out / stage / "lifter.pt"


def _facts(settings: Continual, stage: Stage) -> Path:
    return settings.out / stage / "facts.json"


def _change(errors: dict, name: str, before: str, part: str) -> float:
    """How much larger one lifter's MPJPE is than another's, in percent."""
    now, then = (errors[which][part]["mpjpe_mm"] for which in (name, before))
    return (now / then - 1) * 100


def as_markdown(result: dict) -> str:
    """The table: MPJPE / PA-MPJPE in millimetres on the first people, the others, all, and the source."""

    def pair(errors: dict, prefix: str = "") -> str:
        return f"{errors[f'{prefix}mpjpe_mm']:.1f} / {errors[f'{prefix}pa_mpjpe_mm']:.1f}"

    rows = [
        f"| {STAGES.get(name, 'not adapted')} | {pair(of['first'])} | {pair(of['others'])} | {pair(of['all'])} "
        f"| {pair(of['source'], 'validation/')} |"
        for name, of in result["errors"].items()
    ]
    return "\n".join(
        [
            "| adapted to | first people | others | all | source |\n|---|---|---|---|---|",
            *rows,
            f"\nforgetting {result['forgetting_percent']:+.1f}% (nothing replayed: "
            f"{result['forgetting_unreplayed_percent']:+.1f}%); against both at once "
            f"{result['against_both_at_once_percent']:+.1f}%",
        ]
    )


def main() -> None:
    """Measure, and print the table."""
    settings = tyro.cli(Continual, description=__doc__)

    def run() -> None:
        result = measure(settings)
        done = [stage for stage in STAGES if _lifter(settings, stage).exists()]
        print(
            as_markdown(result) if result else f"done: {', '.join(done)}; to do: {', '.join(set(STAGES) - set(done))}"
        )

    run_command(run)


if __name__ == "__main__":
    main()
