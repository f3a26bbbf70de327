"""Files in object stores (s3://, gs://, hf://, ...) by way of fsspec, where it is installed."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from sdk.errors import AdaptPoseError, MissingDependency
from sdk.files.addresses import masked, masked_text

_SCHEME = re.compile(r"([a-z][a-z0-9+.-]+)://", re.IGNORECASE)
_STREAMED = ("rtsp", "rtsps", "rtmp", "rtp", "udp", "tcp", "srt")
"""Of live streams, which no file system has."""


def is_remote(source: str) -> bool:
    """Whether a source is the address of a file or folder in a store that fsspec may know: not a path, not a stream."""
    scheme = _SCHEME.match(source)
    return scheme is not None and scheme[1].lower() not in _STREAMED


def list_remote(address: str, suffixes: tuple[str, ...], error: type[AdaptPoseError]) -> list[tuple[str, str]]:
    """The files of an address.

    Args:
        address: A file, a folder (searched with its sub-folders), or a pattern with `*`.
        suffixes: What to take of a folder, in lower case.
        error: To raise.

    Returns:
        Address and name of each file, in the order of their names; of a folder the path inside it.

    Raises:
        AdaptPoseError: the given one; nothing is there, or the store can't be read.
        MissingDependency: fsspec, or what it needs for this kind of store, is not installed.
    """
    files, path = _open(address, error)
    try:
        if "*" in path:
            found = [(one, _name(one)) for one in sorted(files.glob(path))]
        elif files.isdir(path):
            root = PurePosixPath("/" + path.strip("/"))
            every = sorted(files.find(path))
            found = [(one, str(PurePosixPath("/" + one.strip("/")).relative_to(root))) for one in every]
            found = [
                (one, name)
                for one, name in found
                if PurePosixPath(one).suffix.lower() in suffixes and not _is_hidden(name)
            ]
        else:
            found = [(path, _name(path))] if files.exists(path) else []
    except Exception as reason:  # each store raises its own
        raise error(f"{masked(address)} can't be read: {_said(reason)}") from None
    if not found:
        raise error(f"{masked(address)}: nothing is there that ends in {', '.join(suffixes)}.")
    return [(files.unstrip_protocol(one), name) for one, name in found]


def remote_identity(address: str, error: type[AdaptPoseError]) -> str:
    """What the store says of a file (size, version or time, checksum), as one word; nothing is downloaded.

    Raises:
        AdaptPoseError: the given one.
    """
    files, path = _open(address, error)
    try:
        return str(files.ukey(path))
    except Exception as reason:
        raise error(f"{masked(address)} can't be read: {_said(reason)}") from None


@contextmanager
def fetched(address: str, error: type[AdaptPoseError]) -> Iterator[Path]:
    """A copy of a file on this machine, under its own name, which is gone again at the end.

    Raises:
        AdaptPoseError: the given one.
    """
    files, path = _open(address, error)
    with tempfile.TemporaryDirectory(prefix="adaptpose-") as folder:
        copy = Path(folder) / _name(path)
        try:
            files.get_file(path, str(copy))
        except Exception as reason:
            raise error(f"{masked(address)} can't be fetched: {_said(reason)}") from None
        yield copy


def _name(path: str) -> str:
    """The last part of a path in a store; of a web address without its query, which may hold a key."""
    if re.match("https?://", path, re.IGNORECASE):
        path = re.split("[?#]", path, maxsplit=1)[0]
    return PurePosixPath(path).name


def _said(reason: Exception) -> str:
    """An error of a store, whose text may repeat the address."""
    return f"{type(reason).__name__}: {masked_text(str(reason))}"


def _is_hidden(name: str) -> bool:
    return any(part.startswith(".") for part in PurePosixPath(name).parts)


def _open(address: str, error: type[AdaptPoseError]) -> tuple[Any, str]:
    scheme = str(_SCHEME.match(address)[1])  # type: ignore[index]  # the caller asked is_remote
    try:
        from fsspec.core import url_to_fs
    except ImportError as reason:
        raise MissingDependency("fsspec", "remote", f"{scheme}://") from reason
    try:
        files, path = url_to_fs(address)
    except ImportError as reason:  # s3fs, gcsfs, huggingface_hub: a package for each kind of store
        raise error(
            f"{masked(address)}: {reason}. pip install that package; fsspec alone knows no {scheme}://."
        ) from reason
    except Exception as reason:
        raise error(f"{masked(address)} can't be opened: {_said(reason)}") from None
    return files, path
