"""Writes files: the place is checked first, and a file appears whole or not at all."""

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
    """Return the path if a file of that kind can be written there.

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
        raise BadOutput(f"{path}: there is no folder {path.parent}. Make it first, or name another.")
    if not os.access(path.parent, os.W_OK):
        raise BadOutput(f"{path}: no permission to write in {path.parent}.")
    return path


def check_not_input(outputs: Sequence[Path], source: str | Path | int) -> None:
    """Refuse to write over what is read, by whatever name or link, or over another output.

    Args:
        outputs: Files that will be written.
        source: As `open_video` takes it; a folder's files are read as well.

    Raises:
        BadOutput: naming both.
    """
    outputs = [user_path(path, BadOutput) for path in outputs]
    read: list[Path] = []
    if isinstance(source, str | Path):
        try:
            place = user_path(source, BadOutput)
            read = list(place.iterdir()) if place.is_dir() else [place]
        except (BadOutput, OSError):  # whoever opens it says what is wrong with it
            read = []
    for at, output in enumerate(outputs):
        for path in read:
            if output.exists() and path.exists() and output.samefile(path):
                raise BadOutput(f"{output} is the source {path} itself: it would be written over. Name another file.")
        for other in outputs[:at]:
            if output.resolve() == other.resolve() or (output.exists() and other.exists() and output.samefile(other)):
                raise BadOutput(f"{output} and {other} are one file; name another for one of them.")


def check_output_folder(path: Path) -> None:
    """Check that the folder exists or could be made. Nothing is made yet.

    Raises:
        BadOutput: a file is in its place or in that of a folder around it, or there is no permission.
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
    """Raise BadOutput for a device, pipe or socket: a finished file would take its place in the file system.

    `/dev/null` is the one that people name; as root it would be gone for every program of the machine.
    """
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise BadOutput(f"{path} is a device, pipe or socket, which a file would replace. Name a file.")


def part_beside(path: Path) -> Path:
    """This process' part of a file: a hidden neighbour that names machine and process; it keeps the suffix.

    Readers and writers of videos, ONNX files and engines go by the suffix; the neighbour is on the same file system, so
    that the exchange is one step.
    """
    return path.with_name(f".{path.stem}.part-{_machine()}-{os.getpid()}{path.suffix}")


def remove_abandoned_parts(path: Path) -> None:
    """Remove the parts of a file whose process no longer exists; those of live processes stay.

    So do those of a file of another suffix: `poses.mp4` must not cost a killed recording, `poses.npz`. Parts of other
    machines (a shared disk, a container) stay as well: their processes can't be seen from here.
    """
    for part in abandoned_parts(path):
        # As far as we may: what another user left must not keep us from writing.
        if part.is_dir():
            shutil.rmtree(part, ignore_errors=True)
        else:
            with suppress(OSError):
                part.unlink()


def abandoned_parts(path: Path) -> list[Path]:
    """The parts of a file that processes of this machine left when they were killed, sorted by name.

    Of an .npz file also the folders with the rows of a recording.
    """
    suffixes = [re.escape(path.suffix), *([r"\.rows"] if path.suffix.lower() == ".npz" else [])]
    rest = rf"(?:\..*)?(?:{'|'.join(suffixes)})" if path.suffix else ""
    name = re.compile(rf"\.{re.escape(path.stem)}\.part-{_machine()}-(\d+){rest}")
    if os.name == "nt" or not path.parent.is_dir():  # Windows has no signal 0: os.kill would end the process
        return []
    matches = ((part, name.fullmatch(part.name)) for part in sorted(path.parent.iterdir()))
    return [part for part, match in matches if match and not _exists(int(match[1]))]


def _machine() -> str:
    """This machine's name in 8 digits: the longest names there are would not fit into that of a file."""
    return f"{zlib.crc32(platform.node().encode()):08x}"


def _exists(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # it is another user's
        return True
    return True
