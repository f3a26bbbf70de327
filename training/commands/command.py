"""`adaptpose-train` adapts a lifter. Its `pretrain` and `motion-model` train what adaptation starts from."""

from __future__ import annotations

import dataclasses
import os
import sys

import tyro

from sdk.commands.command_line import SOME_FAILED, require_packages, run_command
from sdk.workers.running import WorkerSettings, check_device, check_workers
from training.settings.adapt import Adapt
from training.settings.adapt_options import AdaptOptions, one_run, several_runs, worker_settings
from training.settings.motion_model import TrainMotionModel
from training.settings.pretrain import Pretrain

_ADAPTING = ("torch", "roma", "lightning_fabric", "tensorboard", "plotly", "onnx", "onnxscript")
_PRETRAINING = ("torch", "roma", "lightning_fabric", "tensorboard")


def adapt_command(options: AdaptOptions) -> None:
    """Adapt once or several times, and print where the files are."""
    require_packages(*_ADAPTING, extra="train", purpose="adaptpose-train")
    config, workers = one_run(options), worker_settings(options)
    check_workers(workers)
    check_device(options.device, workers)
    if config is None:
        _adapt_several(options)
    else:
        _adapt_once(config, workers)


def _adapt_several(options: AdaptOptions) -> None:
    """Adapt to each target with each seed; exit with 1 if one failed."""
    from training.commands.adapt_many import adapt_many

    outcomes = adapt_many(several_runs(options), worker_settings(options))
    for one in outcomes:
        if one.result is None:
            print(f"failed    {one.name}: {one.error}")
            if one.trace:
                print(one.trace, file=sys.stderr)
    print(f"{sum(one.result is not None for one in outcomes)} of {len(outcomes)} adaptations are finished.")
    if any(one.result is None for one in outcomes):
        sys.exit(SOME_FAILED)


def _adapt_once(config: Adapt, workers: WorkerSettings) -> None:
    from training.commands.adapt import adapt
    from training.commands.continuing import lines
    from training.runs.processes import is_first_process

    # --threads are those of the training; each of several detecting workers has one.
    adapted = adapt(config, dataclasses.replace(workers, threads=None))
    if not is_first_process():
        return
    run = adapted.folder
    for one in adapted.target.skipped:
        print(f"skipped   {one.name}: {one.reason}")
    for one in adapted.source.skipped:
        print(f"skipped   {one.name} (source): {one.reason}")
    for note in adapted.target.notes:
        print(f"note      {note}")
    if not adapted.helped:
        print(f"note      adaptation did not help: the lifter is the one the run started from. Why: {run.report}")
    if adapted.earlier:
        print(f"continued {adapted.earlier.run.path}   (adapted to {adapted.earlier.names})")
        for line in lines(adapted.measured):
            print(f"measured  {line}")
    print(f"lifter    {run.onnx}   (from sdk import Lifter; Lifter({str(run.path)!r}))")
    print(f"weights   {run.checkpoint}")
    print(f"report    {run.report}")
    print(f"next      adaptpose-export {run.path} --trt    adaptpose-live VIDEO --model {run.path}")


def pretrain_command(config: Pretrain) -> None:
    """Train, and print where the checkpoint is."""
    require_packages(*_PRETRAINING, extra="train", purpose="adaptpose-train pretrain")

    from training.commands.pretrain import pretrain
    from training.runs.processes import is_first_process

    pretrain(config)
    if is_first_process():
        print(f"weights   {config.out / 'lifter.pt'}")


def motion_model_command(config: TrainMotionModel) -> None:
    """Train, and print where the model is."""
    require_packages(*_PRETRAINING, extra="train", purpose="adaptpose-train motion-model")

    from training.commands.motion_model import train_motion_model
    from training.runs.processes import is_first_process

    train_motion_model(config)
    if is_first_process():
        print(f"model     {config.out / 'motion.pt'}")
        if config.feet is not None:
            print(f"feet      {config.out / 'feet_of_motion.pt'}")


def main() -> None:
    """Console script."""
    # Waiting threads must sleep. By default they spin: beside one other busy program on two cores, a step of adaptation
    # took more than ten times as long (2.6 s against 0.19 s). OpenMP reads this when torch is loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    run_command(lambda: _run(sys.argv[1:]))


def _run(arguments: list[str]) -> None:
    if arguments[:1] == ["pretrain"]:
        pretrain_command(tyro.cli(Pretrain, prog="adaptpose-train pretrain", args=arguments[1:]))
    elif arguments[:1] == ["motion-model"]:
        motion_model_command(tyro.cli(TrainMotionModel, prog="adaptpose-train motion-model", args=arguments[1:]))
    else:
        adaptation = tyro.cli(
            AdaptOptions,
            prog="adaptpose-train",
            args=arguments,
            description=f"{Adapt.__doc__}\n\nA first lifter is trained with: adaptpose-train pretrain --help"
            "\nA model of source motion: adaptpose-train motion-model --help",
        )
        adapt_command(adaptation)


if __name__ == "__main__":
    main()
