"""The hidden neighbour that a file is written to before it takes the file's place, and what killed processes left."""

from __future__ import annotations

import os
import platform
import re
import shutil
import zlib
from contextlib import suppress
from pathlib import Path


def part_beside(path: Path) -> Path:
    """This process' part of a file: a hidden neighbour that names machine and process; it keeps the suffix.

    Readers and writers of videos, ONNX files and engines go by the suffix; the neighbour is on the same file system, so
    that the exchange is one step.
    """
    return path.with_name(f".{path.stem}.part-{_machine()}-{os.getpid()}{path.suffix}")


def remove_abandoned_parts(path: Path) -> None:
    """Remove the parts of a file, of any suffix, whose process no longer exists; those of live processes stay.

    Parts of other machines (a shared disk, a container) stay as well: their processes can't be seen from here.
    """
    for part in abandoned_parts(path):
        # As far as we may: what another user left must not keep us from writing.
        if part.is_dir():
            shutil.rmtree(part, ignore_errors=True)
        else:
            with suppress(OSError):
                part.unlink()


def abandoned_parts(path: Path) -> list[Path]:
    """The parts of a file that processes of this machine left when they were killed, sorted by name."""
    name = re.compile(rf"\.{re.escape(path.stem)}\.part-{_machine()}-(\d+)(\..*)?")
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
