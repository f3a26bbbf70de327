"""The cross-domain benchmark: pretrain on source cameras, adapt to the target's 2D, measure once on its test file.

    python benchmarks/cross_domain.py --clips CLIPS.npz --target-2d TRAIN_2D.npz --test TEST.npz --recipe default \\
        --seed 0 --out runs/benchmark/default-0

Every constant of the recipe can be changed, as in --recipe paper --bone-rotation bg1. They are the fields of `Method`
in training/settings/method.py.

--source chooses the motion that adaptation learns from: the source people's clips, or what a user has without them.
Forgetting is always measured on the clips.

It writes lifter.onnx, result.json (all errors before and after, minutes, seeds, versions) and curve.png (error against
minutes of adaptation), and prints the row of the table. The target's 3D is not read before adaptation is over: the test
file is opened once, at the end, and all checkpoints are measured only then. The lifter trained on the source is kept in
the parent folder and used again.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import os
import platform
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch is loaded; why: training/commands/command.py
import matplotlib

matplotlib.use("Agg")  # no display needed
import matplotlib.pyplot as plt
import numpy as np
import torch
import tyro
from torch import Tensor

from sdk import Lifter
from sdk.commands.command_line import run_command
from sdk.lifting.model_metadata import LifterMetadata
from sdk.skeletons.skeleton import H36M16
from sdk.version import __version__
from training.adaptation.adaptation import new_adaptation
from training.adaptation.adaptation_loop import candidate_steps, run_adaptation
from training.adaptation.lifter_teacher import LifterTeacher
from training.adaptation.lifter_training import train_lifter
from training.adaptation.model_choice import ModelChoice, hold_out
from training.cameras.known_cameras import STUDIO, FilmedClips, HeldOut
from training.cameras.source_validation import source_errors_mm
from training.evaluation.benchmark_data import load_labelled_sequences
from training.evaluation.evaluate import PoseErrors, evaluate
from training.files.atomic_file import replacing
from training.lifter.checkpoint import LifterCheckpoint, exported_metadata
from training.lifter.lifter import TemporalLifter
from training.lifter.onnx_graphs import write_lifter_onnx
from training.matching.target_motion import TargetMotion
from training.motion.drawn_feet import fit_feet, with_drawn_feet
from training.motion.feet import with_feet
from training.motion.motion_clip import MotionClip
from training.motion.motion_units import to_z_up
from training.motion.readers.motion import load_motion
from training.motion.readers.pybullet.humanoid_clips import load_humanoid_clips
from training.motion_model.model_file import load_motion_model
from training.motion_model.source_motion import ANCHOR_CLIPS, MODEL_CLIPS, model_clips
from training.runs.device import open_device
from training.runs.progress import History
from training.runs.run_folder import RunExists
from training.settings.method import CONTROLS, RECIPES, Method
from training.settings.method_choice import for_drawn_bodies
from training.settings.settings_check import BadSetting
from training.target.target_windows import TargetWindows, load_benchmark_sequences

HELD_OUT_MOTION_MODEL = Path(__file__).with_name("held_out") / "motion.pt"
"""A motion model like the shipped one, but trained without the benchmark's five people. The same holds for the lifters
in its folder."""
FRAME_RATE_HZ = 25.0
SOURCE_PEOPLE = (
    "02", "03", "06", "07", "08", "09", "10", "11", "16", "17", "26", "27", "29", "32", "35", "91", "131",
)  # fmt: skip
Source = Literal["clips", "model", "pybullet", "predictions"]
METHODS = RECIPES | CONTROLS
DROPOUT = 0.1
_CAMERA_UPRIGHT = np.array([1, -1, -1], np.float32)
"""Signs that turn camera axes into axes with y up."""


@dataclass(frozen=True)
class CrossDomain:
    """Measure a recipe on a cross-domain split."""

    clips: Path
    """Source motion: npz of joint positions in metres, z up, clips named PERSON_NUMBER."""
    target_2d: Path
    """The target's keypoints. Adaptation sees nothing else of it."""
    test: Path
    """The labelled test file, opened once at the end."""
    out: Path
    """Folder of this run; an interrupted run goes on in it."""
    recipe: Annotated[str, tyro.conf.arg(metavar="{" + ",".join(METHODS) + "}")] = "default"
    """Recipe, or a simple method (control) that a recipe must beat."""
    feet: Path | None = None
    """Feet of the clips (see adaptpose-train pretrain --feet), for a --start with feet. Other source motion gets feet
    that are learned from those of the source people."""
    start: Path | None = None
    """Lifter checkpoint (.pt) to adapt. If not given: the paper's baseline, trained on the four source cameras."""
    source: Source = "clips"
    """Motion to learn from. `clips`: the source people's. `model`: the motion model's. `pybullet`: that package's.
    `predictions`: the target's motion as the lifter sees it, without any real source."""
    motion_model: Path = HELD_OUT_MOTION_MODEL
    """File of the motion model, for --source model. It must be trained without the target's people. The default was
    trained without those of the benchmark; the shipped model was trained with them."""
    anchor: bool = False
    """Whether the model's motion is also shown through the source's cameras, so that it is not forgotten.
    adaptpose-train does so if the source is not the model."""
    hold_out: HeldOut = "sequences"
    """Source data held out to measure forgetting. `sequences`: every 10th pair of clip and camera, as the benchmark is
    defined; training sees these clips through the other cameras. `clips`: every 10th clip, through all cameras.
    One run can't measure both: the first choice leaves no clip out of training."""
    seed: int = 0
    """Seed of training and adaptation."""
    source_people: tuple[str, ...] = SOURCE_PEOPLE
    """People whose clips are the source."""
    channels: int = 256
    """Width of the lifter."""
    filter_widths: tuple[int, ...] = (3, 3, 3)
    """Filter widths of the lifter. Their product is the number of frames in a window."""
    normalisation: Literal["screen", "root-centred"] = "screen"
    """Normalisation of the lifter's keypoints. With --start, that of the given lifter is used."""
    pretrain_steps: int = 8000
    """Steps of training on the source."""
    steps: int | None = None
    """Steps of adaptation; the recipe's own if not given."""
    batch: int | None = None
    """Windows per step of adaptation; the recipe's own if not given."""
    pretrain_batch: int = 256
    """Windows per step of training on the source."""
    threads: int = 2
    """CPU threads of torch."""
    device: str = "cpu"
    """Device to compute on: cpu, cuda, cuda:N or auto."""


