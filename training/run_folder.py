"""A run on disk: where its files are, and the settings it was started with."""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from dataclasses import dataclass
from pathlib import Path

from sdk.errors import AdaptPoseError, BadModelFile, BadTarget
from training.atomic_file import replacing
from training.config import Adapt


class RunExists(AdaptPoseError, ValueError):
    """A run folder that would be overwritten."""


@dataclass(frozen=True)
class RunFolder:
    """Names of a run's files.

    Attributes:
        path: The folder.
    """

    path: Path

    @property
    def config(self) -> Path:
        """Settings, JSON."""
        return self.path / "config.json"

    @property
    def state(self) -> Path:
        """Everything needed to go on after an interruption."""
        return self.path / "state.pt"

    @property
    def checkpoint(self) -> Path:
        """The adapted lifter, for training and export."""
        return self.path / "lifter.pt"

    @property
    def onnx(self) -> Path:
        """The adapted lifter, for the SDK."""
        return self.path / "lifter.onnx"

    @property
    def report(self) -> Path:
        """What changed, for people."""
        return self.path / "report.html"

    @property
    def target_windows(self) -> Path:
        """Windows of the target's 2D, on which exports are compared."""
        return self.path / "target_windows.npz"

    @property
    def skipped(self) -> Path:
        """What of the target was left out and why, JSON."""
        return self.path / "skipped.json"

    @property
    def tensorboard(self) -> Path:
        """TensorBoard's log."""
        return self.path / "tensorboard"

    @property
    def finished(self) -> bool:
        """Whether the run came to its end."""
        return self.report.is_file()


def choose_run(config: Adapt) -> tuple[RunFolder, Adapt]:
    """The folder of a new run, not made yet, or that of an interrupted one with the settings it was started with.

    Raises:
        BadTarget: no target is named.
        RunExists: the folder holds a run already; with --resume it goes on, with --out another is made.
        BadModelFile: the folder to resume holds no run.
    """
    if config.resume is not None:
        run = RunFolder(config.resume)
        return run, dataclasses.replace(_read_config(run), resume=config.resume)
    if config.target is None:
        raise BadTarget("no target: name a folder of videos with --target VIDEOS, or a run with --resume RUN.")
    run = RunFolder(config.out) if config.out else _free_folder(Path("runs") / (config.target.resolve().stem or "run"))
    if run.config.exists():
        raise RunExists(
            f"{run.path} holds a{' finished' if run.finished else 'n interrupted'} run. Go on with --resume "
            f"{run.path}, or name another folder with --out."
        )
    return run, config


def make_run(run: RunFolder, config: Adapt) -> None:
    """Make the folder and write the settings into it; from here on the run can be resumed."""
    run.path.mkdir(parents=True, exist_ok=True)
    with replacing(run.config) as part:
        part.write_text(json.dumps(dataclasses.asdict(config), indent=2, default=str))


def _free_folder(wanted: Path) -> RunFolder:
    """`wanted`, or with a number behind it where a finished run has that name."""
    number, run = 1, RunFolder(wanted)
    while run.finished:
        number += 1
        run = RunFolder(wanted.with_name(f"{wanted.name}-{number}"))
    return run


def _read_config(run: RunFolder) -> Adapt:
    try:
        values = json.loads(run.config.read_text())
        hints = typing.get_type_hints(Adapt)
        return Adapt(**{name: _as(hints[name], value) for name, value in values.items()})  # type: ignore[arg-type]
    except FileNotFoundError:
        raise BadModelFile(f"{run.path} holds no config.json: it is not the folder of a run.") from None
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise BadModelFile(f"{run.config} is damaged or of another version of the project: {error}") from error


def _as(hint: object, value: object) -> object:
    """A JSON value as the type that a setting has: paths and tuples are strings and lists in JSON."""
    options = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    if isinstance(value, str) and Path in options:
        return Path(value)
    return tuple(value) if isinstance(value, list) else value
