"""Clips by the people who are in them: a clip's name, apart from its folders, is PERSON_NUMBER."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath

from sdk.errors import BadMotion
from training.data.motion_clip import MotionClip


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
