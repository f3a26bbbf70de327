"""Checks files before they are read: paths of users, printable names, regular files only."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sdk.errors import AdaptPoseError
from sdk.files.addresses import masked_text

_SHOWN = 200
"""Longest path in a message, in characters."""


def user_path(path: str | Path, error: type[AdaptPoseError]) -> Path:
    """The path with `~` resolved. It need not exist, but the system must be able to look it up.

    Raises:
        AdaptPoseError: of the given class: `~` of an unknown user, a zero byte, or a name that is too long.
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
    """A path as text that can be printed. The middle of a long path is cut out, secrets of an address are hidden."""
    text = masked_text(printable(str(path)))
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN // 2]}...{text[-_SHOWN // 2 :]}"


def printable(text: str) -> str:
    """Text with bytes that are not UTF-8 written as \\xNN.

    Python keeps such bytes of file names as lone surrogates, which can't be written to files, pages and terminals.
    """
    return text.encode("utf-8", "surrogateescape" if os.name != "nt" else "replace").decode("utf-8", "backslashreplace")


def check_regular_file(path: Path, error: type[AdaptPoseError]) -> None:
    """Refuse anything but a regular file: reading a pipe waits, and reading a device may never end.

    Raises:
        AdaptPoseError: of the given class.
    """
    if path.exists() and not path.is_file():
        kind = "a folder" if path.is_dir() else "a pipe, device or socket"
        raise error(f"{shown(path)} is {kind}; a regular file is needed.")


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
