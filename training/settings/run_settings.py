"""The settings of a run on disk. They do not depend on the working folder; a resumed run goes on with them."""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from pathlib import Path

from sdk.detectors.factory import absolute_detector_spec, split_config_and_checkpoint, split_detector_spec
from sdk.errors import AdaptPoseError, BadModelFile
from sdk.files.input_files import check_regular_file, user_path
from sdk.lifting.shipped_lifters import SHIPPED_LIFTERS
from training.settings.adapt import SOURCE_WORDS, Adapt
from training.settings.settings_check import BadSetting, check_adapt

CHANGEABLE = ("device", "threads", "save_every")
"""Settings that a resumed run may change: device, threads, and how often it saves."""

PROCESSES = ("devices", "num_nodes")
"""Settings that are those of each call: a run goes on with as many processes as it is resumed with."""


def with_absolute_paths(config: Adapt) -> Adapt:
    """The same settings with absolute paths."""

    def absolute(path: Path | None) -> Path | None:
        return user_path(path, BadSetting).absolute() if path is not None else None

    def absolute_source(word: str) -> str:
        return word if word in SOURCE_WORDS else str(user_path(word, BadSetting).absolute())

    return dataclasses.replace(
        config,
        target=absolute(config.target),
        source=tuple(map(absolute_source, config.source)),
        continued=absolute(config.continued),
        start=config.start if str(config.start) in SHIPPED_LIFTERS else absolute(config.start),
        detector=absolute_detector_spec(config.detector),
        boxes=absolute_detector_spec(config.boxes) if config.boxes is not None else None,
    )


COMMAND = "command"
"""Entry of config.json in folders of trainings that are no adaptation: the command that made it."""


def read_settings(path: Path) -> Adapt:
    """Read a run's config.json.

    Raises:
        BadModelFile: the file is missing, damaged or of another version.
    """
    try:
        check_regular_file(path, BadModelFile)
        values = json.loads(path.read_text())
        if not isinstance(values, dict):
            raise ValueError("it is no JSON object.")
        if COMMAND in values:
            raise ValueError(
                "it is of a training by another command. Go on with that one (adaptpose-train pretrain --resume, or "
                "adaptpose-train motion-model --resume), with the options it was started with."
            )
        hints = typing.get_type_hints(Adapt)
        unknown = [name for name in values if name not in hints]
        if unknown:
            raise ValueError(f"it has settings that this version does not know: {', '.join(unknown)}.")
        settings = Adapt(**{name: _as(hints[name], value, name) for name, value in values.items()})
        if settings.target is None:
            raise ValueError("it names no target.")
        check_adapt(settings)
        return settings
    except (FileNotFoundError, NotADirectoryError):
        raise BadModelFile(f"{path.parent} holds no {path.name}: it is not the folder of a run.") from None
    except (AdaptPoseError, OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise BadModelFile(f"{path} is damaged or of another version of the project: {error}") from error


def resumed_settings(stored: Adapt, given: Adapt, run: Path) -> Adapt:
    """The settings a run goes on with: those it was started with, except for those in `CHANGEABLE`.

    Args:
        stored: From the run's config.json; used unchanged but for `PROCESSES`, because the saved state was made with
            them.
        given: From the command line; all others have their defaults.
        run: Folder of the run.

    Raises:
        BadSetting: a setting differs from the one that the run was started with. Or the run names an mmpose config
            file, which is a program, and the command line does not.
    """
    defaults, given = Adapt(), with_absolute_paths(given)
    changed: dict[str, typing.Any] = {}
    for field in dataclasses.fields(Adapt):
        value, was = getattr(given, field.name), getattr(stored, field.name)
        if field.name in PROCESSES or field.name == "resume" or value in (getattr(defaults, field.name), was):
            continue
        if field.name not in CHANGEABLE:
            raise BadSetting(
                f"--{option_name(field.name)} {value} is not what the run in {run} was started with ({was}), and "
                f"it can only go on as it began. Leave the option out, or start a new run from that one's lifter: "
                f"--start {run / 'lifter.pt'}."
            )
        changed[field.name] = value
    for option in ("detector", "boxes"):
        _require_confirmed(option, getattr(stored, option), getattr(given, option), run)
    changed |= {name: getattr(given, name) for name in PROCESSES}
    return dataclasses.replace(stored, resume=given.resume, **changed)


def option_name(setting: str) -> str:
    """The name of a setting's option, without its dashes."""
    return {"continued": "continue"}.get(setting, setting.replace("_", "-"))


def _require_confirmed(option: str, stored: str | None, given: str | None, run: Path) -> None:
    """A config file of mmpose is a Python program. A run folder may be somebody else's: its word is not enough.

    Raises:
        BadSetting: the run names such a file and the command line does not.
    """
    config = mmpose_config_file(stored) if stored is not None else None
    if config is not None and given != stored:
        raise BadSetting(
            f"{run / 'config.json'} names the mmpose config {config}, a Python program that would be run. If you trust "
            f"it, name it yourself: adaptpose-train --resume {run} --{option} {stored}"
        )


def mmpose_config_file(spec: str) -> str | None:
    """The config file in a detector's word; None where it names none, or one of those that mmpose ships."""
    kind, rest = split_detector_spec(spec)
    if kind != "mmpose":
        return None
    config, _ = split_config_and_checkpoint(rest)
    named = Path(config)
    is_name = len(named.parts) == 1 and named.suffix != ".py" and not named.exists()
    return None if is_name else config


def _as(hint: object, value: object, name: str) -> typing.Any:
    """A JSON value in the type of its setting: paths and tuples are strings and lists in JSON.

    Raises:
        ValueError: it is of another type.
    """
    # Of a Literal, `| None` makes a Union of typing's own kind.
    several = isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union
    options = typing.get_args(hint) if several else (hint,)
    for option in options:
        items = typing.get_args(option)
        if typing.get_origin(option) is typing.Literal:
            if isinstance(value, str) and value in items:
                return value
        elif typing.get_origin(option) is tuple and isinstance(value, list):
            kinds = [items[0]] * len(value) if items[-1] is Ellipsis else list(items)
            if len(kinds) == len(value):
                return tuple(_as(kind, item, name) for kind, item in zip(kinds, value, strict=True))
        elif option is float and type(value) is int:
            return float(value)
        elif option is Path and type(value) is str:
            return Path(value)
        elif type(value) is option:
            return value
    shown = repr(value)
    raise ValueError(f"{name!r} can't be {shown if len(shown) < 80 else shown[:80] + '...'}.")
