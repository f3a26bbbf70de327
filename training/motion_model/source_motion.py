"""The motion that a run learns from: the motion model's, real clips, or both; and what of it is held out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from training.files.skipped import Skipped
from training.motion.clip_selection import split_clips
from training.motion.motion_clip import SOURCE_FRAME_RATE_HZ, MotionClip
from training.motion.motion_units import UpAxis
from training.motion.readers.motion import MotionLibrary, read_motion
from training.motion.readers.pybullet.humanoid_clips import load_humanoid_clips
from training.motion.source_windows import SourceWindows
from training.motion_model.model_file import SHIPPED_MOTION_MODEL, load_motion_model
from training.motion_model.motion_model import MotionModel
from training.settings.adapt import MODEL, PYBULLET

DrawWindows = Callable[[int, torch.Generator], Tensor]
"""Draws that many windows of motion, (B, T, 16, 3) metres, z up."""


MODEL_CLIPS, MODEL_CLIP_S = 1800, 4.0
"""Two hours of the model's motion are drawn for a run, in seconds of processor time; windows are cut out of them."""
ANCHOR_CLIPS = 240
"""Of these, 16 minutes, where the source is not the model: what the lifter is not to forget."""
_HELD_OUT_CLIPS = 64
_HELD_OUT_SEED = 20_220_619
"""Of motions of the model that no run learns from: the same for all runs, so that their errors compare."""


@dataclass(frozen=True)
class SourceMotion:
    """What a run learns from.

    Attributes:
        training: Clips, in groups that are drawn from equally often: a minute of somebody's own beside hours of the
            model's.
        held_out: Real clips that are not; empty where the source is the model alone.
        skipped: Files and clips that could not be used.
        notes: What was decided while reading.
    """

    training: tuple[tuple[MotionClip, ...], ...]
    held_out: tuple[MotionClip, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    notes: tuple[str, ...] = ()

    def windows(self, frames: int, time_step_s: tuple[float, float]) -> DrawWindows:
        """What draws (B, frames, 16, 3) windows of the training clips; see `SourceWindows`."""
        groups = [SourceWindows(clips, frames, time_step_s) for clips in self.training]

        def sample(count: int, generator: torch.Generator) -> Tensor:
            if len(groups) == 1:
                return groups[0].sample(count, generator)
            counts = torch.bincount(torch.randint(len(groups), (count,), generator=generator), minlength=len(groups))
            drawn = [group.sample(int(n), generator) for group, n in zip(groups, counts, strict=True)]
            return torch.cat(drawn)[torch.randperm(count, generator=generator)]

        return sample


def read_source(
    sources: Sequence[str], seed: int, *, source_up: UpAxis | None = None, source_fps: float | None = None
) -> SourceMotion:
    """Read or draw source motion.

    Args:
        sources: `SOURCE_WORDS`, files and folders of real motion.
        seed: Of the model's motion.
        source_up: Axis that points up in the files; see `read_motion`.
        source_fps: Frame rate of files that do not say it; see `read_motion`.

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
    """The model's motion that keeps a lifter from forgetting whatever the source does not have.

    Raises:
        BadModelFile: the motion model's file is damaged.
    """
    return SourceMotion((tuple(model_clips(load_motion_model(SHIPPED_MOTION_MODEL), seed, ANCHOR_CLIPS)),))


def model_clips(model: MotionModel, seed: int, count: int) -> list[MotionClip]:
    """Clips of `MODEL_CLIP_S` seconds at `SOURCE_FRAME_RATE_HZ`, each by another body."""
    frames = round(MODEL_CLIP_S * SOURCE_FRAME_RATE_HZ) + 1
    drawn = model.sample(count, frames, SOURCE_FRAME_RATE_HZ, torch.Generator().manual_seed(seed))
    return [MotionClip(f"model_{i}", joints, SOURCE_FRAME_RATE_HZ) for i, joints in enumerate(drawn.numpy())]


def held_out_model_clips() -> list[MotionClip]:
    """Motions of the shipped model with a seed of their own: the same for all runs.

    Raises:
        BadModelFile: the model's file is damaged.
    """
    return model_clips(load_motion_model(SHIPPED_MOTION_MODEL), _HELD_OUT_SEED, _HELD_OUT_CLIPS)
