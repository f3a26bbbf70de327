"""`adaptpose-train --target VIDEOS`: from videos to an adapted lifter and its report. Read it top to bottom."""

from __future__ import annotations

import dataclasses
import io
import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial, reduce
from pathlib import Path

import numpy as np
import torch
from rich.console import Console

from sdk.detectors import open_detector
from sdk.files.input_files import printable, shown
from sdk.skeletons.skeleton import H36M16
from sdk.version import __version__
from sdk.workers.running import WorkerSettings
from training.adaptation.adaptation import new_adaptation
from training.adaptation.adaptation_loop import run_adaptation
from training.adaptation.lifter_teacher import LifterTeacher
from training.adaptation.model_choice import ModelChoice, hold_out, hold_out_note, told_of_held_out
from training.cameras.random_cameras import CameraWindows
from training.commands.continuing import Measured, keep_targets, measured, without_known
from training.commands.run_inputs import START, adapt_inputs, begun_from, start_hash
from training.commands.run_motion import filmed_sources, held_out_motion
from training.files.atomic_file import replacing
from training.lifter.checkpoint import LifterCheckpoint, exported_metadata, load_tensors, starting_checkpoint
from training.lifter.onnx_graphs import write_lifter_onnx
from training.motion_model.source_motion import (
    SourceMotion,
    read_source,
)
from training.report import write_report
from training.report.from_run import RunFacts, report_content
from training.runs.device import open_device
from training.runs.processes import Processes, is_first_process
from training.runs.progress import History
from training.runs.resuming import INPUTS, require_same_run, resumable
from training.runs.run_folder import RunFolder, choose_run, make_run
from training.settings.adapt import Adapt
from training.settings.method import Method
from training.settings.method_choice import recipe_for, run_method, start_for
from training.settings.run_settings import CHANGEABLE, PROCESSES
from training.settings.settings_check import BadSetting, check_adapt, check_adapt_processes
from training.target.earlier_targets import EARLIER, NEW, EarlierTargets, read_earlier_targets
from training.target.target_keypoints import TargetKeypoints, extract_target
from training.target.target_windows import TargetSequence, TargetWindows, target_sequences

_EXPORT_WINDOWS = 2000
"""Target windows that a run keeps, for comparing exports."""
_LATER_CONSTANTS = {
    "hard_ratio_form": "printed",
    "fit_reprojection": 100.0,
    "mirrored_teacher": False,
    "detector_errors": 0.0,
    "several_views": 0.0,
}
"""Constants that are newer than some saved runs, with the value that those runs used. So they can still be resumed."""
_LATER_SETTINGS = {"people": "all"}
"""The same of settings."""


@dataclass(frozen=True)
class AdaptedRun:
    """The result of a run. With several processes, the first one has written it and has all of it.

    Attributes:
        folder: Files of the run.
        target: Keypoints of the target, and what was skipped.
        source: Source motion, and what was skipped.
        helped: Whether adaptation gave a better lifter. If not, the result is the lifter that the run started from.
        measured: Self-consistency and source errors before and after.
        earlier: The earlier targets, if the run continued another.
    """

    folder: RunFolder
    target: TargetKeypoints
    source: SourceMotion
    helped: bool
    measured: Measured
    earlier: EarlierTargets | None


