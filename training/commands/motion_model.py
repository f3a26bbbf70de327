"""`adaptpose-train motion-model`: trains a motion model on real motion. Read it top to bottom."""

from __future__ import annotations

import copy
import dataclasses
import json
import math
from functools import partial

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from sdk.files.output_files import check_output_folder
from training.commands.run_inputs import source_inputs
from training.motion.clip_selection import without_people
from training.motion.drawn_feet import SHIPPED_FEET, fit_feet, save_feet
from training.motion.feet import with_feet
from training.motion.readers.motion import load_motion
from training.motion_model.bodies import body_statistics
from training.motion_model.model_file import save_motion_model
from training.motion_model.motion_model import MotionModel, SegmentShape
from training.motion_model.segments import MotionSegments
from training.runs.averaged_training import AveragedTraining
from training.runs.device import open_device
from training.runs.network_weights import averaged
from training.runs.processes import Processes
from training.runs.progress import training_progress
from training.runs.resuming import INPUTS, load_state, require_finite, resumable, save_state
from training.runs.run_folder import RunExists, RunFolder, claim_folder
from training.settings.motion_model import TrainMotionModel
from training.settings.settings_check import check_motion_model

_BEGINNING_NOISE = 0.04
"""Standard deviation of the noise on given beginnings, in their units. In use, the network goes on from its own output,
which has errors."""
_FINE = 0.5
"""A component's error is weighted with its standard deviation to this power. With 2, errors would count in millimetres,
and small components (fast motion) would stay noise."""


def flow_matching_loss(
    model: MotionModel,
    numbers: Tensor,
    beginning: Tensor,
    generator: torch.Generator,
    *,
    network: nn.Module | None = None,
    processes: Processes | None = None,
) -> Tensor:
    """Squared error of the velocity on the straight path from noise to motion (Lipman et al., eq. 23, without spread).

    Args:
        model: The model, in training mode.
        numbers: (B, components) of real segments.
        beginning: (B, known) beginnings of these segments.
        generator: Source of randomness, on the CPU.
        network: The model's network as `Processes.setup` gives it back.
        processes: The processes that train: the loss is that of this one's rows.
    """
    batch, share = len(numbers), (processes or Processes()).share
    noise = torch.randn(numbers.shape, generator=generator).to(numbers)
    time = torch.rand(batch, generator=generator).to(numbers)
    inexact = beginning + _BEGINNING_NOISE * torch.randn(beginning.shape, generator=generator).to(beginning)
    mixed = torch.lerp(noise, numbers, time[:, None])
    error = (network or model.network)(share(mixed), share(time), share(inexact)) - share(numbers - noise)
    weight = model.basis.deviation**_FINE
    return (error.square() * weight / weight.mean()).mean()


_FITTED_ON = 20_000
"""Number of segments from which the components are computed."""
_DRAWN_AT_ONCE = 4096


def train_motion_model(config: TrainMotionModel) -> MotionModel:
    """Train a model and save it as `out`/motion.pt.

    Returns:
        The model with averaged weights.

    Raises:
        RunExists: `out` holds a training already, and `resume` is not set.
        BadMotion: no usable source motion.
        BadSetting, DeviceUnavailable, UnknownDevice, BadModelFile, BadOutput, Diverged: as named.
    """
    check_motion_model(config)
    state, result = config.out / "state.pt", config.out / "motion.pt"
    if not config.resume and (state.exists() or result.exists() or RunFolder(config.out).config.exists()):
        raise RunExists(f"{config.out} holds an earlier training. Go on with --resume, or name another folder.")
    check_output_folder(config.out)
    fabric = open_device(config.device, config.threads, devices=config.devices, num_nodes=config.num_nodes)
    clips = without_people(load_motion(config.source), config.exclude)
    shape = SegmentShape(config.points, config.beginning, config.components, config.starts, config.start_components)
    segments = MotionSegments(clips, shape.points, config.stretch)
    fabric.launch()  # only now: what is wrong with the settings is then said once
    processes, device = Processes(fabric, config.precision), fabric.device

    # 1. The feet of motion without feet; then the components of segments.
    feet = None if config.feet is None else fit_feet(with_feet(clips, config.feet.expanduser()), config.seed)
    torch.manual_seed(config.seed)
    random = torch.Generator().manual_seed(config.seed)
    model = MotionModel(shape, body_statistics(clips), width=config.width, blocks=config.blocks, dropout=config.dropout)
    fitted_on = math.ceil(max(_FITTED_ON, 4 * shape.components) / _DRAWN_AT_ONCE)
    parts = [segments.draw(_DRAWN_AT_ONCE, random, exchanged=config.exchanged) for _ in range(fitted_on)]
    model.fit(torch.cat(parts), segments.draw(shape.starts, torch.Generator().manual_seed(config.seed), mirror=False))
    model.to(device)

    # 2. The flow from noise to segments.
    network = model.network
    running_average = partial(averaged, decay=config.average)
    training = AveragedTraining(network, processes, running_average, config.learning_rate, config.steps, fused=True)
    identity = json.dumps(
        dataclasses.asdict(config)
        | {"source": config.source.expanduser().absolute(), "out": None}
        | {"resume": None, "device": None, "threads": None, "save_every": None, "devices": None, "num_nodes": None}
        | {"precision": None if config.precision == TrainMotionModel.precision else config.precision}
        | {INPUTS: source_inputs(config.source)},
        default=str,
    )
    resume = config.resume and state.exists()
    if not resume:
        processes.first_does(partial(claim_folder, config.out, "motion-model", config))
    if feet is not None and processes.first:
        save_feet(feet, config.out / SHIPPED_FEET.name)
    done = load_state(state, training.parts, random, identity) if resume else 0
    name = config.name or f"motion of {len(clips)} clips, seed {config.seed}"
    way_on = f"A state is saved every {config.save_every} steps: go on with the same command and --resume."
    with (
        resumable(way_on),
        training_progress(
            "motion model", config.steps, done, config.out / "tensorboard", shown=processes.first
        ) as progress,
    ):
        for step in range(done + 1, config.steps + 1):
            drawn = segments.draw(config.batch, random, exchanged=config.exchanged).to(device)
            network.train()
            # Matrix products in bfloat16 are three times as fast if the processor supports them.
            with processes.autocast(device):
                loss = flow_matching_loss(
                    model,
                    model.basis.encode(drawn),
                    model.beginning(drawn),
                    random,
                    network=training.spread,
                    processes=processes,
                )
            values = {"loss": training.descend(loss)}
            require_finite(step, values)
            progress.update(step, values)
            if step % config.save_every == 0 or step == config.steps:
                require_finite(step, values, (network,))
            if processes.first and (step % config.save_every == 0 or step == config.steps):
                save_state(state, training.parts, random, step, identity)
                save_motion_model(_with_average(model, training.average), result, name=name)
    trained = _with_average(model, training.average)
    if processes.first:
        save_motion_model(trained, result, name=name)  # also after resuming a finished training
    return trained


def _with_average(model: MotionModel, average: AveragedModel) -> MotionModel:
    """The model on the CPU, with the averaged network, to sample from."""
    result = copy.deepcopy(model).cpu()
    result.network.load_state_dict({name: value.cpu() for name, value in average.module.state_dict().items()})
    return result.eval()
