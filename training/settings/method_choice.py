"""The constants of a run: those of a recipe, and those that the user gives in their place."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import tyro

from sdk.lifting.shipped_lifters import DEFAULT_LIFTER, LIFTER_WITH_FEET
from sdk.skeletons.joint_conversion import has_feet
from training.settings.adapt import MODEL, Adapt
from training.settings.method import RECIPES, Method
from training.settings.settings_check import BadSetting


def chosen_method(recipe: str, constants: Sequence[str] = (), *, drawn_bodies: bool = False) -> Method:
    """A recipe, with some constants replaced.

    Args:
        recipe: Name in `RECIPES`.
        constants: NAME=VALUE each; NAME is a field of `Method`. Separate several numbers by commas.
        drawn_bodies: See `for_drawn_bodies`. Given constants win over it.

    Raises:
        BadSetting: a constant is not NAME=VALUE, has an unknown name, or a value that it can't have, alone or beside
            another.
    """
    method = for_drawn_bodies(RECIPES[recipe]) if drawn_bodies else RECIPES[recipe]
    for constant in constants:
        method = _with(method, constant)
    if method.source_turn == "upright" and method.source_share != 1:
        raise BadSetting(
            f"--constants source_share={method.source_share:g}: with source_turn=upright it must be 1; the generator's "
            "fakes have no vertical. Use source_turn=matched beside a generator."
        )
    return method


def recipe_for(config: Adapt, scores: Iterable[np.ndarray]) -> tuple[Adapt, str | None]:
    """The settings with `auto` replaced by a recipe, and what a user is to know of it.

    Args:
        config: Settings of the run.
        scores: Of the target's keypoints. Detectors give scores; keypoints that are known exactly have 1.
    """
    if config.recipe != "auto":
        return config, None
    detected = any((one != 1).any() for one in scores)
    why = "the keypoints have a detector's scores" if detected else "all keypoints have score 1, as exact ones have"
    recipe: Literal["detections", "default"] = "detections" if detected else "default"
    return dataclasses.replace(config, recipe=recipe), f"Recipe {recipe}: {why}. Choose another with --recipe."


def start_for(config: Adapt, skeletons: Iterable[str]) -> tuple[Adapt, str | None]:
    """The settings with a lifter to start from, and what a user is to know of it.

    Args:
        config: Settings of the run, with its recipe.
        skeletons: Of the target's keypoints.
    """
    if config.start is not None or config.continued is not None:
        return config, None
    shod = sorted({skeleton for skeleton in skeletons if has_feet(skeleton)})
    if not shod or run_method(config).source_share < 1:
        return dataclasses.replace(config, start=Path(DEFAULT_LIFTER)), None
    note = (
        f"Starts from the lifter {LIFTER_WITH_FEET}: {', '.join(shod)} has heels and toes. Its poses have 20 joints. "
        f"For 16 joints: --start {DEFAULT_LIFTER}."
    )
    return dataclasses.replace(config, start=Path(LIFTER_WITH_FEET)), note


def run_method(config: Adapt) -> Method:
    """The constants of a run of `adaptpose-train`. Until the target is known, `auto` has those of `default`."""
    recipe = "default" if config.recipe == "auto" else config.recipe
    return chosen_method(recipe, config.constants, drawn_bodies=config.source == (MODEL,))


def for_drawn_bodies(method: Method) -> Method:
    """The constants for a source with a new body for every motion, as the motion model's. They vary bodies no further.

    2D does not show a person's size. The more body sizes vary in training, the larger the lifter's error.
    """
    return dataclasses.replace(method, source_bodies=0.0)


def _with(method: Method, constant: str) -> Method:
    kinds = typing.get_type_hints(Method)
    name, equals, value = constant.partition("=")
    name = name.strip().replace("-", "_")
    if not equals or name not in kinds:
        raise BadSetting(
            f"--constants {constant}: it must be NAME=VALUE, such as bone_rotation=bg1, with one of the names "
            f"{', '.join(kinds)}."
        )
    option = name.replace("_", "-")
    words = [f"--{option}", *(part.strip() for part in value.split(","))]
    choices: tuple[object, ...] = typing.get_args(kinds[name])
    if kinds[name] is bool:
        choices = ("true", "false")
        words = [{"true": f"--{option}", "false": f"--no-{option}"}.get(value, f"--{option}={value}")]
    try:
        return tyro.cli(Method, default=method, args=words, console_outputs=False)
    except SystemExit:
        kind = getattr(kinds[name], "__name__", kinds[name])
        listed = kinds[name] is bool or typing.get_origin(kinds[name]) is Literal
        allowed = f"one of {', '.join(map(str, choices))}" if listed else kind
        raise BadSetting(f"--constants {constant}: {name} must be {allowed}.") from None
