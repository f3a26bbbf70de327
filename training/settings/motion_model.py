"""Settings of `adaptpose-train motion-model`. No heavy import here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from training.settings.adapt import MaybePath
from training.settings.pretrain import TrainingPrecision

FEATURES = 43
"""Numbers per pose (training/motion_model/pose_features.py): 13 unit vectors, heading, position of the pelvis."""


@dataclass(frozen=True)
class TrainMotionModel:
    """Train a generative model of human motion on real motion."""

    source: Path
    """Motion file or folder: npz of joint positions in metres (z up), BVH, or AMC with ASF (CMU's)."""
    out: Path = Path("runs/motion-model")
    """Run folder; motion.pt, state.pt (to resume), config.json and tensorboard/ go into it."""
    exclude: tuple[str, ...] = ()
    """People to leave out: clips whose name starts with one of these and an underscore."""
    feet: MaybePath = None
    """File of the source's feet: an .npz with ball and tip of both feet for each clip. From them the command also
    learns the feet that motion without feet gets, and writes feet_of_motion.pt."""
    steps: int = 12_000
    """Optimiser steps."""
    batch: int = 256
    """Segments per step."""
    points: int = 16
    """Poses in a segment of motion. They are a tenth of a second apart."""
    beginning: int = 5
    """Last poses of a segment that the next segment gets, to go on from."""
    components: int = 320
    """Numbers that describe a segment (principal components)."""
    starts: int = 1536
    """Beginnings of real motion that are kept. Each new motion starts from one of them."""
    start_components: int = 64
    """Numbers that describe each kept beginning."""
    width: int = 384
    """Width of the network."""
    blocks: int = 3
    """Residual blocks of the network."""
    dropout: float = 0.05
    """Dropout of the network in training."""
    stretch: tuple[float, float] = (0.75, 1.3)
    """Range of the factor by which motion is stretched in time."""
    exchanged: float = 0.25
    """Limb swap: share of segments that get arms or the upper body of another segment."""
    learning_rate: float = 1.5e-3
    """Learning rate of Adam; falls to zero along a half cosine."""
    average: float = 0.999
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
    precision: TrainingPrecision = "bf16-mixed"
    """`bf16-mixed`: matrix products in bfloat16. `32-true`: all in float32."""
    threads: int = 0
    """CPU threads; with 0, torch decides."""
    save_every: int = 1000
    """Steps between saved states."""
    resume: bool = False
    """Go on from `out`/state.pt."""
    name: str = ""
    """Name of the model in its metadata."""
