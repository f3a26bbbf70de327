"""A run on disk: the names of its files. No run overwrites the files of another."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path

from sdk.errors import AdaptPoseError, BadTarget
from sdk.files.output_files import check_output_folder, naming
from training.files.atomic_file import creating, replacing
from training.settings.adapt import Adapt
from training.settings.motion_model import TrainMotionModel
from training.settings.pretrain import Pretrain
from training.settings.run_settings import COMMAND as _COMMAND
from training.settings.run_settings import read_settings, resumed_settings, with_absolute_paths
from training.settings.settings_check import BadSetting


class RunExists(AdaptPoseError, ValueError):
    """A run folder that is taken already."""


@dataclass(frozen=True)
class RunFolder:
    """The files of a run.

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
        """Target windows; exports are compared on them."""
        return self.path / "target_windows.npz"

    @property
    def history(self) -> Path:
        """The targets that the lifter was adapted to, in order, and what was measured; JSON."""
        return self.path / "history.json"

    @property
    def targets(self) -> Path:
        """Keypoints of these targets, for `--continue` to replay."""
        return self.path / "targets.npz"

    @property
    def skipped(self) -> Path:
        """What was left out of target and source, and why, with all notes about them; JSON."""
        return self.path / "skipped.json"

    @property
    def tensorboard(self) -> Path:
        """TensorBoard's log."""
        return self.path / "tensorboard"

    @property
    def finished(self) -> bool:
        """Whether the run is complete."""
        return self.report.is_file()

    @property
    def taken(self) -> tuple[str, ...]:
        """Names of existing files that a new run would overwrite or take for its own."""
        return tuple(path.name for path in (self.config, self.state, self.checkpoint) if path.exists())


def choose_run(config: Adapt) -> tuple[RunFolder, Adapt]:
    """The folder and the settings of a new run (the folder is not made yet), or those of an interrupted run.

    A new run stores absolute paths, so that it can be resumed from any working folder.

    Raises:
        BadTarget: no target is given.
        RunExists: the folder has a run already. Go on with --resume, or choose another folder with --out.
        BadModelFile: the folder to resume has no run.
        BadSetting: the given settings differ from those of the run to resume, or name two lifters to begin from.
        BadOutput: the folder can't be made.
    """
    if config.resume is not None:
        run = RunFolder(config.resume)
        return run, resumed_settings(read_settings(run.config), config, run.path)
    if config.target is None:
        raise BadTarget("no target: name a folder of videos with --target VIDEOS, or a run with --resume RUN.")
    if config.continued is not None and config.start is not None:
        raise BadSetting(
            f"--continue {config.continued} begins from the lifter of that run, --start {config.start} from another. "
            "Leave one of them out."
        )
    run = RunFolder(config.out) if config.out else _free_folder(Path("runs") / (config.target.resolve().stem or "run"))
    _require_free(run)
    check_output_folder(run.path)
    return run, with_absolute_paths(config)


def make_run(run: RunFolder, config: Adapt) -> None:
    """Make the folder and write the settings into it. From here on the run can be resumed.

    A resumed run has both already.

    Raises:
        RunExists: another run began there after the folder was chosen.
        BadOutput: the folder can't be made or written to.
    """
    if config.resume is not None:
        return
    _require_free(run)
    with naming(run.path):
        run.path.mkdir(parents=True, exist_ok=True)
    try:
        with creating(run.config) as part:
            part.write_text(json.dumps(dataclasses.asdict(config), indent=2, default=str))
    except FileExistsError:
        _require_free(run)
        raise


def claim_folder(out: Path, command: str, config: Pretrain | TrainMotionModel) -> None:
    """Make the folder of a training that is no adaptation, and write its settings into it as they were given.

    Of several that begin there at once, one gets it. A training that `config.resume` begins anew, because it was
    interrupted before its first state, has the folder already.

    Args:
        out: The folder; it was found free.
        command: The command of adaptpose-train, such as `pretrain`.
        config: Its settings.

    Raises:
        RunExists: another training began there after it was found free.
        BadOutput: the folder can't be made or written to.
    """
    with naming(out):
        out.mkdir(parents=True, exist_ok=True)
    path = RunFolder(out).config
    try:
        with (replacing if config.resume and path.exists() else creating)(path) as part:
            part.write_text(json.dumps({_COMMAND: command} | dataclasses.asdict(config), indent=2, default=str))
    except FileExistsError:
        raise RunExists(
            f"{out} holds config.json of another training, which began at the same time. Name another folder with "
            "--out."
        ) from None


def _require_free(run: RunFolder) -> None:
    if run.config.exists():
        raise RunExists(
            f"{run.path} holds a{' finished' if run.finished else 'n interrupted'} run. Go on with --resume "
            f"{run.path}, or name another folder with --out."
        )
    if run.taken:
        raise RunExists(f"{run.path} holds {', '.join(run.taken)} of another training. Name another folder with --out.")


def _free_folder(wanted: Path) -> RunFolder:
    """`wanted`, with a number added if a finished run has that name."""
    number, run = 1, RunFolder(wanted)
    while run.finished:
        number += 1
        run = RunFolder(wanted.with_name(f"{wanted.name}-{number}"))
    return run
