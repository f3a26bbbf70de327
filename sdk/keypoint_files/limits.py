"""Limits of keypoint files. Files come from others, and a small file can ask for a lot of work."""

from __future__ import annotations

import zipfile
from pathlib import Path

from sdk.errors import BadKeypoints
from sdk.files.input_files import check_regular_file


class NotThisFormat(BadKeypoints):
    """The file has another format. Another reader may know it."""


LARGEST_FILE_BYTES = 1 << 30
"""An hour of two people at 50 Hz is 0.2 GB as AlphaPose's JSON of Halpe-26."""
MOST_PEOPLE = 300
"""In one frame."""
MOST_NUMBERS = 50_000
"""Different people in one file. They take half a minute to read; an hour of a crowd has a few thousand."""
MOST_FRAMES = 10_000_000
"""Frame numbers are below it: 55 hours at 50 Hz."""
FASTEST_HZ = 10_000.0
LARGEST_PX = 100_000.0
"""Longest side of an image."""
FARTHEST_PX = 1e5
"""Largest distance of a joint from the image's corner: a joint farther out is not a measurement."""


def check_file_size(path: Path) -> None:
    """Raise BadKeypoints for a file that is too large, or that has no end (a pipe or a device)."""
    if not path.is_dir():
        check_regular_file(path, BadKeypoints)
    size = path.stat().st_size
    if size > LARGEST_FILE_BYTES:
        raise BadKeypoints(
            f"{path} has {size / 1e9:.1f} GB. Keypoint files may have up to {LARGEST_FILE_BYTES / 1e9:.1f} GB. "
            "Split it by time or by video."
        )


def listed(names: list[str]) -> str:
    """Names of arrays for a message: the first twenty, with long names cut."""
    return ", ".join(name[:60] for name in names[:20])


def check_frame_number(path: Path, frame: int) -> int:
    """Return a frame number, or raise BadKeypoints for one that no video has."""
    if not 0 <= frame < MOST_FRAMES:
        raise BadKeypoints(f"{path}: frame {frame} is not between 0 and {MOST_FRAMES - 1}.")
    return frame


def array_names(path: Path) -> list[str]:
    """The arrays of an .npz file.

    Raises:
        NotThisFormat: it is not an .npz file.
        BadKeypoints: its unpacked content is too large for keypoints.
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
            f"{path} unpacks to {size / 1e9:.1f} GB. Keypoints may take up to {LARGEST_FILE_BYTES / 1e9:.1f} GB."
        )
    return [member.filename.removesuffix(".npy") for member in members if member.filename.endswith(".npy")]
