"""Settings of `adaptpose-reproduce`, and the sizes of its runs. No heavy import here: `--help` must answer at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import tyro

from training.settings.adapt import MaybePath, MaybeText

TableNumber = Literal[1, 2, 3, 4, 5, 6, 7, 8, 9]
FigureNumber = Literal[4, 5, 6, 7, 10]
RecipeName = Literal["paper", "default"]
ALL_TABLES: tuple[TableNumber, ...] = (1, 2, 3, 4, 5, 6, 7, 8, 9)
ALL_FIGURES: tuple[FigureNumber, ...] = (4, 5, 6, 7, 10)


@dataclass(frozen=True)
class Reproduce:
    """Run the experiments of the AdaptPose paper on your copies of its data sets, and write its tables and figures.

    Tables have the paper's layout, with the paper's own number beside ours, and the protocol of each. What was measured
    is kept: the same command goes on where it was stopped. Before anything runs, some steps are timed and the cost is
    printed.
    """

    table: tuple[TableNumber, ...] = ()
    """Numbers of the paper's tables. Neither tables nor figures named: all of them."""
    figure: tuple[FigureNumber, ...] = ()
    """Numbers of the paper's figures."""
    data: Annotated[tuple[Path, ...], tyro.conf.arg(metavar="DATA ...")] = ()
    """Prepared data sets (adaptpose-data prepare), or folders that hold them: Human3.6M is the source of everything;
    table 1 needs it alone; 2 and 5 to 9 3DHP; 3 3DPW; 4 Ski-Pose."""
    detections: MaybePath = None
    """For table 9: folder of detected 2D keypoints, in any format that --target of adaptpose-train reads, one file for
    each sequence of 3DHP, named as the prepared sequence is (adaptpose-data show lists the names)."""
    detections_skeleton: MaybeText = None
    """Joint layout of detections that do not state it."""
    detections_from: Literal[0, 1] | None = None
    """Number of the first frame of a sequence in the detections, where they do not show it."""
    out: Path = Path("runs/reproduction")
    """Folder of all runs, tables and figures."""
    seeds: tuple[int, ...] = ()
    """Seeds of training and adaptation; tables have the mean over them. 0 1 2 if not given, in a rehearsal 0."""
    recipes: tuple[RecipeName, ...] = ("paper", "default")
    """Recipes in tables 1 to 4 and 9. Ablations (5 to 8) are of the paper's."""
    as_published: bool = False
    """Take the paper's network size (1,024 channels), numbers of steps and batch. Without: ours, which take hours on a
    CPU, not weeks."""
    rehearse: bool = False
    """Run everything on miniature data sets that the command draws itself, with tiny networks and a few steps: whether
    all works, not what comes out. Everything that is written says so."""
    estimate: bool = False
    """Only print what it costs."""
    estimate_steps: int | None = None
    """Steps of each kind of run to time for it, however long they take. Without: 10, but no more than fit into 20
    seconds."""
    device: str = "cpu"
    """Device to compute on: cpu, cuda, cuda:N or auto."""
    threads: int = 0
    """CPU threads; with 0, torch decides."""


@dataclass(frozen=True)
class Sizes:
    """How large the networks and how long the trainings of a reproduction are.

    Attributes:
        name: What it is called.
        channels: Width of the lifter.
        dropout: Its dropout.
        batch: Windows per step of training on the source.
        steps: Steps of training on the source; None: `epochs` times the source's poses over the batch.
        epochs: Epochs of training on the source.
        epoch_decay: What the learning rate is multiplied by after each epoch; None: it falls along half a cosine.
        average: Decay of the running average of the weights in that training.
        paper: Constants of the paper's recipe, its ablations and PoseAug's control that differ from `Method`.
        default: Likewise, of the default recipe.
        validation: Windows on which the training on the source is watched.
    """

    name: str
    channels: int
    dropout: float
    batch: int
    steps: int | None
    epochs: int = 50
    epoch_decay: float | None = None
    average: float = 0.999
    paper: Mapping[str, int | float] = field(default_factory=dict)
    default: Mapping[str, int | float] = field(default_factory=dict)
    validation: int = 4096

    def baseline_steps(self, source_poses: int) -> int:
        """Steps of training on the source."""
        return self.steps or self.epochs * self.epoch_steps(source_poses)

    def epoch_steps(self, source_poses: int) -> int:
        """Steps in an epoch of that training."""
        return max(1, source_poses // self.batch)


OURS = Sizes("ours", 256, 0.1, 256, 8000)
"""As in the project's benchmarks."""
AS_PUBLISHED = Sizes(
    "as published",
    1024,
    0.25,
    1024,
    None,
    epoch_decay=0.96,
    paper={
        "steps": 75_000,
        "batch": 1024,
        "learning_rate": 1e-4,
        "discriminator_learning_rate": 1e-4,
        "lifter_learning_rate": 1e-4,
    },
)
"""Batches of 1,024; adaptation in 50 epochs of 5 times 300 generator steps; all learning rates 1e-4. How long the
baseline was trained is not told: 50 epochs, as many as the adaptation's."""
REHEARSAL = Sizes(
    "rehearsal", 16, 0.1, 16, 8, paper={"steps": 8, "batch": 16}, default={"steps": 8, "batch": 16}, validation=32
)
"""To try every line, in seconds."""
