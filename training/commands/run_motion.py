"""The motion of a run of `adaptpose-train` as cameras see it: to learn from, not to forget, and held out."""

from __future__ import annotations

import dataclasses

import torch

from sdk.lifting.model_metadata import LifterMetadata
from sdk.skeletons.skeleton import H36M20
from training.cameras.random_cameras import ANY_CAMERA, CameraWindows, FilmSource, film
from training.cameras.source_validation import validation_windows
from training.motion.body_variation import mirror_half, of_height
from training.motion.drawn_feet import with_drawn_feet
from training.motion.motion_clip import MotionClip
from training.motion_model.source_motion import DrawWindows, SourceMotion, anchor_motion, held_out_model_clips
from training.settings.adapt import MODEL, Adapt


def filmed_sources(
    config: Adapt, source: SourceMotion, metadata: LifterMetadata, speeds: tuple[float, float]
) -> tuple[FilmSource, FilmSource | None]:
    """Source motion seen through varied cameras, and the motion that must not be forgotten.

    The model's motion is always included: a lifter that sees only a few clips forgets all other motion.
    """
    frames, frame_time = metadata.receptive_field, 1 / metadata.frame_rate_hz
    time_step_s = speeds[0] * frame_time, speeds[1] * frame_time
    film_source = _filmed(source.windows(frames, time_step_s), config.height)
    if MODEL in config.source:
        return film_source, None
    kept = anchor_motion(config.seed)
    if metadata.skeleton == H36M20.name:
        kept = kept.with_feet(config.seed)
    return film_source, _filmed(kept.windows(frames, time_step_s), config.height)


def _filmed(draw: DrawWindows, height_m: float | None) -> FilmSource:
    """Windows seen by varied cameras, half of them mirrored. With `height_m`, all people have that height."""

    def film_source(count: int, random: torch.Generator) -> CameraWindows:
        motion = mirror_half(draw(count, random), random)
        return film(motion if height_m is None else of_height(motion, height_m), ANY_CAMERA, random)

    return film_source


def held_out_motion(source: SourceMotion, metadata: LifterMetadata, height_m: float | None) -> dict[str, CameraWindows]:
    """Held-out motion by its name in the report. With `height_m`, its people are as tall as the target's."""
    clips = {"motion of the motion model": held_out_model_clips(), "source motion": source.held_out}
    if metadata.skeleton == H36M20.name:
        clips = {name: with_drawn_feet(several, 0) for name, several in clips.items()}
    frames, rate = metadata.receptive_field, metadata.frame_rate_hz
    return {
        name: validation_windows([_as_tall(clip, height_m) for clip in held_out], frames, rate)
        for name, held_out in clips.items()
        if held_out
    }


def _as_tall(clip: MotionClip, height_m: float | None) -> MotionClip:
    if height_m is None:
        return clip
    joints = of_height(torch.from_numpy(clip.joints_world_m)[None], height_m)[0].numpy()
    return dataclasses.replace(clip, joints_world_m=joints)
