"""Which Acclaim skeleton (.asf) a motion file (.amc) was recorded with."""

from __future__ import annotations

from pathlib import Path

from sdk.errors import BadMotion

SKELETON_SUFFIX = ".asf"


def skeleton_of(motion: Path) -> Path:
    """The skeleton beside a motion file: of its name, else of its subject's, else the only one.

    CMU's files have their subject's number in front: 02.asf is the skeleton of 02_01.amc, 02_02.amc and so on.

    Raises:
        BadMotion: there is none, or more than one that it could be.
    """
    beside = sorted(
        file for file in motion.parent.iterdir() if file.suffix.lower() == SKELETON_SUFFIX and file.is_file()
    )
    stem = motion.stem.lower()
    rules = (
        [file for file in beside if file.stem.lower() == stem],
        [file for file in beside if stem.startswith(f"{file.stem.lower()}_")],
        beside,
    )
    fitting: list[Path] = next((files for files in rules if files), [])
    subject = motion.stem.partition("_")[0]
    if not fitting:
        raise BadMotion(
            f"there is no skeleton beside {motion.name}. Put the {SKELETON_SUFFIX} file that it was recorded with into "
            f"{motion.parent}, as {subject}{SKELETON_SUFFIX} or {motion.stem}{SKELETON_SUFFIX}."
        )
    if len(fitting) > 1:
        raise BadMotion(
            f"{motion.name} may belong to {', '.join(file.name for file in fitting)}. Name its skeleton "
            f"{motion.stem}{SKELETON_SUFFIX}, or leave one in the folder."
        )
    return fitting[0]
