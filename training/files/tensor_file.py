"""Tensors and plain values in .pt files. They are written whole or not at all, and read without running code."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import torch

from sdk.errors import BadModelFile
from training.files.atomic_file import replacing


def save_atomically(content: dict, path: Path) -> None:
    """torch.save, whole or not at all. After a killed process or a full disk, the old file is unchanged."""
    # Written to memory first: if the disk is full, torch 2.13 hides the system's error. And torch stores the name of
    # the path, which here has the process number, in the archive.
    with replacing(Path(path)) as part, io.BytesIO() as archive:
        torch.save(content, archive)
        part.write_bytes(archive.getvalue())


def load_tensors(path: Path) -> dict:
    """torch.load of tensors and plain values only.

    Raises:
        BadModelFile: the file is missing or of another kind.
    """
    path = Path(path)
    if not path.is_file():
        raise BadModelFile(f"no checkpoint at {path}.")
    try:
        archive = zipfile.is_zipfile(path)
        damaged = first_damaged(path) if archive else None
    except OSError as error:
        raise BadModelFile(f"{path} can't be read: {error}") from error
    if damaged is not None:
        raise BadModelFile(
            f"{path} is damaged: its entry {damaged!r} is not what was written. Take it from a backup, or make it anew."
        )
    if not archive:
        raise BadModelFile(
            f"{path} is not a readable checkpoint: it is no .pt file that this project wrote, or it is cut off."
        )
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # zip, pickle and torch errors mean the same to the caller
        # Only the first sentence: torch then advises loading without weights_only, which would run code in the file.
        reason = (str(error).splitlines() or [type(error).__name__])[0].split(". ")[0]
        raise BadModelFile(f"{path} is not a readable checkpoint: {reason}") from error
    if not isinstance(content, dict):
        raise BadModelFile(f"{path} is not a checkpoint of this project.")
    return content


def first_damaged(path: Path) -> str | None:
    """The first entry of a zip file whose content is not what was written, by its checksum; None if all are.

    torch itself does not look at checksums: a flipped bit would be a changed weight.
    """
    with open(path, "rb") as file:
        try:
            with zipfile.ZipFile(file) as archive:
                return archive.testzip()
        except OSError:
            raise
        except Exception:  # what zipfile and zlib run into where headers are damaged is of many kinds
            return "table of contents"
