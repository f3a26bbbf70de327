"""Real motion from files: joint positions (.npz), BVH, Acclaim's .amc, or a folder of them."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from sdk.errors import BadMotion
from sdk.files.input_files import check_regular_file, named_below, shown
from sdk.files.skipped import Skipped
from training.motion.motion_clip import MotionClip, resample_clip
from training.motion.motion_units import UpAxis
from training.motion.plausibility import motion_doubts
from training.motion.readers.acclaim.files import SKELETON_SUFFIX
from training.motion.readers.acclaim.motion import read_acclaim
from training.motion.readers.bvh_motion import read_bvh
from training.motion.readers.position_motion import read_positions

__all__ = ["MotionClip", "MotionLibrary", "load_motion", "read_motion"]

MOTION_SUFFIXES = (".npz", ".bvh", ".amc")
_LONGEST_REASON = 1500
_MOST_REASONS = 30
_MOST_SUFFIXES = 8


@dataclass(frozen=True)
class MotionLibrary:
    """Source motion, and notes about it for the user.

    Attributes:
        clips: All at 50 Hz, in metres, z up.
        skipped: Files and clips that could not be used.
        notes: What was decided while reading: units, frame rates, and the axis that points up.
    """

    clips: tuple[MotionClip, ...]
    skipped: tuple[Skipped, ...]
    notes: tuple[str, ...]


def load_motion(source: Path, *, source_up: UpAxis | None = None, source_fps: float | None = None) -> list[MotionClip]:
    """As `read_motion`, but prints skipped files and notes to stderr."""
    library = read_motion(source, source_up=source_up, source_fps=source_fps)
    for note in library.notes:
        print(note, file=sys.stderr)
    for skipped in library.skipped:
        print(f"skipped {skipped.name}: {skipped.reason}", file=sys.stderr)
    return list(library.clips)


def read_motion(source: Path, *, source_up: UpAxis | None = None, source_fps: float | None = None) -> MotionLibrary:
    """Read source motion.

    Args:
        source: An .npz file of joint positions, a .bvh file, an .amc file with its .asf in the same folder, or a folder
            that is searched for all of them.
        source_up: Axis that points up in the files. None means z for .npz, and y for .bvh and .amc (their convention).
        source_fps: Frame rate of files that do not state it (.npz and .amc). None means 120 (CMU's) for .amc.

    Raises:
        BadMotion: if nothing can be used; the message has the reason for each file.
        MissingDependency: if a package that a file needs is not installed.
    """
    clips: list[MotionClip] = []
    skipped: list[Skipped] = []
    notes: list[str] = []
    files, unread = _motion_files(source)
    if unread:
        notes.append(f"not read in {shown(source)}: files {unread}; motion is {', '.join(MOTION_SUFFIXES)}")
    for file, why in files:
        name = str(file.relative_to(source)) if source.is_dir() else file.name
        if why:
            skipped.append(Skipped(name, f"it is {why}"))
            continue
        try:
            suffix, plain = file.suffix.lower(), name.removesuffix(file.suffix)
            if suffix == ".npz":
                folder = plain if source.is_dir() else ""
                found, unusable = read_positions(file, folder, source_up or "z", source_fps)
                clips += [resample_clip(clip) for clip in found]
                skipped += unusable
            else:
                if suffix == ".bvh":
                    clip, note = read_bvh(file, plain, source_up or "y")
                else:
                    clip, note = read_acclaim(file, plain, source_up or "y", source_fps)
                clips.append(resample_clip(clip))
                notes.append(note)
        except BadMotion as error:
            skipped.append(Skipped(name, str(error)))
    skipped = [Skipped(shown(one.name), _cut(one.reason)) for one in skipped]
    notes += [doubt for clip in clips for doubt in motion_doubts(clip)]
    if not clips:
        reasons = [f"  {one.name}: {one.reason}" for one in skipped[:_MOST_REASONS]]
        if len(skipped) > _MOST_REASONS:
            reasons.append(f"  and {len(skipped) - _MOST_REASONS} more")
        raise BadMotion("\n".join([f"no source motion in {source} can be used:", *reasons]))
    return MotionLibrary(tuple(clips), tuple(skipped), tuple(notes))


def _cut(reason: str) -> str:
    """A reason of bounded length: a damaged file's may repeat lines of it."""
    return reason if len(reason) <= _LONGEST_REASON else f"{reason[:_LONGEST_REASON]}..."


def _motion_files(source: Path) -> tuple[list[tuple[Path, str]], str]:
    """The files of motion, with why each can't be read (empty if it can), and what else is there, in words."""
    if not source.is_dir():
        check_regular_file(source, BadMotion)
        if not source.exists():
            raise BadMotion(f"source motion {source} does not exist. Adapting without --source takes the motion model.")
        if source.suffix.lower() == SKELETON_SUFFIX:
            raise BadMotion(
                f"source motion {source} is a skeleton only. Give the .amc file beside it, or their folder."
            )
        if source.suffix.lower() not in MOTION_SUFFIXES:
            raise BadMotion(f"source motion {source} is none of {', '.join(MOTION_SUFFIXES)}, nor a folder of them.")
        return [(source, "")], ""
    found = sorted(named_below(source, lambda name: not name.startswith(".")))
    files = [one for one in found if one[0].suffix.lower() in MOTION_SUFFIXES or one[0].is_dir()]
    others = Counter(path.suffix.lower() or "without suffix" for path, _ in found) - Counter(
        path.suffix.lower() or "without suffix" for path, _ in files
    )
    skeletons = others.pop(SKELETON_SUFFIX, 0)
    if not files:
        raise BadMotion(
            f"folder {source} has no {' or '.join(MOTION_SUFFIXES)} file in it"
            + (", only skeletons (.asf): the .amc files belong beside them." if skeletons else ".")
        )
    others.pop(".json", 0)  # frame rates beside motion
    named = ", ".join(f"{count} {suffix}" for suffix, count in others.most_common(_MOST_SUFFIXES))
    return files, named + (", ..." if len(others) > _MOST_SUFFIXES else "")
