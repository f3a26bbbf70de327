"""Checkpoints of OpenMMLab's zoo: downloaded once, resumed where it broke off, checked by the hash in the name."""

from __future__ import annotations

import hashlib
import os
import re
import threading
from contextlib import suppress
from functools import partial
from pathlib import Path

import platformdirs

from sdk.errors import BadDownload, MissingDependency
from sdk.files.output_files import abandoned_parts, naming, part_beside

CACHE_VARIABLE = "ADAPTPOSE_CACHE"
"""Environment variable that names another cache folder; weights lie in its folder `weights`."""
_HASH = re.compile(r"-([0-9a-f]{8})(_\d{8})?\.pth$")
_TIMEOUT_S = 30
_one_thread = threading.Lock()
"""A process' part of a file is named after the process, so its threads take turns."""


def weights_folder() -> Path:
    """`$ADAPTPOSE_CACHE/weights`, or its place in the user's cache folder of the operating system."""
    named = os.environ.get(CACHE_VARIABLE)
    return (Path(named).expanduser() if named else Path(platformdirs.user_cache_dir("adaptpose"))) / "weights"


def fetch_weights(address: str, folder: Path | None = None) -> Path:
    """A checkpoint of the zoo, from the cache or the network; a bar on stderr shows how far a download is.

    Several processes may ask for the same at once: each downloads a part of its own, and each gets the file. What a
    broken-off or killed download left is taken up by the next.

    Args:
        address: Ends in `-<8 digits of the SHA-256>_<date>.pth`, as OpenMMLab names what it publishes.
        folder: Where it is kept; None for `weights_folder()`.

    Raises:
        BadDownload: it is not there and can't be fetched, or is damaged; says which file to put where.
        BadOutput: the folder can't be written to.
        MissingDependency: it has to be fetched, and pooch is not installed.
    """
    folder = folder or weights_folder()
    path = folder / address.rpartition("/")[2]
    match = _HASH.search(path.name)
    if match is None:
        raise BadDownload(f"{address} has no hash in its name, so a download could not be checked.")
    with naming(folder), _one_thread:
        if path.is_file():
            if not _hash(path).startswith(match[1]):
                raise BadDownload(f"{path} is damaged: its SHA-256 does not begin with {match[1]}. Remove it.")
            return path
        folder.mkdir(parents=True, exist_ok=True)
        part, broken_off = part_beside(path), folder / f".{path.name}.part"
        _take_up((broken_off, *abandoned_parts(path)), part)
        try:
            resumed = part.exists() and part.stat().st_size > 0
            _download(address, part, path)
            if resumed and not _hash(part).startswith(match[1]):
                part.unlink()  # the server sent the whole file again, or the first half was of another one
                _download(address, part, path)
            if not _hash(part).startswith(match[1]):
                part.unlink()
                raise BadDownload(f"what {address} sends is damaged: its SHA-256 does not begin with {match[1]}.")
            part.replace(path)
        finally:
            if part.exists():
                part.replace(broken_off)
        broken_off.unlink(missing_ok=True)
    return path


def _take_up(left: tuple[Path, ...], part: Path) -> None:
    """Go on where the one that came furthest broke off; the others are of no use any more."""
    for other in left:
        with suppress(FileNotFoundError):  # not there, or another process took it
            if part.exists() and part.stat().st_size >= other.stat().st_size:
                other.unlink()
            else:
                other.replace(part)


def _download(address: str, part: Path, path: Path) -> None:
    """Write what is missing of a file to the end of its part."""
    try:
        import pooch
        import requests
    except ImportError as error:
        raise MissingDependency(error.name or "pooch", "mmpose", f"downloading {path.name}") from error
    there = part.stat().st_size if part.exists() else 0
    headers = {"Range": f"bytes={there}-"} if there else {}
    fetch = pooch.HTTPDownloader(progressbar=True, headers=headers, timeout=_TIMEOUT_S)
    try:
        with part.open("ab") as file:
            fetch(address, file, None)
    except requests.RequestException as error:
        if there and getattr(error.response, "status_code", None) == 416:  # nothing is missing
            return
        raise BadDownload(
            f"{path.name} is not in {path.parent} and can't be downloaded: {type(error).__name__}. Run the same again "
            f"where there is a network (what has come is kept), or fetch {address} on another machine and put the file "
            f"at {path}."
        ) from error


def _hash(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for block in iter(partial(file.read, 1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()
