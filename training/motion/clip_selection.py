"""Which clips train and which validate, and clips by the people in them (a clip is named PERSON_NUMBER)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath

from sdk.errors import BadMotion
from training.motion.motion_clip import MotionClip


def split_clips(clips: Sequence[MotionClip], exclude: Sequence[str] = ()) -> tuple[list[MotionClip], list[MotionClip]]:
    """Training and validation clips; every 10th is for validation, and one at the least.

    Args:
        clips: All of them.
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
    """Whether the clip is of one of these people."""
    name = PurePath(clip.name).name
    return any(name.startswith(f"{person}_") for person in people)


def without_people(clips: Sequence[MotionClip], exclude: Sequence[str]) -> list[MotionClip]:
    """The clips but for those whose name, apart from its folders, starts with one of these and an underscore.

    Raises:
        BadMotion: if none is left.
    """
    kept = [clip for clip in clips if not shows_any(clip, exclude)]
    if not kept:
        raise BadMotion(f"none of {len(clips)} clips is left after leaving out {', '.join(exclude) or 'nobody'}.")
    return kept
