"""Settings of `adaptpose-train pretrain`. No heavy import here: `--help` must answer at once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from training.settings.adapt import MaybePath


@dataclass(frozen=True)
class Pretrain:
    """Train a lifter from scratch on source motion seen through widely varied cameras."""

    source: Path
    """Motion file or folder: npz of joint positions in metres (z up), BVH, or AMC with ASF (CMU's)."""
    out: Path = Path("runs/pretrain")
    """Run folder; holds state.pt (to resume) and lifter.pt."""
    exclude: tuple[str, ...] = ()
    """People to leave out: clips whose name starts with one of these and an underscore."""
    steps: int = 40_000
    """Optimiser steps."""
    batch: int = 256
    """Windows a step."""
    channels: int = 256
    """Width of the network."""
    filter_widths: tuple[int, ...] = (3, 3, 3)
    """Odd numbers of frames; their product is the receptive field (1 1 1 for a lifter of single frames)."""
    grow_from: MaybePath = None
    """Trained lifter (.pt) to begin from, made as wide and as long as told here; from random weights if not given."""
    normalisation: Literal["screen", "root-centred"] = "screen"
    """How the lifter takes keypoints; root-centred for footage that is cropped around the person."""
    view: Literal["person", "picture"] = "person"
    """What it is shown of a frame: the person apart from place and size, or coordinates in the picture (the paper)."""
    shortest_lookahead: int = 0
    """Frames of the future that it learns to do with; each window draws a number from this to all of them."""
    hidden: float = 0.3
    """Share of windows with joints that are not seen; at 0 it takes no keypoints with missing joints."""
    limb_exchange: float = 1.0
    """Share of windows with limbs of other people."""
    learning_rate: float = 1e-3
    """Of Adam; falls to zero along a half cosine."""
    dropout: float = 0.1
    """Of the lifter while it trains."""
    body_size: float = 0.06
    """Standard deviation of people's relative size."""
    bone_length: float = 0.06
    """Standard deviation of the relative length of each group of bones."""
    noise: float = 0.03
    """Largest standard deviation of keypoint noise, in units of the person's extent in the picture."""
    time_step: tuple[float, float] = (0.6, 2.0)
    """Range of the speed at which motion is played, relative to the clips' own."""
    average: float = 0.9995
    """Decay of the running average of the weights; the average is what is saved."""
    seed: int = 0
    """The same seed gives the same run."""
    device: str = "cpu"
    """cpu, cuda, cuda:N or auto."""
    threads: int = 0
    """CPU threads; 0 leaves it to torch."""
    save_every: int = 1000
    """Steps between saved states."""
    resume: bool = False
    """Go on from `out`/state.pt."""
    name: str = ""
    """What the lifter's metadata says it is."""