@dataclass(frozen=True)
class Snapshot:
    """The lifter at a step of adaptation.

    Attributes:
        step: The step.
        minutes: Minutes of adaptation so far.
        path: File of the checkpoint.
    """

    step: int
    minutes: float
    path: Path


def measure(settings: CrossDomain, method: Method | None = None) -> dict:
    """Train on the source if needed, and adapt. Then open the test file and write all results into `out`.

    Args:
        settings: Settings of the run.
        method: Constants that replace those of the recipe, for ablations.

    Returns:
        The content of result.json.

    Raises:
        RunExists: `out` has a finished run.
        BadTarget, BadMotion, BadModelFile, UnknownDevice, DeviceUnavailable: as named.
    """
    result_file = settings.out / "result.json"
    if result_file.exists():
        raise RunExists(f"{settings.out} holds a finished run: {result_file}. Name another folder with --out.")
    method = method or METHODS[settings.recipe]
    device = open_device(settings.device, settings.threads).device
    clips = [clip for clip in load_motion(settings.clips) if clip.name.split("_")[0] in settings.source_people]
    start = LifterCheckpoint.load(settings.start) if settings.start else baseline(settings, clips, device)
    clips = shod(settings, start, clips)
    filmed = filmed_in_studio(clips, start.metadata, method.speeds, settings.hold_out)
    source = film_source(settings, method, start, filmed)
    snapshots, choice = adapt_to(settings, method, start, source, device)

    # From here on the labels may be read.
    test = load_labelled_sequences(settings.test)
    before = evaluate(runnable(start, settings.out / "start.onnx"), test)
    curve = [(one.minutes, evaluate(_runnable_file(one.path), test)) for one in snapshots]
    by_step = {one.step: errors for one, (_, errors) in zip(snapshots, curve, strict=True)}
    adapted = LifterCheckpoint(choice.lifter, start.metadata)
    chosen = settings.out / "lifter.pt"
    adapted.save(chosen)
    write_lifter_onnx(adapted.network, exported_metadata(adapted.metadata, chosen), settings.out / "lifter.onnx")
    held_out = filmed.validation()
    result = {
        "recipe": settings.recipe + _source_named(settings),
        "start": start.metadata.name,
        "seed": settings.seed,
        "before": dataclasses.asdict(before),
        "after": dataclasses.asdict(by_step[choice.step] if choice.helped else before),
        "last": dataclasses.asdict(by_step[snapshots[-1].step]),
        "best": dataclasses.asdict(min((before, *by_step.values()), key=lambda errors: errors.mpjpe_mm)),
        "choice": {"step": choice.step, "inconsistency": choice.inconsistency, "seen": choice.seen},
        "source_before": source_errors_mm(start.network, held_out, start.metadata.normalisation),
        "source_after": source_errors_mm(adapted.network, held_out, start.metadata.normalisation),
        "minutes": snapshots[-1].minutes,
        "curve": [{"minutes": minutes, **dataclasses.asdict(errors)} for minutes, errors in curve],
        "settings": {name: str(value) for name, value in dataclasses.asdict(settings).items()},
        "method": dataclasses.asdict(method),
        "versions": {"adaptpose": __version__, "torch": torch.__version__, "machine": platform.platform()},
    }
    draw_curve(before, curve, settings.out / "curve.png")
    with replacing(result_file) as part:
        part.write_text(json.dumps(result, indent=2))
    return result


