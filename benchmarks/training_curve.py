"""Writes the TensorBoard log of a training as one small table, and draws the curves of several trainings.

    python benchmarks/training_curve.py runs/fast runs/base --out training/weights --picture curves.png

It writes OUT/NAME.csv for each run folder NAME. At each saved state, it has the mean training loss since the last one,
and the error of the averaged network on held-out clips.
"""

from __future__ import annotations

import csv
import sys
from dataclasses import dataclass
from pathlib import Path

import matplotlib

matplotlib.use("Agg")  # no display needed
import matplotlib.pyplot as plt
import numpy as np
import tyro

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # a script sees its own folder only
from sdk.commands.command_line import run_command
from sdk.errors import BadModelFile

HEADER = ("step", "loss_mm", "validation_mpjpe_mm", "validation_pa_mpjpe_mm")
_TAGS = ("validation/mpjpe_mm", "validation/pa_mpjpe_mm")


@dataclass(frozen=True)
class TrainingCurve:
    """Tables and an image of finished trainings."""

    runs: tyro.conf.Positional[tuple[Path, ...]]
    """Run folders of adaptpose-train pretrain."""
    out: Path
    """Folder of the tables."""
    picture: Path
    """Image file for the curves (.png)."""


def read_run(run: Path) -> np.ndarray:
    """(N, 4): columns as in HEADER, one row per saved state.

    Raises:
        BadModelFile: the folder has no log of a lifter's training.
    """
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    folder = run / "tensorboard"
    log = EventAccumulator(str(folder), size_guidance={"scalars": 0})
    if not folder.is_dir() or not {"loss_mm", *_TAGS} <= set(log.Reload().Tags()["scalars"]):
        raise BadModelFile(f"{run} holds no TensorBoard log of adaptpose-train pretrain.")
    losses = np.array([(event.step, event.value) for event in log.Scalars("loss_mm")])
    errors = [{event.step: event.value for event in log.Scalars(tag)} for tag in _TAGS]
    rows, before = [], 0
    for step in sorted(errors[0]):
        since = (losses[:, 0] > before) & (losses[:, 0] <= step)
        rows.append((step, losses[since, 1].mean(), *(values[step] for values in errors)))
        before = step
    return np.array(rows)


def main() -> None:
    """Read, write and draw."""
    settings = tyro.cli(TrainingCurve, description=__doc__)

    def run() -> None:
        settings.out.mkdir(parents=True, exist_ok=True)
        highest = 0.0
        figure, axes = plt.subplots(figsize=(6, 3.5), layout="constrained")
        for folder in settings.runs:
            rows = read_run(folder)
            highest = max(highest, 2 * rows[-1, 1:].max())  # earlier values are far above
            path = settings.out / f"{folder.name}.csv"
            with path.open("w", newline="", encoding="utf-8") as file:
                writer = csv.writer(file)
                writer.writerow(HEADER)
                writer.writerows([int(step), *(f"{value:.2f}" for value in values)] for step, *values in rows)
            (line,) = axes.plot(rows[:, 0], rows[:, 2], label=f"{folder.name}, held-out clips")
            axes.plot(rows[:, 0], rows[:, 1], ":", color=line.get_color(), label=f"{folder.name}, training")
            print(f"{path}: {len(rows)} rows, the last one {rows[-1, 2]:.1f} mm after {int(rows[-1, 0])} steps")
        axes.set(xlabel="step", ylabel="MPJPE, mm", ylim=(0, highest))
        axes.grid(alpha=0.3)
        axes.legend()
        figure.savefig(settings.picture, dpi=110)

    run_command(run)


if __name__ == "__main__":
    main()
