"""`adaptpose-train`: adapt a lifter to videos; `adaptpose-train pretrain`: train a first one."""

from __future__ import annotations

import sys

import tyro

from sdk.command_line import run_command
from training.config import Adapt, Pretrain


def adapt_command(config: Adapt) -> None:
    """Adapt and say where everything is."""
    from training.adapt import adapt

    adapted = adapt(config)
    run = adapted.folder
    for one in adapted.target.skipped:
        print(f"skipped   {one.name}: {one.reason}")
    for one in adapted.source.skipped:
        print(f"skipped   {one.name} (source): {one.reason}")
    for note in adapted.target.notes:
        print(f"note      {note}")
    if not adapted.helped:
        print(f"note      adaptation did not help: the lifter is the one the run started from. Why: {run.report}")
    print(f"lifter    {run.onnx}   (from sdk import Lifter; Lifter({str(run.path)!r}))")
    print(f"weights   {run.checkpoint}")
    print(f"report    {run.report}")
    print(f"next      adaptpose-export {run.path} --trt    adaptpose-live VIDEO --model {run.path}")


def pretrain_command(config: Pretrain) -> None:
    """Train and say where the checkpoint is."""
    from training.pretrain import pretrain

    pretrain(config)
    print(f"weights   {config.out / 'lifter.pt'}")


def main() -> None:
    """Console script."""
    arguments = sys.argv[1:]
    if arguments[:1] == ["pretrain"]:
        config = tyro.cli(Pretrain, prog="adaptpose-train pretrain", args=arguments[1:])
        run_command(lambda: pretrain_command(config))
    else:
        adaptation = tyro.cli(
            Adapt,
            prog="adaptpose-train",
            args=arguments,
            description=f"{Adapt.__doc__}\n\nA first lifter is trained with: adaptpose-train pretrain --help",
        )
        run_command(lambda: adapt_command(adaptation))


if __name__ == "__main__":
    main()