def shod(settings: CrossDomain, start: LifterCheckpoint, clips: list[MotionClip]) -> list[MotionClip]:
    """The source people's clips with their feet, for a lifter that has feet."""
    if start.network.joints == len(H36M16):
        return clips
    if settings.feet is None:
        raise BadSetting(f"--start {settings.start} has feet: name the file of the clips' feet with --feet.")
    return with_feet(clips, settings.feet)


def shod_like_source(settings: CrossDomain, start: LifterCheckpoint, clips: list[MotionClip]) -> list[MotionClip]:
    """Other motion with feet as the source people's, for a lifter that has feet."""
    if start.network.joints == len(H36M16):
        return clips
    source = [clip for clip in load_motion(settings.clips) if clip.name.split("_")[0] in settings.source_people]
    return list(with_drawn_feet(clips, settings.seed, fit_feet(shod(settings, start, source), settings.seed)))


def filmed_in_studio(
    clips: Sequence[MotionClip],
    metadata: LifterMetadata,
    speeds: tuple[float, float],
    hold_out: HeldOut = "sequences",
) -> FilmedClips:
    """The source: clips seen by the four cameras, played at the lifter's frame rate times a drawn speed."""
    low, high = speeds
    rate = metadata.frame_rate_hz
    return FilmedClips(clips, STUDIO, metadata.receptive_field, (low / rate, high / rate), rate, hold_out=hold_out)


def film_source(settings: CrossDomain, method: Method, start: LifterCheckpoint, filmed: FilmedClips) -> FilmedClips:
    """The motion that adaptation learns from, seen by the same cameras as the source people's clips.

    Args:
        settings: Settings of the run.
        method: Has the speeds at which motion is played.
        start: The lifter to adapt.
        filmed: The source people's clips.
    """
    if settings.source == "clips":
        return filmed
    if settings.source == "model":
        clips = model_clips(load_motion_model(settings.motion_model), settings.seed, MODEL_CLIPS)
    elif settings.source == "pybullet":
        clips = load_humanoid_clips()
    else:
        clips = predicted_clips(settings, start)
    clips = shod_like_source(settings, start, clips)
    return filmed_in_studio(clips, start.metadata, method.speeds)


def _source_named(settings: CrossDomain) -> str:
    source = f", source {settings.source}" if settings.source != "clips" else ""
    source += ", clips held out" if settings.hold_out == "clips" else ""
    return source + (", anchored" if settings.anchor else "")


def predicted_clips(settings: CrossDomain, start: LifterCheckpoint) -> list[MotionClip]:
    """The target's motion as a lifter sees it, fitted to its 2D, as if all cameras were level."""
    sequences = load_benchmark_sequences(settings.target_2d, start.metadata.normalisation)
    adapted_to, _ = hold_out([sequence.of_joints(start.network.joints) for sequence in sequences])
    motion = TargetMotion(TargetWindows(adapted_to, start.metadata.receptive_field), (1.0, 1.0))
    motion.lift(start.network, torch.Generator().manual_seed(settings.seed))
    return [
        MotionClip(clip.name, to_z_up(clip.joints_world_m * _CAMERA_UPRIGHT, "y"), start.metadata.frame_rate_hz)
        for clip in motion.clips
    ]


