"""Checks output paths before work begins, and lets a file appear only when it is whole."""

from __future__ import annotations

import os
import platform
import re
import shutil
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from sdk.errors import AdaptPoseError, BadOutput
from sdk.files.input_files import user_path


def check_output_path(path: str | Path, suffix: str) -> Path:
    """Return the path if a file with that suffix can be written there.

    Raises:
        BadOutput: the suffix is wrong, a folder has that name, or its folder is missing or read-only.
    """
    path = user_path(path, BadOutput)
    if path.suffix.lower() != suffix:
        raise BadOutput(f"{path}: the file's name must end in {suffix}.")
    if path.is_dir():
        raise BadOutput(f"{path} is a folder; name a file in it.")
    check_replaceable(path)
    if not path.parent.is_dir():
        raise BadOutput(f"{path}: there is no folder {path.parent}. Make it first, or name another folder.")
    if not os.access(path.parent, os.W_OK):
        raise BadOutput(f"{path}: no permission to write in {path.parent}.")
    return path


def check_not_input(outputs: Sequence[Path], source: str | Path | int) -> None:
    """Refuse an output that is the source itself or another output, also through a link or another name.

    Args:
        outputs: Files that will be written.
        source: As `open_video` takes it. Of a folder, all its files.

    Raises:
        BadOutput: two of them are the same file. The message names both.
    """
    outputs = [user_path(path, BadOutput) for path in outputs]
    read: list[Path] = []
    if isinstance(source, str | Path):
        try:
            place = user_path(source, BadOutput)
            read = list(place.iterdir()) if place.is_dir() else [place]
        except (BadOutput, OSError):  # opening the source will report it
            read = []
    for at, output in enumerate(outputs):
        for path in read:
            if output.exists() and path.exists() and output.samefile(path):
                raise BadOutput(f"{output} is the source {path} itself: it would be overwritten. Name another file.")
        for other in outputs[:at]:
            if output.resolve() == other.resolve() or (output.exists() and other.exists() and output.samefile(other)):
                raise BadOutput(f"{output} and {other} are the same file. Name another file for one of them.")


def check_output_folder(path: Path) -> None:
    """Check that the folder exists or can be made. Nothing is made yet.

    Raises:
        BadOutput: the path, or a folder above it, is a file; or there is no permission.
    """
    there = path.absolute()
    while not there.exists() and there != there.parent:
        there = there.parent
    if not there.is_dir():
        raise BadOutput(f"{path} can't be a folder: {there} is a file. Name another.")
    if not os.access(there, os.W_OK):
        raise BadOutput(f"{path}: no permission to write in {there}. Name another.")


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Turn the system's errors (mostly a full disk) into a BadOutput that names the file."""
    try:
        yield
    except AdaptPoseError:  # some are OSErrors as well
        raise
    except OSError as error:
        raise BadOutput(f"{path} can't be written: {error.strerror or error}.") from error


def check_replaceable(path: Path) -> None:
    """Raise BadOutput for a device, pipe or socket: the finished file would replace it in the file system.

    Users name `/dev/null`. If root replaced it, all programs of the machine would lose it.
    """
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise BadOutput(f"{path} is a device, pipe or socket: writing would replace it. Name a file.")


def part_beside(path: Path) -> Path:
    """Path of this process' part of a file: a hidden file in the same folder, named after machine and process.

    It keeps the suffix, because writers of videos, ONNX files and engines look at it. It is on the same file system, so
    replacing the file is one step.
    """
    return path.with_name(f".{path.stem}.part-{_machine()}-{os.getpid()}{path.suffix}")


def remove_abandoned_parts(path: Path) -> None:
    """Remove the parts of a file whose process no longer exists.

    Parts of files with another suffix stay: writing `poses.mp4` must not remove a killed recording of `poses.npz`.
    Parts of other machines (a shared disk, a container) stay too: we can't see their processes.
    """
    for part in abandoned_parts(path):
        # If we can't remove another user's part, we still write.
        if part.is_dir():
            shutil.rmtree(part, ignore_errors=True)
        else:
            with suppress(OSError):
                part.unlink()


def abandoned_parts(path: Path) -> list[Path]:
    """The parts of a file that killed processes of this machine left, sorted by name.

    For an .npz file, also the folders with the rows of a recording.
    """
    suffixes = [re.escape(path.suffix), *([r"\.rows"] if path.suffix.lower() == ".npz" else [])]
    rest = rf"(?:\..*)?(?:{'|'.join(suffixes)})" if path.suffix else ""
    name = re.compile(rf"\.{re.escape(path.stem)}\.part-{_machine()}-(\d+){rest}")
    if os.name == "nt" or not path.parent.is_dir():  # Windows has no signal 0: os.kill would end the process
        return []
    matches = ((part, name.fullmatch(part.name)) for part in sorted(path.parent.iterdir()))
    return [part for part, match in matches if match and not _exists(int(match[1]))]


def _machine() -> str:
    """A hash of this machine's name, 8 digits: a long name would not fit into a file name."""
    return f"{zlib.crc32(platform.node().encode()):08x}"


def _exists(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # another user's process
        return True
    return not _is_over(process)


def _is_over(process: int) -> bool:
    """Whether a process has ended, and only its parent has not asked for its exit code yet (a zombie)."""
    try:
        stat = Path(f"/proc/{process}/stat").read_text()
    except OSError:  # no Linux, or gone this moment
        return False
    return stat.rpartition(")")[2].split()[:1] == ["Z"]
