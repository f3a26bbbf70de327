"""ONNX files out of zip archives that are published without a hash: what came first is noted, nothing else is taken.

Only the ONNX file is taken out of an archive, under a name of ours; no path in it is followed, nothing in it is run.
"""

from __future__ import annotations

import hashlib
import json
import sys
import zipfile
import zlib
from datetime import datetime, timezone
from pathlib import Path

from sdk.errors import BadDownload
from sdk.files.content_hash import file_sha256
from sdk.files.downloads import download, one_at_a_time, resumable_part, weights_folder
from sdk.files.output_files import naming, part_beside, remove_abandoned_parts

_BLOCK = 1 << 20
_LARGEST_BYTES = 1 << 30
"""Of a model; RTMW-x has 360 MB."""
_MOST_MEMBERS = 1000
"""Of an archive; OpenMMLab's have about ten."""


def fetch_onnx(address: str, folder: Path | None = None) -> Path:
    """The ONNX file of an archive, from the cache, from an archive that lies in the cache, or from the network.

    At first use, size and SHA-256 are written beside it into `NAME.onnx.json`, and said on stderr. From then on a file
    with other content is refused, whether it was changed here or the server sends another one.

    Args:
        address: Of a zip archive that holds one ONNX file, or one called `end2end.onnx`.
        folder: Where it is kept; None for `weights_folder()`.

    Raises:
        BadDownload: it is not there and can't be fetched (says what to put where), is no such archive, or is not what
            was noted.
        BadOutput: the folder can't be written to.
    """
    folder = folder or weights_folder()
    archive = folder / address.rpartition("/")[2]
    path = archive.with_suffix(".onnx")
    with naming(folder), one_at_a_time():
        if path.is_file():
            _check(path, file_sha256(path), path, address)
            return path
        folder.mkdir(parents=True, exist_ok=True)
        remove_abandoned_parts(path)
        part = part_beside(path)
        try:
            if archive.is_file():
                sha256 = _extract(archive, archive, part)
            else:
                with resumable_part(archive) as zipped:
                    sha256 = _fetch(address, archive, zipped, part)
            _check(part, sha256, path, address)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    return path


def _fetch(address: str, archive: Path, zipped: Path, part: Path) -> str:
    resumed = download(address, zipped, archive)
    try:
        sha256 = _extract(zipped, archive, part)
    except BadDownload:
        zipped.unlink()
        if not resumed:
            raise
        download(address, zipped, archive)  # the first half was of another file
        sha256 = _extract(zipped, archive, part)
    zipped.unlink()
    return sha256


def _extract(zipped: Path, archive: Path, part: Path) -> str:
    """Write the ONNX file of an archive; the SHA-256 of what was written."""
    digest = hashlib.sha256()
    try:
        with (
            zipfile.ZipFile(zipped) as content,
            content.open(_onnx_member(content, archive)) as model,
            part.open("wb") as file,
        ):
            while block := model.read(_BLOCK):  # ends at the size that was checked, whatever the archive unfolds to
                digest.update(block)
                file.write(block)
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError) as error:
        raise BadDownload(f"{archive.name} is no whole zip archive: {error}. If it is {archive}, remove it.") from error
    return digest.hexdigest()


def _onnx_member(content: zipfile.ZipFile, archive: Path) -> zipfile.ZipInfo:
    members = content.infolist()
    if len(members) > _MOST_MEMBERS:
        raise BadDownload(f"{archive.name} holds {len(members)} files; it is not the archive that is known.")
    models = [one for one in members if one.filename.lower().endswith(".onnx")]
    named = [one for one in models if one.filename.replace("\\", "/").rpartition("/")[2] == "end2end.onnx"]
    chosen = named or models
    if len(chosen) != 1:
        raise BadDownload(f"{archive.name} holds {len(chosen)} ONNX files, and must hold one.")
    if chosen[0].compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise BadDownload(f"{archive.name} is packed by a method that OpenMMLab does not use.")
    if chosen[0].file_size > _LARGEST_BYTES:
        raise BadDownload(f"{archive.name} claims a model of {chosen[0].file_size >> 20} MB: no known one.")
    return chosen[0]


def _check(file: Path, sha256: str, path: Path, address: str) -> None:
    """Compare a file with what was noted of it; at first use, note it."""
    record = path.with_name(f"{path.name}.json")
    if record.is_file():
        try:
            noted = json.loads(record.read_text(encoding="utf-8"))["sha256"]
        except (ValueError, KeyError, TypeError) as error:
            raise BadDownload(
                f"{record} is damaged. Remove it to trust the file that is there or comes next."
            ) from error
        if noted != sha256:
            found = f"its SHA-256 is {sha256}, and was {noted} at first use"
            if file == path:
                raise BadDownload(f"{path} has been changed: {found}. Remove it, and it is fetched again.")
            raise BadDownload(f"{address} holds another model now: {found}. Remove {record} if you trust the new one.")
        return
    values = {
        "address": address,
        "sha256": sha256,
        "bytes": file.stat().st_size,
        "first_used": datetime.now(timezone.utc).isoformat(timespec="seconds"),
    }
    part = part_beside(record)
    part.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")
    part.replace(record)
    print(
        f"{path.name}: nobody publishes its hash, so this one is trusted from now on: SHA-256 {sha256} (noted in "
        f"{record}).",
        file=sys.stderr,
    )
