"""Trains a lifter on pairs of 2D and 3D: on source motion before adaptation, or from scratch."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from sdk.lifting.model_metadata import LifterMetadata
from training.adaptation.feet_lessons import FeetTarget, FeetValidation, feet_loss
from training.cameras.random_cameras import CameraWindows
from training.cameras.source_validation import source_errors_mm
from training.evaluation.metrics import mpjpe
from training.geometry.keypoint_normalisation import normalised
from training.lifter.checkpoint import LifterCheckpoint
from training.lifter.lifter import TemporalLifter
from training.runs.averaged_training import AveragedTraining
from training.runs.processes import Processes
from training.runs.progress import training_progress
from training.runs.resuming import load_state, require_finite, save_state

DrawBatch = Callable[[torch.Generator], tuple[Tensor, Any]]
"""Draws (B, T, 16, 2) keypoints in screen coordinates and the middle frames' (B, 16, 3) poses in metres. With feet:
(B, T, 20, 3) and a `FeetTarget`."""


def train_lifter(
    network: TemporalLifter,
    draw_batch: DrawBatch,
    validation: CameraWindows | FeetValidation,
    out: Path,
    metadata: LifterMetadata,
    *,
    title: str,
    settings: str,
    steps: int,
    learning_rate: float,
    average: float,
    seed: int,
    save_every: int,
    resume: bool,
    epoch_decay: tuple[float, int] | None = None,
    processes: Processes | None = None,
) -> LifterCheckpoint:
    """Train with Adam, a falling learning rate, and a running average of the weights.

    Writes `out`/state.pt, `out`/lifter.pt and a TensorBoard log during training.

    Args:
        network: Network to train, on its device.
        draw_batch: Draws the training data.
        validation: Windows on which the averaged network's error is reported. With a `FeetValidation`, the network is
            one that tells more, and learns all of it (`feet_loss`).
        out: Folder; made if missing.
        metadata: Metadata of the result, with its normalisation.
        title: Title of the progress bar.
        settings: Identifies the run. A saved state with other settings is refused.
        steps: Optimiser steps.
        learning_rate: Learning rate at the start; it falls along a half cosine.
        average: Decay of the running average; the average is the result.
        seed: Seed of the batches. If the caller also seeds torch before it makes the network, the same seed gives the
            same run.
        save_every: Steps between saved states.
        resume: Go on from `out`/state.pt.
        epoch_decay: In place of the half cosine: what the learning rate is multiplied by after each epoch, and steps in
            an epoch, as in VideoPose3D.
        processes: The processes that train; each is given the same arguments. None: this one alone.

    Raises:
        BadModelFile: the state to resume from is missing, damaged or has other settings.
        BadOutput: the folder can't be written to.
        Diverged: loss or weights are not finite.
    """
    device = next(network.parameters()).device
    generator = torch.Generator().manual_seed(seed)
    processes = processes or Processes()
    running_average = partial(AveragedModel, multi_avg_fn=get_ema_multi_avg_fn(average), use_buffers=True)
    training = AveragedTraining(network, processes, running_average, learning_rate, steps, epoch_decay=epoch_decay)
    if processes.first:
        out.mkdir(parents=True, exist_ok=True)
    state = out / "state.pt"
    start = load_state(state, training.parts, generator, settings) if resume else 0
    averaged = training.average.module
    assert isinstance(averaged, TemporalLifter)

    checkpoint: LifterCheckpoint | None = None

    def result() -> LifterCheckpoint:
        told = validation.calibrated(averaged) if isinstance(validation, FeetValidation) else averaged
        return LifterCheckpoint(told, metadata)

    with training_progress(title, steps, start, out / "tensorboard", shown=processes.first) as progress:
        for step in range(start + 1, steps + 1):
            keypoints, target = draw_batch(generator)
            network.train()
            if isinstance(target, FeetTarget):
                loss = feet_loss(network.outputs(keypoints.to(device)), target.to(device))
            else:
                seen = normalised(processes.share(keypoints), metadata.normalisation).to(device)
                with processes.autocast(device):
                    lifted = training.spread(seen)
                loss = mpjpe(lifted.float(), processes.share(target).to(device))
            values = {"loss_mm": training.descend(loss, partial(drop_rounding, network, keypoints)) * 1000}
            require_finite(step, values)
            if step % save_every == 0 or step == steps:
                require_finite(step, values, (network, averaged))
            if processes.first and (step % save_every == 0 or step == steps):
                checkpoint = result()
                values |= (
                    validation.errors(checkpoint.network)
                    if isinstance(validation, FeetValidation)
                    else source_errors_mm(averaged, validation, metadata.normalisation)
                )
                save_state(state, training.parts, generator, step, settings)
                checkpoint.save(out / "lifter.pt")
            progress.update(step, values)
    return checkpoint or result()


def drop_rounding(network: TemporalLifter, keypoints: Tensor) -> None:
    """Zero the gradient of weights whose input is the same in the whole batch: of joints that are seen in all of it.

    Batch normalisation takes out what such an input adds. So its gradient is nothing but rounding, of which Adam's
    first steps would make whole steps: in other directions with another number of processes or another processor.

    Args:
        network: A lifter in training, after a backward pass.
        keypoints: (B, T, J, 2 or 3) its whole batch; with the last channel, whether each joint is seen.
    """
    if keypoints.shape[-1] != 3:
        return
    width, joints = network.filter_widths[0], network.joints
    seen = keypoints[..., 2].unflatten(1, (-1, width)).flatten(0, 1)
    slope = network.expand.linear.weight.grad
    if slope is None:  # the layer does not learn
        return
    of_seen = slope.unflatten(1, (width, network.features.count))[..., 2 * joints : 3 * joints]
    of_seen.masked_fill_((seen == seen[0]).all(0).to(slope.device), 0.0)
