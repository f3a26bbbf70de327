"""Downloads that go on where they broke off; checkpoints of OpenMMLab's zoo, checked by the hash in the name."""

from __future__ import annotations

import http.client
import os
import re
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import platformdirs

from sdk.errors import BadDownload
from sdk.files.content_hash import file_sha256
from sdk.files.output_files import abandoned_parts, naming, part_beside

CACHE_VARIABLE = "ADAPTPOSE_CACHE"
"""Environment variable that names another cache folder; weights lie in its folder `weights`."""
_HASH = re.compile(r"-([0-9a-f]{8})(_\d{8})?\.pth$")
_TIMEOUT_S = 30
_BLOCK = 1 << 20
LARGEST_BYTES = 1 << 31
"""Of a file that is downloaded; the largest checkpoint that a word stands for has 430 MB."""
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
    """
    folder = folder or weights_folder()
    path = folder / address.rpartition("/")[2]
    match = _HASH.search(path.name)
    if match is None:
        raise BadDownload(f"{address} has no hash in its name, so a download could not be checked.")
    with naming(folder), one_at_a_time():
        if path.is_file():
            if not file_sha256(path).startswith(match[1]):
                raise BadDownload(f"{path} is damaged: its SHA-256 does not begin with {match[1]}. Remove it.")
            return path
        folder.mkdir(parents=True, exist_ok=True)
        with resumable_part(path) as part:
            resumed = download(address, part, path)
            if resumed and not file_sha256(part).startswith(match[1]):
                part.unlink()  # the first half was of another file
                download(address, part, path)
            if not file_sha256(part).startswith(match[1]):
                part.unlink()
                raise BadDownload(f"what {address} sends is damaged: its SHA-256 does not begin with {match[1]}.")
            part.replace(path)
    return path


def one_at_a_time() -> threading.Lock:
    """The lock that threads of a process take for a download: they would write one part."""
    return _one_thread


@contextmanager
def resumable_part(path: Path) -> Iterator[Path]:
    """This process' part of a download, with what earlier ones left; what it leaves is kept for the next.

    Args:
        path: The file that the download is to become; its folder is there.
    """
    part, broken_off = part_beside(path), path.with_name(f".{path.name}.part")
    _take_up((broken_off, *abandoned_parts(path)), part)
    whole = False
    try:
        yield part
        whole = True
    finally:
        if part.exists():
            part.replace(broken_off)
        elif whole:
            broken_off.unlink(missing_ok=True)


def _take_up(left: tuple[Path, ...], part: Path) -> None:
    """Go on where the one that came furthest broke off; the others are of no use any more."""
    for other in left:
        with suppress(FileNotFoundError):  # not there, or another process took it
            if part.exists() and part.stat().st_size >= other.stat().st_size:
                other.unlink()
            else:
                other.replace(part)


def download(address: str, part: Path, path: Path) -> bool:
    """Write what is missing of a file to the end of its part, with a bar on stderr.

    Args:
        address: http or https.
        part: What is there already; it may be missing.
        path: The file that it is to become; it is named in messages.

    Returns:
        Whether the server went on behind what was there; if not, all of the part is new.

    Raises:
        BadDownload: it can't be fetched, or ends too early; what has come stays in the part. Or it is too large, or an
            https address leads to one without encryption.
    """
    there = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(address, headers={"Range": f"bytes={there}-"} if there else {})
    with _naming_network(address, path):
        try:
            answer = urllib.request.urlopen(request, timeout=_TIMEOUT_S)
        except urllib.error.HTTPError as error:
            error.close()
            if there and error.code == 416:  # nothing is missing
                return True
            raise
    with answer:
        if urlsplit(address).scheme == "https" != urlsplit(answer.url).scheme:
            raise BadDownload(f"{address} leads to {answer.url}, which is not encrypted: nothing is taken from there.")
        resumed = answer.status == 206 and there > 0
        _write(answer, address, part, there if resumed else 0, path)
    return resumed


def _write(answer: http.client.HTTPResponse, address: str, part: Path, there: int, path: Path) -> None:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TaskProgressColumn, TextColumn

    length = answer.headers.get("Content-Length", "")
    total = there + int(length) if length.isdigit() else None
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn(), DownloadColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar, part.open("ab" if there else "wb") as file:
        task = bar.add_task(path.name, total=total, completed=there)
        block = b"..."
        while block:
            if max(there, total or 0) > LARGEST_BYTES:
                raise BadDownload(f"{path.name} has over {LARGEST_BYTES >> 20} MB: it is not the file that is known.")
            with _naming_network(address, path):
                block = answer.read(_BLOCK)
                if not block and total is not None and there < total:
                    raise http.client.IncompleteRead(b"", total - there)
            file.write(block)
            there += len(block)
            bar.update(task, completed=there)


@contextmanager
def _naming_network(address: str, path: Path) -> Iterator[None]:
    """Turn the network's errors into a BadDownload that says what to put where."""
    try:
        yield
    except (OSError, http.client.HTTPException) as error:
        reason = str(getattr(error, "reason", "") or error) or type(error).__name__
        if isinstance(error, urllib.error.HTTPError):
            reason = f"the server answers {error.code} {error.reason}"
        raise BadDownload(
            f"{path.name} is not in {path.parent} and can't be downloaded: {reason}. Run the same again where there is "
            f"a network (what has come is kept), or fetch {address} on another machine and put the file at {path}."
        ) from error
