"""`adaptpose-train pretrain`: trains a lifter from scratch on source motion seen by widely varied cameras."""

from __future__ import annotations

import dataclasses
import json
from functools import partial

import torch
from torch import Tensor

from sdk.files.output_files import check_output_folder
from sdk.lifting.model_metadata import LifterMetadata
from sdk.skeletons.skeleton import pose_skeleton
from training.adaptation.feet_lessons import FeetSource, FeetValidation, feet_batch
from training.adaptation.lifter_training import DrawBatch, train_lifter
from training.cameras.detector_noise import add_detector_noise
from training.cameras.occlusion_and_lookahead import cut_future, hide_joints
from training.cameras.random_cameras import ANY_CAMERA, CameraWindows, film
from training.cameras.source_validation import validation_windows
from training.commands.run_inputs import pretrain_inputs
from training.lifter.checkpoint import LifterCheckpoint, starting_checkpoint
from training.lifter.growth import grown, with_feet_head
from training.lifter.growth import with_feet as lifter_with_feet
from training.lifter.lifter import TemporalLifter
from training.motion.body_variation import mirror_half, vary_bodies
from training.motion.clip_selection import split_clips
from training.motion.feet import with_feet
from training.motion.limb_swap import swap_limbs
from training.motion.readers.motion import load_motion
from training.motion.source_windows import SourceWindows
from training.runs.device import open_device
from training.runs.processes import Processes
from training.runs.resuming import INPUTS, resumable
from training.runs.run_folder import RunExists, RunFolder, claim_folder
from training.settings.pretrain import Pretrain
from training.settings.settings_check import BadSetting, check_pretrain

FRAME_RATE_HZ = 25.0
"""Frame rate of the lifter's windows."""


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
    fabric = open_device(config.device, config.threads, devices=config.devices, num_nodes=config.num_nodes)
    clips = load_motion(config.source)
    if config.feet is not None:
        clips = with_feet(clips, config.feet.expanduser())
    train_clips, validation_clips = split_clips(clips, config.exclude)
    fabric.launch()  # only now: what is wrong with the settings is then said once
    processes = Processes(fabric, config.precision)
    torch.manual_seed(config.seed)
    network = _network(config).to(fabric.device)
    frames = network.receptive_field
    slow, fast = config.time_step
    time_step_s = slow / FRAME_RATE_HZ, fast / FRAME_RATE_HZ
    draw_batch: DrawBatch
    validation: CameraWindows | FeetValidation
    if config.feet is None:
        draw_batch = partial(_training_batch, SourceWindows(train_clips, frames, time_step_s), config)
        validation = validation_windows(validation_clips, frames, FRAME_RATE_HZ)
    else:
        draw_batch = partial(feet_batch, FeetSource(train_clips, frames, time_step_s), config)
        unseen = partial(feet_batch, FeetSource(validation_clips, frames, time_step_s), config)
        validation = FeetValidation(validation_clips, frames, FRAME_RATE_HZ, unseen)
    name = config.name or f"pretrained, seed {config.seed}"
    way_on = f"A state is saved every {config.save_every} steps: go on with the same command and --resume."
    # A training that was interrupted before its first state begins anew.
    resume = config.resume and (run.state.exists() or not run.config.exists())
    if not resume:
        processes.first_does(partial(claim_folder, run.path, "pretrain", config))
    with resumable(way_on):
        return train_lifter(
            network,
            draw_batch,
            validation,
            config.out,
            LifterMetadata(
                frames,
                FRAME_RATE_HZ,
                skeleton=pose_skeleton(network.joints).name,
                tells_more=network.tells_more,
                normalisation=config.normalisation,
                input_channels=network.input_channels,
                shortest_lookahead=config.shortest_lookahead,
                name=name,
            ),
            title="pretrain",
            settings=_identity(config),
            steps=config.steps,
            learning_rate=config.learning_rate,
            average=config.average,
            seed=config.seed,
            save_every=config.save_every,
            resume=resume,
            processes=processes,
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
    smaller = LifterCheckpoint.load(starting_checkpoint(config.grow_from))
    its = {
        "--view": (smaller.network.view, config.view),
        "--normalisation": (smaller.metadata.normalisation, config.normalisation),
        "numbers per joint (3 with --hidden)": (smaller.network.input_channels, input_channels),
    }
    for name, (there, here) in its.items():
        if there != here:
            raise BadSetting(f"{config.grow_from} has {name} {there}; the lifter grown from it can't have {here}.")
    try:
        if config.feet is not None:  # a lifter that has feet already is trained further
            network = smaller.network if smaller.network.tells_more else lifter_with_feet(smaller.network)
            if config.feet_width and not network.feet_width:
                network = with_feet_head(network, config.feet_width)
            if config.only_feet:
                network.learn_only_feet()
            return with_dropout(network, config.dropout)
        return grown(smaller.network, config.filter_widths, config.channels, config.dropout)
    except ValueError as error:
        raise BadSetting(f"--grow-from {config.grow_from}: {error}") from error


def with_dropout(network: TemporalLifter, dropout: float) -> TemporalLifter:
    """The network with another dropout."""
    network.dropout = dropout
    for module in network.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = dropout
    return network


def _training_batch(source: SourceWindows, config: Pretrain, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    motion = swap_limbs(source.sample(config.batch, generator), config.limb_exchange, generator)
    bodies = vary_bodies(mirror_half(motion, generator), config.body_size, config.bone_length, generator)
    seen = film(bodies, ANY_CAMERA, generator)
    keypoints = add_detector_noise(seen.keypoints, config.noise, generator)
    keypoints = cut_future(keypoints, config.shortest_lookahead, generator)
    return hide_joints(keypoints, config.hidden, generator) if config.hidden else keypoints, seen.middle_pose_m


_LATER = ("devices", "num_nodes", "precision", "feet", "feet_width", "only_feet")
"""Settings that are newer than some saved trainings; at their defaults they are left out, so that these can go on."""


def _identity(config: Pretrain) -> str:
    """Settings and files that must be the same to resume a saved state."""
    given = dataclasses.asdict(config)
    given |= {"source": config.source.expanduser().absolute(), "out": None}
    given |= {"grow_from": config.grow_from and starting_checkpoint(config.grow_from).absolute()}
    given |= {"resume": None, "device": None, "threads": None}
    for name in _LATER:
        if name in ("devices", "num_nodes") or given[name] == getattr(Pretrain, name):
            del given[name]
    return json.dumps(given | {INPUTS: pretrain_inputs(config)}, default=str)
