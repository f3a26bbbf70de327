"""Settings of `adaptpose-train motion-model`. No heavy import here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

FEATURES = 43
"""Numbers of a pose (training/motion_model/pose_features.py): 13 unit vectors, heading, position of the pelvis."""


@dataclass(frozen=True)
class TrainMotionModel:
    """Train a generative model of human motion on real motion."""

    source: Path
    """Motion file or folder: npz of joint positions in metres (z up), BVH, or AMC with ASF (CMU's)."""
    out: Path = Path("runs/motion-model")
    """Run folder; holds state.pt (to resume) and motion.pt."""
    exclude: tuple[str, ...] = ()
    """People to leave out: clips whose name starts with one of these and an underscore."""
    steps: int = 12_000
    """Optimiser steps."""
    batch: int = 256
    """Segments a step."""
    points: int = 16
    """Poses in a segment of motion, a tenth of a second apart."""
    beginning: int = 5
    """How many of them the next segment is told of, to go on from."""
    components: int = 320
    """Numbers that a segment is made of."""
    starts: int = 1536
    """Beginnings of real motion that motions start from."""
    start_components: int = 64
    """Numbers that each of them is kept as."""
    width: int = 384
    """Of the network."""
    blocks: int = 3
    """Of the network."""
    dropout: float = 0.05
    """Of the network while it trains."""
    stretch: tuple[float, float] = (0.75, 1.3)
    """Range of the factor that motion is stretched by in time."""
    exchanged: float = 0.25
    """Share of segments with arms or upper bodies of other segments."""
    learning_rate: float = 1.5e-3
    """Of Adam; falls to zero along a half cosine."""
    average: float = 0.999
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
    """What the model's metadata says it is."""
