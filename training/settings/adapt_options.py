"""What `adaptpose-train` takes on the command line: one adaptation or many, and who does the work."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Annotated

import tyro

from sdk.errors import BadTarget
from sdk.files.addresses import masked_text
from sdk.workers.running import WorkerSettings
from training.settings.adapt import Adapt
from training.settings.settings_check import BadSetting


@dataclass(frozen=True)
class AdaptOptions(Adapt, WorkerSettings):  # type: ignore[misc]  # threads: of Adapt, 0 for torch's own number
    """As `Adapt`, with several targets and seeds, and workers."""

    target: Annotated[tuple[Path, ...], tyro.conf.arg(metavar="PATH ...")] = ()  # type: ignore[assignment]
    """What to adapt to: folder of videos, one video, or keypoints (AlphaPose, OpenPose, MMPose, MediaPipe, Sports2D,
    DeepLabCut, npz). Several targets are several adaptations, each with a run folder of its own in --out."""
    seed: tuple[int, ...] = (0,)  # type: ignore[assignment]
    """Seed of all randomness. The same seed gives the same run. Several seeds are several adaptations."""
    out: Annotated[Path | None, tyro.conf.arg(metavar="PATH")] = None
    """Run folder; runs/<name of the target> if not given. Of several adaptations the folder of their run folders; runs
    if not given."""
    workers: int | None = None
    """How many videos at once, each in a process of its own; of several adaptations, how many of those at once.
    Default: one, in this process. With --address: at most so many; default: as many as the cluster has CPUs for."""
    shard: str | None = None
    """Do only a part of several adaptations, I/N with I from 1 to N. For Slurm, SkyPilot and the like."""


@dataclass(frozen=True)
class NamedRun:
    """One of several adaptations.

    Attributes:
        name: Of its run folder.
        config: Its settings; `out` is the run folder.
    """

    name: str
    config: Adapt


def one_run(options: AdaptOptions) -> Adapt | None:
    """The settings if it is a single adaptation; None if there are several.

    Raises:
        BadSetting: options that only one or only several adaptations can have, or no seed.
        BadTarget: the target is an address.
    """
    if not options.seed:
        raise BadSetting("--seed names no seed.")
    if len(options.target) > 1 or len(options.seed) > 1:
        if options.devices * options.num_nodes > 1:
            raise BadSetting(
                "--devices and --num-nodes share out one adaptation, and these are several: leave them out, and give "
                "--workers N for N of them at once."
            )
        return None
    if options.shard is not None:
        raise BadSetting("--shard divides several adaptations, and this is one: leave it out.")
    return _settings(options, options.target[0] if options.target else None, options.seed[0], options.out)


def several_runs(options: AdaptOptions) -> list[NamedRun]:
    """Each target with each seed.

    Raises:
        BadSetting: --resume is given.
        BadTarget: no target, an address, or two would have one run folder.
    """
    if options.resume is not None:
        raise BadSetting(
            "--resume goes on with one run. Of several, the same command goes on with those that are not finished."
        )
    if not options.target:
        raise BadTarget("no target: name folders of videos with --target VIDEOS ....")
    folder = options.out or Path("runs")
    runs: dict[str, NamedRun] = {}
    for target, seed in product(options.target, options.seed):
        name = (target.resolve().stem or "run") + (f"-seed{seed}" if len(options.seed) > 1 else "")
        if name in runs:
            raise BadTarget(
                f"{runs[name].config.target} and {target} would both have the run folder {folder / name}: adapt to "
                "them in two calls with another --out."
            )
        runs[name] = NamedRun(name, _settings(options, target, seed, folder / name))
    return list(runs.values())


def worker_settings(options: AdaptOptions) -> WorkerSettings:
    """Who does the work; --threads 0 is no limit."""
    return WorkerSettings(
        workers=options.workers, threads=options.threads or None, address=options.address, shard=options.shard
    )


def _settings(options: AdaptOptions, target: Path | None, seed: int, out: Path | None) -> Adapt:
    if target is not None and not target.exists() and re.match("[a-z][a-z0-9+.-]+:/", str(target), re.IGNORECASE):
        raise BadTarget(
            f"--target {masked_text(str(target))} is an address, and a target is read from a disk. Detect there first: "
            "adaptpose-predict ADDRESS --keypoints-only --save DIR, then --target DIR; or copy the videos to a folder."
        )
    values = {field.name: getattr(options, field.name) for field in dataclasses.fields(Adapt)}
    return Adapt(**values | {"target": target, "seed": seed, "out": out})
