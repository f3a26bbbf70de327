"""Refuses settings that can't work at once: before videos are read and before a run folder is made."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any

from sdk.detectors.factory import split_detector_spec
from sdk.errors import BadSetting
from sdk.files.input_files import user_path
from sdk.runtime.sessions import parse_device
from sdk.skeletons.skeleton import find_skeleton
from sdk.tracking.people_choice import check_people
from training.settings.adapt import Adapt
from training.settings.motion_model import FEATURES, TrainMotionModel
from training.settings.pretrain import Pretrain

_Rule = tuple[Callable[[Any], bool], str]

_COUNT: _Rule = (lambda value: 1 <= value <= 10**9, "1 or more, and 10^9 at most")
_RATE: _Rule = (lambda value: 0 < value <= 10**6, "a positive number, and 10^6 at most")
_SPREAD: _Rule = (lambda value: 0 <= value < math.inf, "0 or more")
_SHARE: _Rule = (lambda value: 0 <= value <= 1, "a share from 0 to 1")
_BOTH: dict[str, _Rule] = {
    "steps": _COUNT,
    "save_every": _COUNT,
    "seed": (lambda value: 0 <= value < 2**63, "0 or more, and below 2^63"),
    "threads": (lambda value: 0 <= value <= 1024, "0 or more, and 1024 at most"),
}
_SPREAD_OUT: dict[str, _Rule] = {"devices": _COUNT, "num_nodes": _COUNT}
_ADAPT: dict[str, _Rule] = {
    **_BOTH,
    **_SPREAD_OUT,
    # A quarter of the batch are target windows.
    "batch": (lambda value: 4 <= value <= 10**6, "4 or more, and 10^6 at most"),
    "det_every": _COUNT,
    "fps": _RATE,
    "height": (lambda value: 0.5 <= value <= 2.6, "metres, between 0.5 and 2.6"),
    "source_fps": _RATE,
    "image_size": (
        lambda value: min(value) >= 1 and max(value) <= 10**6,
        "a width and a height in pixels, both 1 or more",
    ),
}
_PRETRAIN: dict[str, _Rule] = {
    **_BOTH,
    **_SPREAD_OUT,
    "batch": (lambda value: value >= 2, "2 or more"),
    "channels": _COUNT,
    "learning_rate": _RATE,
    "average": (lambda value: 0 <= value < 1, "at least 0 and below 1"),
    "filter_widths": (
        lambda value: len(value) > 0 and all(width >= 1 and width % 2 for width in value),
        "one or more odd numbers of frames",
    ),
    "dropout": (lambda value: 0 <= value < 1, "at least 0 and below 1"),
    "feet_width": (lambda value: 0 <= value <= 10**5, "0 (none) or more, and 10^5 at most"),
    "hidden": _SHARE,
    "limb_exchange": _SHARE,
    "body_size": _SPREAD,
    "bone_length": _SPREAD,
    "noise": _SPREAD,
    "time_step": (lambda value: 0 < value[0] <= value[1] < math.inf, "two positive numbers, the smaller one first"),
}
_MOTION_MODEL: dict[str, _Rule] = {
    **_BOTH,
    **_SPREAD_OUT,
    "batch": _COUNT,
    "points": (lambda value: value >= 4, "4 or more"),
    "beginning": (lambda value: value >= 2, "2 or more"),
    "components": _COUNT,
    "starts": _COUNT,
    "start_components": _COUNT,
    "width": _COUNT,
    "blocks": _COUNT,
    "dropout": (lambda value: 0 <= value < 1, "at least 0 and below 1"),
    "stretch": (lambda value: 0 < value[0] <= value[1] < math.inf, "two positive numbers, the smaller one first"),
    "exchanged": _SHARE,
    "learning_rate": _RATE,
    "average": (lambda value: 0 <= value < 1, "at least 0 and below 1"),
}


def check_adapt(config: Adapt) -> None:
    """Check all settings, also those that this target may not need. Returns nothing.

    Raises:
        BadSetting: a number is out of its range.
        UnknownDetector, UnknownSkeleton, UnknownDevice: as named.
    """
    _check(config, _ADAPT)
    for path in (config.target, config.out, config.resume, config.continued, config.start, *config.source):
        if path is not None:
            user_path(path, BadSetting)
    if not config.source:
        raise BadSetting("--source names nothing: give model, pybullet, or files.")
    check_people(config.people)
    for spec in (config.detector, config.boxes):
        if spec is not None:
            split_detector_spec(spec)
    if config.skeleton is not None:
        find_skeleton(config.skeleton)


def check_adapt_processes(config: Adapt, batch: int, tells_more: bool) -> None:
    """Do nothing if several processes can share out the adaptation: its batch, and the quarter that is of the target.

    Args:
        config: The settings.
        batch: Windows per step: those of the settings, or of the recipe.
        tells_more: Whether the lifter tells more than joints.

    Raises:
        BadSetting: they can't.
    """
    processes = config.devices * config.num_nodes
    if processes == 1:
        return
    if tells_more:
        raise BadSetting(
            "--devices and --num-nodes: a lifter that tells more than joints, as feet does, is adapted in one process. "
            "Leave them out, or take --start fast or base."
        )
    if batch % (4 * processes):
        fits = batch // (4 * processes) * 4 * processes or 4 * processes
        raise BadSetting(
            f"--batch is {batch}; of an adaptation by {processes} processes (--devices times --num-nodes) it must be a "
            f"multiple of {4 * processes}: use {fits}."
        )


def check_pretrain(config: Pretrain) -> None:
    """As `check_adapt`, for `adaptpose-train pretrain`."""
    _check(config, _PRETRAIN)
    _check_shares(config)
    reach = math.prod(config.filter_widths) // 2
    if not 0 <= config.shortest_lookahead <= reach:
        raise BadSetting(
            f"--shortest-lookahead is {config.shortest_lookahead}; of windows of {2 * reach + 1} frames it must be a "
            f"number from 0 to {reach}."
        )
    if config.feet is not None:
        if config.grow_from is None or not config.hidden or config.view != "person":
            raise BadSetting(
                "--feet adds feet to a trained lifter that takes missing joints: give --grow-from fast, or a "
                "checkpoint like it, and leave --hidden and --view as they are."
            )
        if config.devices != 1 or config.num_nodes != 1 or config.precision != Pretrain.precision:
            raise BadSetting("--feet trains in one process, in single precision: leave out --devices and --precision.")
    elif config.only_feet:
        raise BadSetting("--only-feet is for lifters with feet: give --feet, the file of the source's feet.")
    if config.hidden and config.normalisation == "root-centred":
        raise BadSetting(
            f"--hidden is {config.hidden:g}; with --normalisation root-centred it must be 0: a pose is centred at the "
            "pelvis and divided by all its joints, and would be another with some of them missing."
        )


def check_motion_model(config: TrainMotionModel) -> None:
    """As `check_adapt`, for `adaptpose-train motion-model`."""
    _check(config, _MOTION_MODEL)
    _check_shares(config)
    if config.beginning >= config.points:
        raise BadSetting(f"--beginning is {config.beginning}; it must be below --points, which is {config.points}.")
    for name, value, points in (
        ("components", config.components, config.points),
        ("start-components", config.start_components, config.beginning),
    ):
        if value > points * FEATURES:
            raise BadSetting(f"--{name} is {value}; {points} points have {points * FEATURES} numbers.")


def _check_shares(config: Pretrain | TrainMotionModel) -> None:
    processes = config.devices * config.num_nodes
    if config.batch % processes:
        raise BadSetting(
            f"--batch is {config.batch}; {processes} processes (--devices times --num-nodes) need equal shares of it. "
            f"Use {config.batch // processes * processes or processes} or another multiple of {processes}."
        )


def _check(config: Adapt | Pretrain | TrainMotionModel, rules: dict[str, _Rule]) -> None:
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        allowed, words = rules.get(field.name, (None, ""))
        if allowed is not None and value is not None and not allowed(value):
            shown = " ".join(map(str, value)) if isinstance(value, tuple) else value
            raise BadSetting(f"--{field.name.replace('_', '-')} is {shown}; it must be {words}.")
    parse_device(config.device)