def baseline(settings: CrossDomain, clips: Sequence[MotionClip], device: torch.device) -> LifterCheckpoint:
    """The paper's baseline, trained on the source cameras or taken from an earlier run with the same settings."""
    frames = math.prod(settings.filter_widths)
    source = hashlib.sha256()
    for clip in clips:  # the content, not the file name: another file may have the same name
        source.update(clip.name.encode() + clip.joints_world_m.tobytes())
    # Filters of three frames are not named. Other filters with the same number of frames make another network.
    usual = all(width == 3 for width in settings.filter_widths)
    layout = str(frames) if usual else "-".join(map(str, settings.filter_widths))
    name = f"source-{source.hexdigest()[:8]}-{layout}x{settings.channels}-{settings.pretrain_steps}-seed{settings.seed}"
    name += "-clips-held-out" if settings.hold_out == "clips" else ""
    name += "-root-centred" if settings.normalisation == "root-centred" else ""
    out = settings.out.parent / "baselines" / name
    if (out / "finished").exists():
        return LifterCheckpoint.load(out / "lifter.pt")
    torch.manual_seed(settings.seed)
    network = TemporalLifter(settings.filter_widths, settings.channels, dropout=DROPOUT).to(device)
    metadata = LifterMetadata(frames, FRAME_RATE_HZ, normalisation=settings.normalisation, name=name)
    filmed = filmed_in_studio(clips, metadata, Method().speeds, settings.hold_out)

    def draw(random: torch.Generator) -> tuple[Tensor, Tensor]:
        seen = filmed.sample(settings.pretrain_batch, random)
        return seen.keypoints, seen.middle_pose_m

    checkpoint = train_lifter(
        network,
        draw,
        filmed.validation(),
        out,
        metadata,
        title="train on the source cameras",
        settings=name,
        steps=settings.pretrain_steps,
        learning_rate=1e-3,
        average=0.999,
        seed=settings.seed,
        save_every=1000,
        resume=(out / "state.pt").exists(),
    )
    (out / "finished").touch()
    return LifterCheckpoint(checkpoint.network.cpu().eval(), checkpoint.metadata)


def adapt_to(
    settings: CrossDomain, method: Method, start: LifterCheckpoint, filmed: FilmedClips, device: torch.device
) -> tuple[list[Snapshot], ModelChoice]:
    """Adapt to the target's 2D.

    Returns:
        The averaged lifters at all candidate steps, and the choice among them, which uses no label.
    """
    sequences = load_benchmark_sequences(settings.target_2d, start.metadata.normalisation)
    sequences = [sequence.of_joints(start.network.joints) for sequence in sequences]
    aspect = max(sequence.aspect for sequence in sequences)
    adapted_to, held_out = hold_out(sequences)
    steps, batch = settings.steps or method.steps, settings.batch or method.batch
    torch.manual_seed(settings.seed)
    random = torch.Generator().manual_seed(settings.seed)
    frames = start.metadata.receptive_field
    anchor = None
    if settings.anchor:
        clips = model_clips(load_motion_model(settings.motion_model), settings.seed, ANCHOR_CLIPS)
        clips = shod_like_source(settings, start, clips)
        anchor = filmed_in_studio(clips, start.metadata, method.speeds).sample
    teacher = LifterTeacher(
        start.network,
        (1 / max(1, aspect), aspect / max(1, aspect)),
        method,
        steps=steps,
        batch=batch,
        device=device,
        normalisation=start.metadata.normalisation,
        anchor=anchor,
        shortest_lookahead=start.metadata.shortest_lookahead,
    )
    adaptation = new_adaptation(teacher, filmed.sample, TargetWindows(adapted_to, frames))
    choice = ModelChoice(start.network, TargetWindows(held_out, frames, start.metadata.normalisation))
    folder = settings.out / "snapshots"
    folder.mkdir(parents=True, exist_ok=True)
    began, before = time.monotonic(), _minutes_so_far(folder)

    def keep(step: int, lifter: TemporalLifter) -> None:
        LifterCheckpoint(lifter, start.metadata).save(folder / f"{step}.pt")
        minutes = before + (time.monotonic() - began) / 60
        (folder / f"{step}.json").write_text(json.dumps({"minutes": minutes}))

    run_adaptation(
        adaptation,
        choice,
        History(),
        random,
        title=settings.recipe,
        steps=steps,
        state=settings.out / "state.pt",
        tensorboard=settings.out / "tensorboard",
        identity=f"{start.metadata.name}{_source_named(settings)} {method} {settings.seed} {batch} {steps}",
        save_every=steps,  # and at each candidate: a resumed run counts its minutes from there
        held_out=filmed.validation(),
        on_candidate=keep,
    )
    return [
        Snapshot(step, json.loads((folder / f"{step}.json").read_text())["minutes"], folder / f"{step}.pt")
        for step in candidate_steps(steps)
    ], choice


