"""The files that a run is given, with the hashes of their content: a run resumes with the same ones, or not at all."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from sdk.errors import BadModelFile, BadMotion, BadTarget
from sdk.files.content_hash import hash_of_file_or_folder
from sdk.files.input_files import named_below
from sdk.lifting.shipped_lifters import DEFAULT_LIFTER, SHIPPED_LIFTERS
from sdk.prediction.target_files import find_target_files, recording_name
from training.lifter.checkpoint import starting_checkpoint
from training.motion.readers.acclaim.files import SKELETON_SUFFIX
from training.motion.readers.motion import MOTION_SUFFIXES
from training.motion.readers.pybullet.humanoid_clips import humanoid_files
from training.motion_model.model_file import SHIPPED_MOTION_MODEL
from training.runs.resuming import INPUTS
from training.runs.run_folder import RunFolder
from training.settings.adapt import MODEL, PYBULLET, Adapt
from training.settings.pretrain import Pretrain

START = "the lifter to start from"
_READ_OF_MOTION = (*MOTION_SUFFIXES, SKELETON_SUFFIX, ".json")
"""Motion, the skeletons of .amc files, and frame rates beside motion."""


def adapt_inputs(config: Adapt) -> dict[str, str]:
    """Names and hashes of target, source, start and the motion model.

    Raises:
        BadTarget: there is no target, or it can't be read.
        BadMotion, BadModelFile: likewise for source and start.
    """
    assert config.target is not None
    files = find_target_files(config.target)
    inputs = {}
    for path in (*files.videos, *(path for path, _ in files.keypoints)):
        try:
            inputs[f"target {recording_name(path, config.target)}"] = hash_of_file_or_folder(path)
        except OSError as error:
            raise BadTarget(f"target {path} can't be read: {error}") from error
    for number, source in enumerate(dict.fromkeys(config.source), start=1):
        if source == PYBULLET:
            inputs |= {f"source {PYBULLET} {path.name}": hash_of_file_or_folder(path) for path in _humanoid_files()}
        elif source != MODEL:
            name = "source" if len(config.source) == 1 else f"source {number}"
            inputs |= source_inputs(Path(source), name)
    # Its motion is a part of what every run learns from.
    inputs["the motion model"] = _model_hash(SHIPPED_MOTION_MODEL)
    if config.continued is None:
        inputs[START] = start_hash(config.start)
    else:
        run = RunFolder(config.continued)
        for path in (run.checkpoint, run.targets, run.history):
            inputs[f"{path.name} of the run to continue"] = _model_hash(path)
    return inputs


def start_hash(start: Path | None) -> str:
    """Of the lifter to start from; None is the SDK's default lifter."""
    return _model_hash(starting_checkpoint(start))


def begun_from(identity: object) -> Path:
    """The shipped lifter that a run of this identity, which was told none, began from."""
    inputs = json.loads(identity).get(INPUTS) if isinstance(identity, str) else None
    was = inputs.get(START) if isinstance(inputs, dict) else None
    found = (name for name in SHIPPED_LIFTERS if start_hash(Path(name)) == was)
    return Path(next(found, DEFAULT_LIFTER))


def pretrain_inputs(config: Pretrain) -> dict[str, str]:
    """The same of `adaptpose-train pretrain`: its source, and the lifter that is grown."""
    grown = (
        {} if config.grow_from is None else {"the lifter to grow": _model_hash(starting_checkpoint(config.grow_from))}
    )
    feet = {} if config.feet is None else {"feet": hash_of_file_or_folder(config.feet.expanduser())}
    return source_inputs(config.source) | grown | feet


def source_inputs(source: Path, name: str = "source") -> dict[str, str]:
    """Names and hashes of all motion files of a file or folder; empty where it does not exist, as its reader will say.

    Raises:
        BadMotion: one of them can't be read.
    """
    inputs = {}
    source = source.expanduser()
    for path in _motion_files(source):
        try:
            inputs[f"{name} {path.relative_to(source) if source.is_dir() else path.name}"] = hash_of_file_or_folder(
                path
            )
        except OSError as error:
            raise BadMotion(f"source motion {path} can't be read: {error}") from error
    return inputs


def _motion_files(source: Path) -> Iterator[Path]:
    if source.is_dir():
        candidates = {path for path, _ in named_below(source, lambda name: not name.startswith("."))}
    else:
        candidates = {source, source.with_suffix(".json")}
        if source.suffix.lower() == ".amc":
            candidates |= set(source.parent.glob(f"*{SKELETON_SUFFIX}"))
    yield from sorted(path for path in candidates if path.suffix.lower() in _READ_OF_MOTION and path.is_file())


def _humanoid_files() -> list[Path]:
    urdf, clips = humanoid_files()
    return [urdf, *clips]


def _model_hash(path: Path) -> str:
    try:
        return hash_of_file_or_folder(path)
    except OSError as error:
        raise BadModelFile(f"{path} can't be read: {error}") from error
