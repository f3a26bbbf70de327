"""Selects clips: for training, for validation, and by the people in them (clips are named PERSON_NUMBER)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath

from sdk.errors import BadMotion
from training.motion.motion_clip import MotionClip


def split_clips(clips: Sequence[MotionClip], exclude: Sequence[str] = ()) -> tuple[list[MotionClip], list[MotionClip]]:
    """Split clips into training and validation. Every 10th clip is for validation, at least one.

    Args:
        clips: All clips.
        exclude: People to leave out of both: clips whose name starts with one of these and an underscore.

    Raises:
        BadMotion: if fewer than two clips are left.
    """
    kept = [clip for clip in clips if not shows_any(clip, exclude)]
    if len(kept) < 2:
        left_out = f" after leaving out {', '.join(exclude)}" if exclude else ""
        raise BadMotion(f"{len(kept)} of {len(clips)} clips{left_out}; training and validation need one each.")
    validation = range(9, len(kept), 10) or [len(kept) - 1]
    return [clip for i, clip in enumerate(kept) if i not in validation], [kept[i] for i in validation]


def shows_any(clip: MotionClip, people: Sequence[str]) -> bool:
    """Whether the clip shows one of these people."""
    name = PurePath(clip.name).name
    return any(name.startswith(f"{person}_") for person in people)


def without_people(clips: Sequence[MotionClip], exclude: Sequence[str]) -> list[MotionClip]:
    """The clips without these people: clips are dropped if their name (without folders) is a person and an underscore.

    Raises:
        BadMotion: if none is left.
    """
    kept = [clip for clip in clips if not shows_any(clip, exclude)]
    if not kept:
        raise BadMotion(f"none of {len(clips)} clips is left after leaving out {', '.join(exclude) or 'nobody'}.")
    return kept
