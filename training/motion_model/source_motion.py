"""The source motion of a run: from the motion model, from real clips, or both. A part is held out."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from sdk.files.skipped import Skipped
from training.motion.clip_selection import split_clips
from training.motion.drawn_feet import with_drawn_feet
from training.motion.motion_clip import SOURCE_FRAME_RATE_HZ, MotionClip
from training.motion.motion_units import UpAxis
from training.motion.readers.motion import MotionLibrary, read_motion
from training.motion.readers.pybullet.humanoid_clips import load_humanoid_clips
from training.motion.source_windows import SourceWindows
from training.motion_model.model_file import SHIPPED_MOTION_MODEL, load_motion_model
from training.motion_model.motion_model import MotionModel
from training.settings.adapt import MODEL, PYBULLET

DrawWindows = Callable[[int, torch.Generator], Tensor]
"""Draws so many windows of motion, (B, T, 16, 3) metres, z up."""


MODEL_CLIPS, MODEL_CLIP_S = 1800, 4.0
"""Clips and seconds per clip that a run draws from the model: two hours of motion. It takes seconds. Windows are cut
out of them."""
ANCHOR_CLIPS = 240
"""Clips of the model where the source is not the model: 16 minutes of motion that the lifter must not forget."""
_HELD_OUT_CLIPS = 64
_HELD_OUT_SEED = 20_220_619
"""Seed of the model's held-out motion: the same for all runs, so that their errors can be compared."""


@dataclass(frozen=True)
class SourceMotion:
    """Source motion for training, and what is held out of it.

    Attributes:
        training: Groups of clips. All groups are drawn from equally often, so that a minute of the user's own motion
            counts as much as hours of the model's.
        held_out: Real clips that are held out; empty if the source is the model alone.
        skipped: Files and clips that could not be used.
        notes: What was decided while reading.
    """

    training: tuple[tuple[MotionClip, ...], ...]
    held_out: tuple[MotionClip, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    notes: tuple[str, ...] = ()

    def windows(self, frames: int, time_step_s: tuple[float, float]) -> DrawWindows:
        """A function that draws (B, frames, 16, 3) windows of the training clips; see `SourceWindows`."""
        groups = [SourceWindows(clips, frames, time_step_s) for clips in self.training]

        def sample(count: int, generator: torch.Generator) -> Tensor:
            if len(groups) == 1:
                return groups[0].sample(count, generator)
            counts = torch.bincount(torch.randint(len(groups), (count,), generator=generator), minlength=len(groups))
            drawn = [group.sample(int(n), generator) for group, n in zip(groups, counts, strict=True)]
            return torch.cat(drawn)[torch.randperm(count, generator=generator)]

        return sample

    def with_feet(self, seed: int) -> SourceMotion:
        """The same of 20 joints: motion without feet gets drawn ones (`training/motion/drawn_feet.py`)."""
        return dataclasses.replace(
            self,
            training=tuple(with_drawn_feet(clips, seed) for clips in self.training),
            held_out=with_drawn_feet(self.held_out, seed),
        )


def read_source(
    sources: Sequence[str], seed: int, *, source_up: UpAxis | None = None, source_fps: float | None = None
) -> SourceMotion:
    """Read or draw source motion.

    Args:
        sources: Words of `SOURCE_WORDS`, files and folders of real motion.
        seed: Seed of the model's motion.
        source_up: Axis that points up in the files; see `read_motion`.
        source_fps: Frame rate of files that do not state it; see `read_motion`.

    Raises:
        BadMotion: a source has no motion that can be used.
        BadModelFile: the motion model's file is damaged.
        BadDownload: pybullet's clips are not installed and can't be downloaded.
        MissingDependency: the package that a file needs is not installed.
    """
    training: list[tuple[MotionClip, ...]] = []
    held_out: list[MotionClip] = []
    skipped: list[Skipped] = []
    notes: list[str] = []
    for source in dict.fromkeys(sources):
        if source == MODEL:
            training.append(tuple(model_clips(load_motion_model(SHIPPED_MOTION_MODEL), seed, MODEL_CLIPS)))
            continue
        library = (
            MotionLibrary(tuple(load_humanoid_clips()), (), ())
            if source == PYBULLET
            else read_motion(Path(source), source_up=source_up, source_fps=source_fps)
        )
        learned, kept = split_clips(library.clips)
        training.append(tuple(learned))
        held_out += kept
        skipped += library.skipped
        notes += library.notes
    return SourceMotion(tuple(training), tuple(held_out), tuple(skipped), tuple(notes))


def anchor_motion(seed: int) -> SourceMotion:
    """Motion of the model that keeps a lifter from forgetting what the source does not contain.

    Raises:
        BadModelFile: the motion model's file is damaged.
    """
    return SourceMotion((tuple(model_clips(load_motion_model(SHIPPED_MOTION_MODEL), seed, ANCHOR_CLIPS)),))


def model_clips(model: MotionModel, seed: int, count: int) -> list[MotionClip]:
    """Clips of `MODEL_CLIP_S` seconds at `SOURCE_FRAME_RATE_HZ`, each with another body."""
    frames = round(MODEL_CLIP_S * SOURCE_FRAME_RATE_HZ) + 1
    drawn = model.sample(count, frames, SOURCE_FRAME_RATE_HZ, torch.Generator().manual_seed(seed))
    return [MotionClip(f"model_{i}", joints, SOURCE_FRAME_RATE_HZ) for i, joints in enumerate(drawn.numpy())]


def held_out_model_clips() -> list[MotionClip]:
    """Held-out motion of the shipped model. It has a seed of its own and is the same for all runs.

    Raises:
        BadModelFile: the model's file is damaged.
    """
    return model_clips(load_motion_model(SHIPPED_MOTION_MODEL), _HELD_OUT_SEED, _HELD_OUT_CLIPS)
