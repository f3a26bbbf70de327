"""The first lifter: source motion through widely varied cameras, nothing of any target."""

from __future__ import annotations

import dataclasses
import json

import torch
from torch import Tensor

from sdk.files.output_files import check_output_folder
from sdk.lifting.model_metadata import LifterCard
from training.body_variation import vary_bodies
from training.checkpoint import LifterCheckpoint
from training.config import Pretrain
from training.data.as_in_use import cut_future, hide_joints
from training.data.clip_split import split_clips
from training.data.detector_noise import add_detector_noise
from training.data.mirrored import mirror_half
from training.data.motion import load_motion
from training.data.source_windows import SourceWindows
from training.device import open_device
from training.interruption import resumable
from training.limb_exchange import exchange_limbs
from training.models.growth import grown
from training.models.lifter import TemporalLifter
from training.run_folder import RunExists, RunFolder
from training.settings_check import BadSetting, check_pretrain
from training.source_cameras import CameraRanges, film
from training.source_validation import validation_windows
from training.supervised import train_lifter

FRAME_RATE_HZ = 25.0
"""Of the lifter's windows."""


def pretrain(config: Pretrain) -> LifterCheckpoint:
    """Train a lifter and save it as `out`/lifter.pt.

    Returns:
        The checkpoint, with averaged weights.

    Raises:
        RunExists: `out` holds a training already, and `resume` is not set.
        BadMotion: no usable source motion.
        BadModelFile: the lifter to grow from can't be read.
        BadSetting, DeviceUnavailable, UnknownDevice: as named.
    """
    check_pretrain(config)
    run = RunFolder(config.out)
    if run.taken and not config.resume:
        raise RunExists(
            f"{run.path} holds {', '.join(run.taken)} of an earlier training. Go on with --resume, or name "
            "another folder with --out."
        )
    check_output_folder(run.path)
    fabric = open_device(config.device, config.threads)
    torch.manual_seed(config.seed)
    train_clips, validation_clips = split_clips(load_motion(config.source), config.exclude)
    network = _network(config).to(fabric.device)
    frames = network.receptive_field
    slow, fast = config.time_step
    source = SourceWindows(train_clips, frames, (slow / FRAME_RATE_HZ, fast / FRAME_RATE_HZ))
    name = config.name or f"pretrained, seed {config.seed}"
    way_on = f"A state is saved every {config.save_every} steps: go on with the same command and --resume."
    with resumable(way_on):
        return train_lifter(
            network,
            lambda random: _training_batch(source, config, random),
            validation_windows(validation_clips, frames, FRAME_RATE_HZ),
            config.out,
            LifterCard(
                frames,
                FRAME_RATE_HZ,
                normalisation=config.normalisation,
                input_channels=network.input_channels,
                shortest_lookahead=config.shortest_lookahead,
                name=name,
            ),
            title="pretrain",
            settings=json.dumps(
                dataclasses.asdict(config)
                | {"source": config.source.expanduser().absolute(), "out": None}
                | {"grow_from": config.grow_from and config.grow_from.expanduser().absolute()}
                | {"resume": None, "device": None, "threads": None},
                default=str,
            ),
            steps=config.steps,
            learning_rate=config.learning_rate,
            average=config.average,
            seed=config.seed,
            save_every=config.save_every,
            resume=config.resume,
        )


def _network(config: Pretrain) -> TemporalLifter:
    input_channels = 3 if config.hidden else 2
    if config.grow_from is None:
        return TemporalLifter(
            config.filter_widths,
            config.channels,
            input_channels=input_channels,
            dropout=config.dropout,
            view=config.view,
        )
    smaller = LifterCheckpoint.load(config.grow_from)
    its = {
        "--view": (smaller.network.view, config.view),
        "--normalisation": (smaller.card.normalisation, config.normalisation),
        "numbers per joint (3 with --hidden)": (smaller.network.input_channels, input_channels),
    }
    for name, (there, here) in its.items():
        if there != here:
            raise BadSetting(f"{config.grow_from} has {name} {there}; the lifter grown from it can't have {here}.")
    try:
        return grown(smaller.network, config.filter_widths, config.channels, config.dropout)
    except ValueError as error:
        raise BadSetting(f"--grow-from {config.grow_from}: {error}") from error


def _training_batch(source: SourceWindows, config: Pretrain, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    motion = exchange_limbs(source.sample(config.batch, generator), config.limb_exchange, generator)
    bodies = vary_bodies(mirror_half(motion, generator), config.body_size, config.bone_length, generator)
    seen = film(bodies, CameraRanges(), generator)
    keypoints = add_detector_noise(seen.keypoints, config.noise, generator)
    keypoints = cut_future(keypoints, config.shortest_lookahead, generator)
    return hide_joints(keypoints, config.hidden, generator) if config.hidden else keypoints, seen.middle_pose_m
