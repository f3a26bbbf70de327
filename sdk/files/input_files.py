"""Checks files before they are read: paths of users, printable names, regular files only; lists folders."""

from __future__ import annotations

import os
import re
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sdk.errors import AdaptPoseError
from sdk.files.addresses import masked_text

_SHOWN = 200
"""Longest path in a message, in characters."""


def user_path(path: str | Path, error: type[AdaptPoseError]) -> Path:
    """The path with `~` resolved. It need not exist, but the system must be able to look it up.

    Raises:
        AdaptPoseError: of the given class: `~` of an unknown user, a zero byte, a name that is too long, or a folder
            on the way that may not be entered.
    """
    try:
        expanded = Path(path).expanduser()
        os.stat(expanded)
    except RuntimeError:
        raise error(f"{shown(path)}: this machine has no user {Path(path).parts[0]}. Write the whole path.") from None
    except (FileNotFoundError, NotADirectoryError):
        pass
    except PermissionError as reason:
        raise error(f"{shown(path)} can't be reached: {reason.strerror}.") from None
    except (OSError, ValueError) as reason:
        raise error(f"{shown(path)} can't be a file's name: {getattr(reason, 'strerror', None) or reason}.") from None
    return expanded


def shown(path: str | Path) -> str:
    """A path as text that can be printed. The middle of a long path is cut out, secrets of an address are hidden."""
    text = masked_text(printable(str(path)))
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN // 2]}...{text[-_SHOWN // 2 :]}"


def printable(text: str) -> str:
    """Text with bytes that are not UTF-8 written as \\xNN.

    Python keeps such bytes of file names as lone surrogates, which can't be written to files, pages and terminals.
    """
    return text.encode("utf-8", "surrogateescape" if os.name != "nt" else "replace").decode("utf-8", "backslashreplace")


def why_unreadable(path: Path) -> str:
    """Why this is no file that can be read, as "it is ..." goes on; empty if it is one, or if there is nothing.

    Nothing is opened: opening a pipe waits, and reading a device may never end.
    """
    try:
        mode = os.stat(path).st_mode
    except PermissionError as reason:
        return f"out of reach ({reason.strerror})"
    except OSError:
        return "a link to nothing" if path.is_symlink() else ""
    if stat.S_ISDIR(mode):
        return "a folder"
    if not stat.S_ISREG(mode):
        return "a pipe, device or socket"
    return "" if os.access(path, os.R_OK) else "a file that you have no permission to read"


def check_regular_file(path: Path, error: type[AdaptPoseError]) -> None:
    """Refuse anything but a regular file that may be read. A missing file is left to the caller.

    Raises:
        AdaptPoseError: of the given class.
    """
    if kind := why_unreadable(path):
        raise error(f"{shown(path)} is {kind}{'' if path.is_file() else '; a regular file is needed'}.")


def entries_of(folder: Path, error: type[AdaptPoseError]) -> list[Path]:
    """What is in a folder, sorted by name.

    Raises:
        AdaptPoseError: of the given class: the folder can't be read.
    """
    try:
        return sorted(folder.iterdir())
    except OSError as reason:
        raise error(f"folder {shown(folder)} can't be read: {reason.strerror}.") from None


def named_below(folder: Path, wanted: Callable[[str], bool]) -> Iterator[tuple[Path, str]]:
    """Files below a folder, with why each can't be read; empty if it can. A folder that can't be read is named too.

    Links to folders are followed, after the folders themselves. A folder that is reached twice is read once.

    Args:
        folder: Where to begin.
        wanted: Whether a file of this name is asked for.
    """
    places, seen = [folder], set[tuple[int, int]]()
    linked: list[Path] = []
    while places or linked:
        place = places.pop() if places else linked.pop(0)
        try:
            here = os.stat(place)
            if (here.st_dev, here.st_ino) in seen:
                continue
            seen.add((here.st_dev, here.st_ino))
            with os.scandir(place) as found:
                entries = sorted(found, key=lambda entry: entry.name)
        except OSError as reason:
            yield place, f"a folder that can't be read: {reason.strerror}"
            continue
        inner = [entry for entry in entries if _is_folder(entry)]
        places += [Path(entry.path) for entry in reversed(inner) if not entry.is_symlink()]
        linked += [Path(entry.path) for entry in inner if entry.is_symlink()]
        for entry in entries:
            if wanted(entry.name) and entry not in inner:
                yield Path(entry.path), why_unreadable(Path(entry.path))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


@contextmanager
def readable_name(path: Path) -> Iterator[Path]:
    """A name of the file that C libraries can open: the path itself if it is UTF-8.

    OpenCV crashes on a name that is not UTF-8. It gets a link with another name, which is removed at the end. A file
    that was opened by then stays open.
    """
    try:
        str(path).encode()
    except UnicodeEncodeError:
        with tempfile.TemporaryDirectory(prefix="adaptpose-") as folder:
            suffix = path.suffix if re.fullmatch(r"\.\w+", path.suffix, re.ASCII) else ""
            link = Path(folder) / f"file{suffix}"
            link.symlink_to(path.absolute())
            yield link
    else:
        yield path
