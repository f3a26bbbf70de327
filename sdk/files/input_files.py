"""Checks for files to read: paths as users write them, names that can be printed, regular files only."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sdk.errors import AdaptPoseError

_SHOWN = 200
"""Most characters of a path in a message."""


def user_path(path: str | Path, error: type[AdaptPoseError]) -> Path:
    """The path with `~` resolved, if the system can look it up at all; whether there is something is not asked.

    Raises:
        AdaptPoseError: the given one, for `~` of a user who is not there, a zero byte, or a name too long.
    """
    try:
        expanded = Path(path).expanduser()
        os.stat(expanded)
    except RuntimeError:
        raise error(f"{shown(path)}: this machine has no user {Path(path).parts[0]}. Write the whole path.") from None
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        pass
    except (OSError, ValueError) as reason:
        raise error(f"{shown(path)} can't be a file's name: {getattr(reason, 'strerror', None) or reason}.") from None
    return expanded


def shown(path: str | Path) -> str:
    """A path or file name as text that can be printed, the middle of a long one cut."""
    text = printable(str(path))
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN // 2]}...{text[-_SHOWN // 2 :]}"


def printable(text: str) -> str:
    """Text in which bytes of file names that are no UTF-8 stand as \\xNN.

    Python keeps such bytes as lone surrogates, which no file, page or terminal takes.
    """
    return text.encode("utf-8", "surrogateescape" if os.name != "nt" else "replace").decode("utf-8", "backslashreplace")


def check_regular_file(path: Path, error: type[AdaptPoseError]) -> None:
    """Refuse what is there and no regular file: a pipe would be waited for, a device read without end.

    Raises:
        AdaptPoseError: the given one.
    """
    if path.exists() and not path.is_file():
        kind = "a folder" if path.is_dir() else "a pipe, device or socket"
        raise error(f"{shown(path)} is {kind}; a regular file is needed.")


@contextmanager
def readable_name(path: Path) -> Iterator[Path]:
    """A name for the file that libraries in C can be given; of UTF-8 names the path itself.

    OpenCV crashes on a name that is no UTF-8: it gets a link of another name, which is gone again at the end. The file
    stays open in whatever opened it.
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
