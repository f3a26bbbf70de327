"""The constants of the method that a run has: a recipe's, and those that are given in their place."""

from __future__ import annotations

import typing
from collections.abc import Sequence
from typing import Literal

import tyro

from training.config import RECIPES, Method
from training.settings_check import BadSetting


def chosen_method(recipe: str, constants: Sequence[str] = ()) -> Method:
    """A recipe with other constants.

    Args:
        recipe: Name in `RECIPES`.
        constants: NAME=VALUE each, a field of `Method`; several numbers are parted by commas.

    Raises:
        BadSetting: not such a pair, no such constant, or a value that it can't have.
    """
    method = RECIPES[recipe]
    for constant in constants:
        method = _with(method, constant)
    return method


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