def adapt(config: Adapt, workers: WorkerSettings = WorkerSettings()) -> AdaptedRun:  # noqa: B008  # frozen
    """Find people in the target, adapt the lifter to them, export it and write the report.

    Args:
        config: The settings of the run.
        workers: Who detects in the target's videos.

    Raises:
        BadTarget, BadMotion, BadModelFile: target, source motion or lifter can't be used.
        RunExists: the run folder is taken.
        BadSetting, UnknownDetector, UnknownSkeleton, UnknownDevice, DeviceUnavailable, MissingDependency: as named.
        BadOutput: the run folder can't be written to, or the disk is full. A run that has begun can be resumed.
        KeyboardInterrupt: on Ctrl-C; the message says how to resume.
    """
    began = time.monotonic()
    check_adapt(config)
    run, config = choose_run(config)
    asked = config
    method = run_method(config)
    fabric = open_device(config.device, config.threads, devices=config.devices, num_nodes=config.num_nodes)
    earlier = read_earlier_targets(config.continued) if config.continued else None
    if earlier:
        config = earlier.with_recipe(config)
        earlier.require_fitting(config)
    start = earlier.checkpoint if earlier else LifterCheckpoint.load(starting_checkpoint(config.start))
    _check_joints(start, method, config)

    assert config.target is not None
    inputs = adapt_inputs(config)

    # 1. Source motion; some of it is held out. It comes first because it is read in seconds: its errors are reported
    # before hours of video processing.
    source = read_source(config.source, config.seed, source_up=config.source_up, source_fps=config.source_fps)

    # 2. The target: 2D keypoints of every person in every video.
    target = extract_target(
        config.target,
        partial(open_detector, config.detector, boxes=config.boxes, device=config.device, det_every=config.det_every),
        skeleton=config.skeleton,
        image_size=config.image_size,
        frame_rate_hz=config.fps,
        people=config.people,
        # Others than the first process find in the cache what it detected before it started them.
        workers=workers if is_first_process() else WorkerSettings(),
        console=None if is_first_process() else Console(quiet=True),
    )
    config, recipe_note = recipe_for(config, (track.scores for track in target.tracks))
    method = run_method(config)
    config, start_note = _with_start(run, config, (track.skeleton for track in target.tracks))
    if config.start != asked.start:  # it was left to the target
        start = LifterCheckpoint.load(starting_checkpoint(config.start))
        inputs[START] = start_hash(config.start)
        config = dataclasses.replace(config, start=asked.start)
    steps, batch = config.steps or method.steps, config.batch or method.batch
    check_adapt_processes(config, batch, start.network.tells_more)
    frames, normalisation = start.metadata.receptive_field, start.metadata.normalisation
    sequences = target_sequences(target.tracks, start.metadata, target.recordings)
    with_feet = start.network.joints > len(H36M16)
    if with_feet:
        source = source.with_feet(config.seed)
    film_source, anchor = filmed_sources(config, source, start.metadata, method.speeds)
    if earlier:
        target, sequences = without_known(target, sequences, earlier)
    target_windows = TargetWindows(sequences, frames)
    learned, held_out_target = hold_out(sequences)
    told = tuple(note for note in (recipe_note, start_note, hold_out_note(sequences)) if note)
    target = dataclasses.replace(target, notes=(*target.notes, *told))

    fabric.launch()  # only now: what is wrong with target, source or settings is said once
    processes = Processes(fabric)
    processes.first_does(partial(make_run, run, asked))
    with resumable(f"The run is in {run.path}: go on with adaptpose-train --resume {run.path}"):
        if processes.first:
            _save_windows(run, target_windows)

        # 3. The lifter; in the paper's recipe also generator and discriminators.
        torch.manual_seed(config.seed)
        random = torch.Generator().manual_seed(config.seed)
        teacher = LifterTeacher(
            start.network,
            _frame_extent([*sequences, *(earlier.learned if earlier else ())]),
            method,
            steps=steps,
            batch=batch,
            device=fabric.device,
            normalisation=normalisation,
            anchor=anchor,
            shortest_lookahead=start.metadata.shortest_lookahead,
            processes=processes,
        )
        windows = TargetWindows(learned, frames, normalisation, earlier=earlier.learned if earlier else ())
        adaptation = new_adaptation(teacher, film_source, windows, config.height)
        target = dataclasses.replace(target, notes=(*target.notes, *adaptation.notes()))
        if processes.first:
            _save_skipped(run, target, source)
        choice = ModelChoice(
            start.network,
            TargetWindows(held_out_target, frames, normalisation),
            TargetWindows(earlier.held_out, frames, normalisation) if earlier else None,
            told_of_held_out(start.network.eval(), learned, held_out_target, frames, normalisation)
            if method.several_views
            else None,
        )
        history = History()
        held_out = held_out_motion(source, start.metadata, config.height)

        # 4. Adapt. The result is the candidate with the best self-consistency on the held-out target. No label of the
        # target is used.
        run_adaptation(
            adaptation,
            choice,
            history,
            random,
            title="adapt",
            steps=steps,
            state=run.state,
            tensorboard=run.tensorboard,
            identity=_identity(config, inputs),
            save_every=config.save_every,
            held_out=reduce(CameraWindows.followed_by, held_out.values()),
        )

        if not processes.first:
            return AdaptedRun(run, target, source, choice.helped, {}, earlier)

        # 5. The adapted lifter, for export and for the SDK, and what changed.
        adapted = choice.lifter
        assert config.target is not None
        checkpoint = _named(start, config.target, choice)
        checkpoint.save(run.checkpoint)
        write_lifter_onnx(adapted, exported_metadata(checkpoint.metadata, run.checkpoint), run.onnx)
        targets = {NEW: TargetWindows(sequences, frames, normalisation)}
        if earlier:
            targets[EARLIER] = TargetWindows([track.sequence for track in earlier.tracks], frames, normalisation)
        numbers = measured(start.network, adapted, targets, held_out, start)
        for when, off_mm in choice.off_told_mm().items():
            numbers[NEW][when]["off_told_mm"] = off_mm
        keep_targets(run, config, (learned, held_out_target), target, inputs, numbers, earlier)
        facts = RunFacts(
            run=run,
            config=config,
            metadata=checkpoint.metadata,
            target=target,
            target_windows=target_windows,
            source=source,
            before=start.network,
            after=adapted,
            adaptation=adaptation,
            choice=choice,
            held_out=held_out,
            history=history,
            minutes=(time.monotonic() - began) / 60,
            earlier=earlier,
            consistency={name: numbers[name] for name in targets},
        )
        write_report(report_content(facts), run.report)
    return AdaptedRun(run, target, source, choice.helped, numbers, earlier)


