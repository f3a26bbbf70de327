"""The first lifter: source motion through widely varied cameras, nothing of any target."""

from __future__ import annotations

import dataclasses
import json

import torch
from torch import Tensor
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from sdk.lifter_card import LifterCard
from training.body_variation import add_detector_noise, vary_bodies
from training.checkpoint import LifterCheckpoint
from training.config import Pretrain
from training.data.clip_split import split_clips
from training.data.mirrored import mirror_half
from training.data.motion import load_motion
from training.data.source_windows import SourceWindows
from training.device import open_device
from training.metrics import mpjpe
from training.models.lifter import TemporalLifter
from training.progress import training_progress
from training.source_cameras import CameraRanges, film
from training.source_validation import source_errors_mm, validation_windows
from training.training_state import HasState, load_state, save_state

FRAME_RATE_HZ = 25.0
"""Of the lifter's windows."""


def pretrain(config: Pretrain) -> LifterCheckpoint:
    """Train a lifter and save it as `out`/lifter.pt.

    Returns:
        The checkpoint, with averaged weights.

    Raises:
        BadMotion: no usable source motion.
        DeviceUnavailable, UnknownDevice: as named.
    """
    fabric = open_device(config.device, config.threads)
    torch.manual_seed(config.seed)
    generator = torch.Generator().manual_seed(config.seed)
    train_clips, validation_clips = split_clips(load_motion(config.source), config.exclude)

    network = TemporalLifter(config.filter_widths, config.channels, dropout=config.dropout)
    network = network.to(fabric.device)
    average = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(config.average), use_buffers=True)
    optimiser = torch.optim.Adam(network.parameters(), lr=config.learning_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, config.steps)
    parts: dict[str, HasState] = {"network": network, "average": average, "optimiser": optimiser, "schedule": schedule}

    frames = network.receptive_field
    slow, fast = config.time_step
    source = SourceWindows(train_clips, frames, (slow / FRAME_RATE_HZ, fast / FRAME_RATE_HZ))
    validation = validation_windows(validation_clips, frames, FRAME_RATE_HZ)
    settings = json.dumps(dataclasses.asdict(config) | {"resume": None, "device": None, "threads": None}, default=str)
    config.out.mkdir(parents=True, exist_ok=True)
    state = config.out / "state.pt"
    start = load_state(state, parts, generator, settings) if config.resume else 0
    averaged = average.module
    assert isinstance(averaged, TemporalLifter)
    checkpoint = LifterCheckpoint(
        averaged,
        LifterCard(
            receptive_field=frames, frame_rate_hz=FRAME_RATE_HZ, name=config.name or f"pretrained, seed {config.seed}"
        ),
    )
    with training_progress("pretrain", config.steps, start, config.out / "tensorboard") as progress:
        for step in range(start + 1, config.steps + 1):
            keypoints, pose = _training_batch(source, config, generator)
            network.train()
            loss = mpjpe(network(keypoints.to(fabric.device)), pose.to(fabric.device))
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            average.update_parameters(network)
            values = {"loss_mm": loss.item() * 1000}
            if step % config.save_every == 0 or step == config.steps:
                values |= source_errors_mm(averaged, validation)
                save_state(state, parts, generator, step, settings)
                checkpoint.save(config.out / "lifter.pt")
            progress.update(step, values)
    return checkpoint


def _training_batch(source: SourceWindows, config: Pretrain, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    motion = mirror_half(source.sample(config.batch, generator), generator)
    seen = film(vary_bodies(motion, config.body_size, config.bone_length, generator), CameraRanges(), generator)
    return add_detector_noise(seen.keypoints, config.noise, generator), seen.middle_pose_m
