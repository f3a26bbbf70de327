"""Training a lifter on pairs of 2D windows and 3D poses: the loop of `adaptpose-train pretrain` and of baselines."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from sdk.lifting.model_metadata import LifterCard
from training.checkpoint import LifterCheckpoint
from training.geometry.keypoint_normalisation import normalised
from training.interruption import require_finite
from training.metrics import mpjpe
from training.models.lifter import TemporalLifter
from training.progress import training_progress
from training.source_cameras import CameraWindows
from training.source_validation import source_errors_mm
from training.training_state import HasState, load_state, save_state

DrawBatch = Callable[[torch.Generator], tuple[Tensor, Tensor]]
"""Draws (B, T, 16, 2) keypoints in screen coordinates and the middle frames' (B, 16, 3) poses in metres."""


def train_lifter(
    network: TemporalLifter,
    draw_batch: DrawBatch,
    validation: CameraWindows,
    out: Path,
    card: LifterCard,
    *,
    title: str,
    settings: str,
    steps: int,
    learning_rate: float,
    average: float,
    seed: int,
    save_every: int,
    resume: bool,
) -> LifterCheckpoint:
    """Train with Adam, a rate that falls along a half cosine and a running average of the weights.

    Writes `out`/state.pt, `out`/lifter.pt and a TensorBoard log as it goes.

    Args:
        network: To train, on its device.
        draw_batch: Training data.
        validation: Windows to report the averaged network's error on.
        out: Folder; made if missing.
        card: Describes the result, how it takes keypoints included.
        title: For the progress bar.
        settings: Must be equal for a saved state to be gone on from.
        steps: Optimiser steps.
        learning_rate: At the start.
        average: Decay of the running average; the average is the result.
        seed: Of the batches. The caller seeds torch before it makes the network; then the same seed gives the same run.
        save_every: Steps between saved states.
        resume: Go on from `out`/state.pt.

    Raises:
        BadModelFile: the state to resume from is missing, damaged or of other settings.
        BadOutput: the folder can't be written to.
        Diverged: loss or weights are not finite.
    """
    device = next(network.parameters()).device
    generator = torch.Generator().manual_seed(seed)
    averaged_model = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(average), use_buffers=True)
    optimiser = torch.optim.Adam(network.parameters(), lr=learning_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    parts: dict[str, HasState] = {
        "network": network,
        "average": averaged_model,
        "optimiser": optimiser,
        "schedule": schedule,
    }
    out.mkdir(parents=True, exist_ok=True)
    state = out / "state.pt"
    start = load_state(state, parts, generator, settings) if resume else 0
    averaged = averaged_model.module
    assert isinstance(averaged, TemporalLifter)
    checkpoint = LifterCheckpoint(averaged, card)
    with training_progress(title, steps, start, out / "tensorboard") as progress:
        for step in range(start + 1, steps + 1):
            keypoints, pose = draw_batch(generator)
            network.train()
            loss = mpjpe(network(normalised(keypoints, card.normalisation).to(device)), pose.to(device))
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            averaged_model.update_parameters(network)
            values = {"loss_mm": loss.item() * 1000}
            require_finite(step, values)
            if step % save_every == 0 or step == steps:
                require_finite(step, values, (network, averaged))
                values |= source_errors_mm(averaged, validation, card.normalisation)
                save_state(state, parts, generator, step, settings)
                checkpoint.save(out / "lifter.pt")
            progress.update(step, values)
    return checkpoint