def require_same_files(run: RunFolder, config: Adapt) -> None:
    """Do nothing if target, source and start still hold what a finished run was given.

    Raises:
        BadModelFile: one of them changed; names it.
    """
    stored = load_tensors(run.state).get("config") if run.state.is_file() else None
    if isinstance(stored, str):
        # Settings are compared by `resumed_settings`; here those of the state may be more exact (`--recipe auto`).
        if config.start is None and config.continued is None:
            config = dataclasses.replace(config, start=begun_from(stored))
        require_same_run(run.state, stored, json.dumps(json.loads(stored) | {INPUTS: adapt_inputs(config)}))


def _check_joints(start: LifterCheckpoint, method: Method, config: Adapt) -> None:
    if start.network.joints > len(H36M16) and method.source_share < 1:
        raise BadSetting(
            f"--recipe {config.recipe} with --start {config.start}: its generator makes poses of {len(H36M16)} joints, "
            f"this lifter has {start.network.joints}. Take --start fast or base, or --recipe auto."
        )


def _with_start(run: RunFolder, config: Adapt, skeletons: Iterable[str]) -> tuple[Adapt, str | None]:
    """As `start_for`; a saved run goes on from the lifter that it began with."""
    if config.start is None and config.continued is None and run.state.exists():
        return dataclasses.replace(config, start=begun_from(load_tensors(run.state).get("config"))), None
    return start_for(config, skeletons)


def _frame_extent(sequences: Sequence[TargetSequence]) -> tuple[float, float]:
    """Half width and half height of the target's images in screen coordinates; the largest of each."""
    aspects = [sequence.aspect for sequence in sequences]
    return 1 / max(1, min(aspects)), min(1, max(aspects))


def _named(start: LifterCheckpoint, target: Path, choice: ModelChoice) -> LifterCheckpoint:
    """The chosen network with new metadata. If no candidate was better than the start, it keeps its name."""
    name = f"{start.metadata.name}; adapted to {shown(target.name)}" if choice.helped else start.metadata.name
    return LifterCheckpoint(choice.lifter, dataclasses.replace(start.metadata, name=name, project_version=__version__))


def _identity(config: Adapt, inputs: Mapping[str, str]) -> str:
    """Settings and files that must be the same to resume a saved state. `CHANGEABLE` and `PROCESSES` may differ."""
    free = dict.fromkeys(("resume", "out", *CHANGEABLE, *PROCESSES))
    constants = dataclasses.asdict(run_method(config))
    del constants["calibrated_spread"]  # changes what a run ends with, not what it goes on from
    method = {name: value for name, value in constants.items() if (name, value) not in _LATER_CONSTANTS.items()}
    settings = {name: v for name, v in dataclasses.asdict(config).items() if (name, v) not in _LATER_SETTINGS.items()}
    return json.dumps(settings | free | {"method": method, INPUTS: inputs}, default=str)


def _save_skipped(run: RunFolder, target: TargetKeypoints, source: SourceMotion) -> None:
    inputs: dict[str, TargetKeypoints | SourceMotion] = {"target": target, "source": source}
    content = {
        "skipped": [{"of": of, **dataclasses.asdict(one)} for of, given in inputs.items() for one in given.skipped],
        "notes": [{"of": of, "text": text} for of, given in inputs.items() for text in given.notes],
    }
    with replacing(run.skipped) as part:
        part.write_text(printable(json.dumps(content, indent=2, ensure_ascii=False)), encoding="utf-8")


def _save_windows(run: RunFolder, windows: TargetWindows) -> None:
    centres = torch.linspace(0, len(windows) - 1, min(len(windows), _EXPORT_WINDOWS)).round().long()
    # Written to memory first, as in save_tracks: zipfile hides the error of a full disk.
    with replacing(run.target_windows) as part, io.BytesIO() as archive:
        np.savez(archive, windows=windows.at(centres).numpy())
        part.write_bytes(archive.getvalue())