def _minutes_so_far(folder: Path) -> float:
    return max((json.loads(path.read_text())["minutes"] for path in folder.glob("*.json")), default=0.0)


def draw_curve(before: PoseErrors, curve: Sequence[tuple[float, PoseErrors]], path: Path) -> None:
    """MPJPE and PA-MPJPE on the test file against minutes of adaptation."""
    minutes = [0.0, *(minute for minute, _ in curve)]
    errors = [before, *(error for _, error in curve)]
    figure, axes = plt.subplots(figsize=(6, 4), layout="constrained")
    axes.plot(minutes, [error.mpjpe_mm for error in errors], "o-", label="MPJPE")
    axes.plot(minutes, [error.pa_mpjpe_mm for error in errors], "s-", label="PA-MPJPE")
    axes.set(xlabel="minutes of adaptation", ylabel="error on the target's test file, mm", ylim=(0, None))
    axes.legend()
    axes.grid(alpha=0.3)
    figure.savefig(path, dpi=120)
    plt.close(figure)


def row(result: dict) -> str:
    """One line of a markdown table: recipe, target before and after, source before and after, minutes."""

    def pair(errors: dict, prefix: str = "") -> str:
        return f"{errors[f'{prefix}mpjpe_mm']:.1f} / {errors[f'{prefix}pa_mpjpe_mm']:.1f}"

    source = (pair(result[f"source_{when}"], "validation/") for when in ("before", "after"))
    cells = (
        f"{result['recipe']}, seed {result['seed']}", pair(result["before"]), pair(result["after"]), *source,
        f"{result['minutes']:.1f}",
    )  # fmt: skip
    return f"| {' | '.join(cells)} |"


def runnable(checkpoint: LifterCheckpoint, onnx: Path) -> Lifter:
    """The SDK's lifter with the weights of a checkpoint, through an ONNX file."""
    write_lifter_onnx(checkpoint.network, checkpoint.metadata, onnx)
    return Lifter(onnx)


def _runnable_file(path: Path) -> Lifter:
    return runnable(LifterCheckpoint.load(path), path.with_suffix(".onnx"))


def parse(arguments: Sequence[str] | None = None) -> tuple[CrossDomain, Method]:
    """Read the command line: the benchmark's options, and changed constants of the recipe.

    Raises:
        BadSetting: an unknown recipe.
    """
    settings, others = tyro.cli(CrossDomain, description=__doc__, args=arguments, return_unknown_args=True)
    if settings.recipe not in METHODS:
        raise BadSetting(f"--recipe is {settings.recipe!r}; it must be one of {', '.join(METHODS)}.")
    recipe = METHODS[settings.recipe]
    if settings.source == "model":
        recipe = for_drawn_bodies(recipe)
    method = tyro.cli(Method, args=others, default=recipe, description=f"Constants of the recipe {settings.recipe}.")
    now, before = dataclasses.asdict(method), dataclasses.asdict(recipe)
    changes = [f"{name} {value}" for name, value in now.items() if value != before[name]]
    return dataclasses.replace(settings, recipe=", ".join([settings.recipe, *changes])), method


def main() -> None:
    """Run, and print the row."""
    run_command(lambda: print(row(measure(*parse()))))


if __name__ == "__main__":
    main()
