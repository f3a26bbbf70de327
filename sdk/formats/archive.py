"""Zip archives from others: how much they unpack to is known before they are unpacked."""

from __future__ import annotations

import zipfile
from pathlib import Path

from sdk.errors import BadKeypoints
from sdk.formats.bounds import LARGEST_FILE_BYTES
from sdk.formats.format_error import NotThisFormat


def array_names(path: Path) -> list[str]:
    """The arrays of an .npz file.

    Raises:
        NotThisFormat: it is no .npz file.
        BadKeypoints: it would unpack to more than keypoints take.
    """
    if not zipfile.is_zipfile(path):
        raise NotThisFormat("not an .npz file")
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except Exception as error:  # a damaged directory raises whatever its bytes run into
        raise NotThisFormat(f"a damaged .npz file ({type(error).__name__}: {error})") from error
    size = sum(member.file_size for member in members)
    if size > LARGEST_FILE_BYTES:
        raise BadKeypoints(
            f"{path} unpacks to {size / 1e9:.1f} GB; keypoints of up to {LARGEST_FILE_BYTES / 1e9:.1f} GB are read."
        )
    return [member.filename.removesuffix(".npy") for member in members if member.filename.endswith(".npy")]
