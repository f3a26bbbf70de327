"""Settings of `adaptpose-train pretrain`. No heavy import here: `--help` must answer at once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from training.settings.adapt import MaybePath

TrainingPrecision = Literal["32-true", "bf16-mixed"]


@dataclass(frozen=True)
class Pretrain:
    """Train a lifter from scratch on source motion seen through widely varied cameras."""

    source: Path
    """Motion file or folder: npz of joint positions in metres (z up), BVH, or AMC with ASF (CMU's)."""
    out: Path = Path("runs/pretrain")
    """Run folder; lifter.pt, state.pt (to resume), config.json and tensorboard/ go into it."""
    feet: MaybePath = None
    """File of the source's feet: an .npz with ball and tip of both feet for each clip. Trains a lifter of 20 joints
    that also tells how sure it is, which way is up, and which feet stand, grown from --grow-from."""
    feet_width: int = 256
    """With --feet: width of the part that places feet by the keypoints of the middle frames; 0: none."""
    only_feet: bool = False
    """With --feet: only that part, and what is told beside the joints, learns; the body's joints stay as they are."""
    exclude: tuple[str, ...] = ()
    """People to leave out: clips whose name starts with one of these and an underscore."""
    steps: int = 40_000
    """Optimiser steps."""
    batch: int = 256
    """Windows per step."""
    channels: int = 256
    """Width of the network."""
    filter_widths: tuple[int, ...] = (3, 3, 3)
    """Frames per convolution: odd numbers. Their product is the receptive field (1 1 1: a lifter of single frames)."""
    grow_from: MaybePath = None
    """Trained lifter to begin from: a checkpoint (.pt), or a shipped one: fast, base, feet. It is grown to the width
    and length given here. If not given: random weights."""
    normalisation: Literal["screen", "root-centred"] = "screen"
    """How the lifter's keypoints are normalised. Use root-centred for footage that is cropped around the person."""
    view: Literal["person", "picture"] = "person"
    """What the lifter sees of a frame. `person`: the pose, with place and size as separate numbers. `picture`:
    keypoints in image coordinates, as in the paper."""
    shortest_lookahead: int = 0
    """Shortest look-ahead that the lifter learns, in frames. Each window draws one from this to the full look-ahead."""
    hidden: float = 0.3
    """Share of windows with hidden joints. At 0 the lifter takes no keypoints with missing joints."""
    limb_exchange: float = 1.0
    """Limb swap: share of windows that get limbs of other people."""
    learning_rate: float = 1e-3
    """Learning rate of Adam; falls to zero along a half cosine."""
    dropout: float = 0.1
    """Dropout of the lifter in training."""
    body_size: float = 0.06
    """Standard deviation of people's relative size."""
    bone_length: float = 0.06
    """Standard deviation of the relative length of each group of bones."""
    noise: float = 0.03
    """Largest standard deviation of keypoint noise, in units of the person's extent in the image."""
    time_step: tuple[float, float] = (0.6, 2.0)
    """Range of the speed at which clips are played, relative to their own speed."""
    average: float = 0.9995
    """Decay of the running average of the weights; the average is what is saved."""
    seed: int = 0
    """Seed of all randomness. The same seed gives the same run."""
    device: str = "cpu"
    """Device to compute on: cpu, cuda, cuda:N or auto."""
    devices: int = 1
    """Processes on each machine, one per GPU (or CPU process); each takes an equal share of the batch. The same seed
    gives the same losses with any number of them."""
    num_nodes: int = 1
    """Machines. Start the same command on each, with MASTER_ADDR, MASTER_PORT and NODE_RANK set, or under Slurm."""
    precision: TrainingPrecision = "32-true"
    """`bf16-mixed`: matrix products in bfloat16. `32-true`: all in float32."""
    threads: int = 0
    """CPU threads; with 0, torch decides."""
    save_every: int = 1000
    """Steps between saved states."""
    resume: bool = False
    """Go on from `out`/state.pt."""
    name: str = ""
    """Name of the lifter in its metadata."""
