"""The settings of a run on disk. They do not depend on the working folder; a resumed run goes on with them."""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from pathlib import Path

from sdk.detectors.factory import absolute_detector_spec
from sdk.errors import BadModelFile
from sdk.files.input_files import user_path
from sdk.lifting.model_metadata import SHIPPED_LIFTERS
from training.settings.adapt import SOURCE_WORDS, Adapt
from training.settings.settings_check import BadSetting

CHANGEABLE = ("device", "threads", "save_every")
"""Settings that a resumed run may change: device, threads, and how often it saves."""


def with_absolute_paths(config: Adapt) -> Adapt:
    """The same settings with absolute paths. `out` and `resume` are dropped: they are for this call only."""

    def absolute(path: Path | None) -> Path | None:
        return user_path(path, BadSetting).absolute() if path is not None else None

    def absolute_source(word: str) -> str:
        return word if word in SOURCE_WORDS else str(user_path(word, BadSetting).absolute())

    return dataclasses.replace(
        config,
        target=absolute(config.target),
        source=tuple(
            one if one in SOURCE_WORDS else str(user_path(one, BadSetting).absolute()) for one in config.source
        ),
        start=config.start if str(config.start) in SHIPPED_LIFTERS else absolute(config.start),
        detector=absolute_detector_spec(config.detector),
        boxes=absolute_detector_spec(config.boxes) if config.boxes is not None else None,
    )


def read_settings(path: Path) -> Adapt:
    """Read a run's config.json.

    Raises:
        BadModelFile: the file is missing, damaged or of another version.
    """
    try:
        values = json.loads(path.read_text())
        hints = typing.get_type_hints(Adapt)
        unknown = [name for name in values if name not in hints]
        if unknown:
            raise ValueError(f"it has settings that this version does not know: {', '.join(unknown)}.")
        return Adapt(**{name: _as(hints[name], value) for name, value in values.items()})  # type: ignore[arg-type]
    except (FileNotFoundError, NotADirectoryError):
        raise BadModelFile(f"{path.parent} holds no {path.name}: it is not the folder of a run.") from None
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise BadModelFile(f"{path} is damaged or of another version of the project: {error}") from error


def resumed_settings(stored: Adapt, given: Adapt, run: Path) -> Adapt:
    """The settings a run goes on with: those it was started with, except for those in `CHANGEABLE`.

    Args:
        stored: From the run's config.json; used unchanged, because the saved state was made with them.
        given: From the command line; all others have their defaults.
        run: Folder of the run.

    Raises:
        BadSetting: a setting differs from the one that the run was started with.
    """
    defaults, given = Adapt(), with_absolute_paths(given)
    changed: dict[str, typing.Any] = {}
    for field in dataclasses.fields(Adapt):
        value, was = getattr(given, field.name), getattr(stored, field.name)
        if field.name == "resume" or value in (getattr(defaults, field.name), was):
            continue
        if field.name not in CHANGEABLE:
            raise BadSetting(
                f"--{field.name.replace('_', '-')} {value} is not what the run in {run} was started with ({was}), and "
                f"it can only go on as it began. Leave the option out, or start a new run from that one's lifter: "
                f"--start {run / 'lifter.pt'}."
            )
        changed[field.name] = value
    return dataclasses.replace(stored, resume=given.resume, **changed)


def _as(hint: object, value: object) -> object:
    """A JSON value in the type of its setting: paths and tuples are strings and lists in JSON."""
    options = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    if isinstance(value, str) and Path in options:
        return Path(value)
    if typing.get_origin(hint) is tuple and not isinstance(value, list):
        raise ValueError(f"{value!r} stands where a list must be.")
    return tuple(value) if isinstance(value, list) else value
